"""A site behind the WSGI middleware, held to PEP 3333 on both sides by ``wsgiref.validate``."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, cast
from wsgiref.validate import validator

from intastellar_auth import wsgi
from intastellar_auth.core.session import Session
from intastellar_auth.user import pack_claims
from tests.flows.hand import Clock

from .client import NAVIGATION, Got, call, make_environ
from .simulation import simulated, site_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType]

SESSION_COOKIE = "__Host-intastellar"
_UNASKED = ("Content-Type", "application/x-nothing")


class Failure(Exception):
    """An error of an app's own."""


def an_error() -> ExcInfo:
    """Return what an app says to ``start_response`` when it has failed."""
    try:
        raise Failure  # noqa: TRY301  an error that was raised has a traceback
    except Failure as error:
        return type(error), error, cast("TracebackType", error.__traceback__)


@dataclass(slots=True)
class App:
    """An app that answers ``body``, and keeps the environs it was called with."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b"the app's own"
    seen: list[WSGIEnvironment] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a plain app does."""
        self.seen.append(environ)
        start_response("200 OK", [("Content-Type", "text/plain"), *self.headers])
        return [self.body]


@dataclass(frozen=True, slots=True)
class Site:
    """A running site: ``app`` is the middleware itself, ``checked`` the same with the checks."""

    app: wsgi.AuthMiddleware
    checked: WSGIApplication
    clock: Clock

    def ask(
        self,
        target: str = "/",
        method: str = "GET",
        headers: Mapping[str, str] = NAVIGATION,
        body: bytes = b"",
        *,
        mount: str = "",
        environ: Mapping[str, object] = MappingProxyType({}),
    ) -> Got:
        """Send one request; ``environ`` holds variables to change, ``None`` removes one."""
        made = make_environ(target, method, headers, body, mount=mount) | dict(environ)
        kept = {name: value for name, value in made.items() if value is not None}
        return call(self.checked, kept)

    def cookie(
        self, sub: str = "alice", claims: dict[str, object] | None = None, **values: object
    ) -> str:
        """Return the ``Cookie`` header of somebody who has just signed in."""
        now = self.clock()
        least: dict[str, object] = {"created": now, "rolled": now, "scopes": ("openid", "email")}
        session = Session(
            id=secrets.token_hex(8),
            sub=sub,
            iss="https://id.example",
            claims=pack_claims(claims or {}),
            **{**least, **values},  # type: ignore[arg-type]  # the test gives the right ones
        )
        sessions = self.app._site.sessions
        return "; ".join(
            header.partition(";")[0] for header in sessions.set_cookies(session, b"", now)
        )


def make_site(app: WSGIApplication, **settings: object) -> Site:
    """Return a site with ``app``, which asks no provider to sign out; both sides are checked."""
    clock = Clock()
    given = site_settings(**{"idp_logout": False, **settings})
    with simulated(wsgi, clock, secrets.token_bytes):
        made = wsgi.AuthMiddleware(validator(app), given)
    return Site(made, _checked(made), clock)


def _checked(app: WSGIApplication) -> WSGIApplication:
    """The validator wants a Content-Type of a redirect too, which has no content to be of one.

    RFC 9110 section 8.3 asks for it only where there is content: the validator is shown one, and it
    is taken off again.
    """

    def shown(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(
            status: str, headers: list[tuple[str, str]], *error: object
        ) -> Callable[[bytes], object]:
            bodiless = status.startswith("303") and ("Content-Length", "0") in headers
            more = [_UNASKED] if bodiless else []
            return start_response(status, headers + more, *error)  # type: ignore[arg-type]  # as is

        return app(environ, start)

    valid = validator(shown)

    def taken_off(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(
            status: str, headers: list[tuple[str, str]], *error: object
        ) -> Callable[[bytes], object]:
            kept = [header for header in headers if header != _UNASKED]
            return start_response(status, kept, *error)  # type: ignore[arg-type]  # as is

        return valid(environ, start)

    return taken_off
