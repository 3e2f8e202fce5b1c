"""``AuthMiddleware`` for ASGI: a scope comes in; out goes a reply, or the app with its user.

::

    app.add_middleware(AuthMiddleware)      # Starlette, FastAPI
    app = AuthMiddleware(app)               # any other ASGI app
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intastellar_auth.core.admission import Admitted
from intastellar_auth.core.dispatch import answer, make_routes
from intastellar_auth.core.logout import landed
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.navigation import is_navigation
from intastellar_auth.core.refused import refused, sign_in_needed
from intastellar_auth.core.replies import redirect
from intastellar_auth.core.site import make_site
from intastellar_auth.drive.concurrent import Outside
from intastellar_auth.errors import RequestTooLarge
from intastellar_auth.settings import Settings
from intastellar_auth.stores import open_store
from intastellar_auth.user import ANONYMOUS, NO_AUTH

_Headers: TypeAlias = Iterable[tuple[bytes, bytes]]

_VARY: Final = (b"vary", b"Cookie")
# A provider's form_post is a code, a state and little else.
_MAX_BODY: Final = 65_536


class AuthMiddleware:
    """Signs users in, in front of ``app``.

    ``settings=None`` reads the environment: see ``Settings``. Raises ``SettingsError`` with all
    that is wrong with it. Nothing is asked of the provider before the first sign-in.
    """

    def __init__(self, app: ASGIApp, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        self._app = app
        self._site = site = make_site(settings)
        self._outside = Outside(open_store(settings.store_url), settings.http_timeout)
        self._routes = make_routes(settings.path_prefix)
        self._after_logout = site.app_path(site.after_logout)
        self._at_once, self._clock = site.admissions.at_once, site.clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a path of ours, or call the app with ``scope["user"]`` and ``scope["auth"]``."""
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self._app(scope, receive, self._finishing(send))
            return
        path = _app_path(scope)
        if kind == "http" and self._may_be_ours(path, scope):
            reply = await self._own_answer(path, scope, receive)
            if reply is not None:
                await _send(reply, scope, send)
                return
        header = _cookie_header(scope["headers"])
        admitted = self._at_once(header, self._clock()) if header else None
        if admitted is None and header:
            admitted = await self._outside.run(self._site.admissions.admit(header, self._clock()))
        if kind == "websocket":
            # A page of another site may open one with our visitor's cookies (CK-24).
            admitted = None if self._is_foreign(scope["headers"]) else admitted
        else:
            send = self._going_out(send, admitted, header)
        if admitted is not None:
            scope["user"], scope["auth"] = admitted.user, admitted.auth
        elif self._site.rules.needs_user(path):
            await self._refuse(path, scope, send)
            return
        else:
            scope["user"], scope["auth"] = ANONYMOUS, NO_AUTH
        await self._app(scope, receive, send)

    def _may_be_ours(self, path: str, scope: Scope) -> bool:
        if path in self._routes:
            return True
        return path == self._after_logout and b"state=" in scope["query_string"]

    async def _own_answer(self, path: str, scope: Scope, receive: Receive) -> Reply | None:
        route = self._routes.get(path)
        if route is None:
            # Where the provider sends the browser after a logout: ours only with our state.
            return landed(self._site, _request(scope, path))
        body = await _read_body(receive) if scope["method"] == "POST" else b""
        if body is None:
            error = RequestTooLarge(f"a body of more than {_MAX_BODY} bytes")
            return refused(self._site, _request(scope, path), error)
        return await self._outside.run(answer(self._site, route, _request(scope, path, body)))

    async def _refuse(self, path: str, scope: Scope, send: Send) -> None:
        """Nobody is signed in, and ``path`` needs somebody."""
        if scope["type"] == "websocket":
            # Before accept: the server answers the handshake with 403.
            await send({"type": "websocket.close", "code": 1008, "reason": "sign in first"})
            return
        request = _request(scope, path)
        return_to = self._site.return_path(self._seen_by_browser(scope, path), self._site.landing)
        if request.method == "GET" and is_navigation(request):
            await _send(redirect(self._site.login_url(return_to)), scope, send)
        else:
            await _send(sign_in_needed(self._site, request, return_to), scope, send)

    def _seen_by_browser(self, scope: Scope, path: str) -> str:
        """The path to come back to, spelled as the browser did, where the server says how."""
        raw: bytes = scope.get("raw_path") or b""
        spelled = raw.decode("latin-1").removeprefix(quote(scope.get("root_path", "")))
        if unquote(spelled) != path:
            spelled = quote(path)
        query = scope["query_string"].decode("latin-1")
        return self._site.settings.base_path + spelled + (f"?{query}" if query else "")

    def _is_foreign(self, headers: _Headers) -> bool:
        origin = next((value for name, value in headers if name == b"origin"), None)
        return origin is not None and origin.decode("latin-1") != self._site.settings.origin

    def _going_out(self, send: Send, admitted: Admitted | None, header: bytes) -> Send:
        """Return ``send`` that says what the answer depends on, and carries a roll that is due."""
        if admitted is not None and self._clock() >= admitted.roll_at:
            return self._rolling(send, admitted, header)

        def varying(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                # CVE-2023-30861: without it a cache gives one visitor's page to another.
                message["headers"] = [*message.get("headers", ()), _VARY]
            return send(message)

        return varying

    def _rolling(self, send: Send, admitted: Admitted, header: bytes) -> Send:
        async def rolling(message: Message) -> None:
            if message["type"] == "http.response.start":
                site = self._site
                roll = site.admissions.roll(admitted.session, header, self._clock())
                set_cookies = await self._outside.run(roll)
                headers = [*message.get("headers", ()), _VARY]
                if set_cookies:
                    # A cache that keeps this answer hands the session to strangers
                    # (CVE-2025-48947).
                    headers = [item for item in headers if item[0].lower() != b"cache-control"]
                    headers.append((b"cache-control", b"no-store"))
                    headers += [(b"set-cookie", value.encode("latin-1")) for value in set_cookies]
                message["headers"] = headers
            await send(message)

        return rolling

    def _finishing(self, send: Send) -> Send:
        """Return ``send`` that lets a sign-in in mid-exchange end before the server stops."""

        async def finishing(message: Message) -> None:
            if message["type"] == "lifespan.shutdown.complete":
                await self._outside.drain()
            await send(message)

        return finishing


def _app_path(scope: Scope) -> str:
    """The path relative to where the app is mounted: what it routes by."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        return path[len(root) :] or "/"
    return path


def _cookie_header(headers: _Headers) -> bytes:
    """All ``Cookie`` headers as one; HTTP/2 may split them (RFC 9113 section 8.2.3)."""
    found = b""
    for name, value in headers:
        if name == b"cookie":
            found = found + b"; " + value if found else value
    return found


def _request(scope: Scope, path: str, body: bytes = b"") -> Request:
    return Request(
        method=scope["method"],
        path=path,
        query=scope["query_string"].decode("latin-1"),
        headers=tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in scope["headers"]
        ),
        body=body,
    )


async def _read_body(receive: Receive) -> bytes | None:
    """The body, ``None`` if it is larger than any form of ours; the rest of it is not read."""
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > _MAX_BODY:
            return None
        if not message.get("more_body", False):
            return body


async def _send(reply: Reply, scope: Scope, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else reply.body
    await send({"type": "http.response.body", "body": body})
