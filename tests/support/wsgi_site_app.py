"""The small site as a WSGI app, with the middleware in front of it: ``site_app``'s counterpart.

A request with ``x-time-limit`` is given up after that many seconds, the way sites under gevent do
it; threads know no such thing. ``SITE_GATES`` is as in ``site_app``.
"""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from intastellar_auth.wsgi import AuthMiddleware
from tests.support import site_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def _html(text: str) -> tuple[str, str]:
    return "text/html; charset=utf-8", text


def _json(value: object) -> tuple[str, str]:
    return "application/json", json.dumps(value)


def front(_environ: WSGIEnvironment) -> tuple[str, str]:
    """Anybody may see this."""
    return _html(site_pages.front())


def members(environ: WSGIEnvironment) -> tuple[str, str]:
    """Only somebody signed in gets here."""
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    return _html(site_pages.members(environ["REMOTE_USER"], path, query))


def me(environ: WSGIEnvironment) -> tuple[str, str]:
    """Answer a script, protected. A real site keeps the token to itself."""
    auth, sub = environ["intastellar.auth"], environ["intastellar.user"].sub
    return _json({"sub": sub, "scopes": list(auth.scopes), "token": auth.access_token})


def slow(environ: WSGIEnvironment) -> tuple[str, str]:
    """Wait, after having said so, until the test opens the gate."""
    gate = Path(os.environ["SITE_GATES"]) / parse_qs(environ["QUERY_STRING"])["gate"][0]
    gate.with_suffix(".entered").touch()
    while not gate.exists():
        time.sleep(0.01)
    return _json({"sub": environ["REMOTE_USER"]})


_PAGES: dict[str, Callable[[WSGIEnvironment], tuple[str, str]]] = {
    "": front,
    "members": members,
    "api": me,
    "slow": slow,
}


def site(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with the page that the first part of the path names."""
    kind, text = _PAGES[environ["PATH_INFO"].split("/")[1]](environ)
    body = text.encode()
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]


def limiting_time(app: WSGIApplication) -> WSGIApplication:
    """Answer 504 where ``app`` takes longer than the request allows."""

    def limited(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seconds = environ.get("HTTP_X_TIME_LIMIT")
        if seconds is None:
            return app(environ, start_response)
        import gevent  # type: ignore[import-untyped]  # noqa: PLC0415 - only under gevent

        # One statement: a Thread that starts meanwhile, a greenlet here, takes coverage's tracer
        # from the frames that wait.
        return gevent.with_timeout(
            float(seconds), app, environ, start_response, timeout_value=None
        ) or too_slow(start_response)

    return limited


def too_slow(start_response: StartResponse) -> Iterable[bytes]:
    """Answer instead of an app that was given up."""
    start_response("504 Gateway Timeout", [("Content-Length", "8")])
    return [b"too slow"]


def naming_worker(app: WSGIApplication) -> WSGIApplication:
    """Say in a header which process answered."""

    def named(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(
            status: str, headers: list[tuple[str, str]], *error: OptExcInfo | None
        ) -> Callable[[bytes], object]:
            return start_response(status, [*headers, ("X-Worker", str(os.getpid()))], *error)

        return app(environ, start)

    return named


logging.basicConfig(level=logging.INFO)
logging.getLogger("intastellar_auth").setLevel(logging.DEBUG)

app = naming_worker(limiting_time(AuthMiddleware(site)))
