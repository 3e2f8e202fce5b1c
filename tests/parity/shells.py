"""The two shells with the same app behind each, and a client for each: a request in, bytes out."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_to_bytes

from intastellar_auth import asgi, wsgi
from tests.wsgi.client import call, make_environ
from tests.wsgi.simulation import simulated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from starlette.types import Message, Receive, Scope, Send

    from intastellar_auth import AnonymousUser, Settings, User
    from intastellar_auth.user import Auth

    from .scenario import Headers

# What an app says of its own answer; a page like this one is for any cache to keep.
_HEADERS = (("content-type", "application/json"), ("cache-control", "public, max-age=60"))


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it goes over the wire; ``mount`` is a prefix of the target."""

    method: str
    target: str
    headers: Headers
    body: bytes
    mount: str = ""


@dataclass(frozen=True, slots=True)
class Came:
    """One answer as it goes over the wire; header names are lower case, which HTTP ignores."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Shell(Protocol):
    """A site behind one of the two middlewares."""

    def ask(self, sent: Sent) -> Came:
        """Return what the site answers."""
        ...


def _document(path: str, user: User | AnonymousUser, auth: Auth, body: bytes) -> bytes:
    seen = {
        "path": path,
        "user": user.sub,
        "email": user.email,
        "claims": dict(user.claims),
        "scopes": auth.scopes,
        "length": len(body),
    }
    return json.dumps(seen).encode()


async def _asgi_app(scope: Scope, receive: Receive, send: Send) -> None:
    body = (await receive())["body"]
    path = scope["path"].removeprefix(scope["root_path"])
    document = _document(path, scope["user"], scope["auth"], body)
    headers = [(name.encode(), value.encode()) for name, value in _HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": document})


def _wsgi_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH", "0")))
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    document = _document(path, environ["intastellar.user"], environ["intastellar.auth"], body)
    start_response("200 OK", list(_HEADERS))
    return [document]


@dataclass(frozen=True, slots=True)
class Asgi:
    """The site in front of which ``intastellar_auth.asgi`` is."""

    app: asgi.AuthMiddleware

    def ask(self, sent: Sent) -> Came:
        """Return what the site answers, on an event loop of its own."""
        return asyncio.run(self._ask(sent))

    async def _ask(self, sent: Sent) -> Came:
        raw_path, _, query = sent.target.encode("latin-1").partition(b"?")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": sent.method,
            "scheme": "http",
            "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
            "raw_path": raw_path,
            "query_string": query,
            "root_path": sent.mount,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.headers],
        }
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": sent.body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        start, *rest = messages
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]
        )
        return Came(start["status"], headers, b"".join(part["body"] for part in rest))


@dataclass(frozen=True, slots=True)
class Wsgi:
    """The site in front of which ``intastellar_auth.wsgi`` is."""

    app: wsgi.AuthMiddleware

    def ask(self, sent: Sent) -> Came:
        """Return what the site answers."""
        environ = make_environ(sent.target, sent.method, sent.headers, sent.body, mount=sent.mount)
        got = call(self.app, environ)
        return Came(got.code, got.headers, got.body)


def make_asgi(
    settings: Settings, clock: Callable[[], float], token_bytes: Callable[[int], bytes]
) -> Asgi:
    """Return the site behind the ASGI middleware."""
    with simulated(asgi, clock, token_bytes):
        return Asgi(asgi.AuthMiddleware(_asgi_app, settings))


def make_wsgi(
    settings: Settings, clock: Callable[[], float], token_bytes: Callable[[int], bytes]
) -> Wsgi:
    """Return the site behind the WSGI middleware."""
    with simulated(wsgi, clock, token_bytes):
        return Wsgi(wsgi.AuthMiddleware(_wsgi_app, settings))
