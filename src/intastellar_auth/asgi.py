"""``AuthMiddleware`` for ASGI: a scope comes in; out goes a reply, or the app with its user.

::

    app.add_middleware(AuthMiddleware)      # Starlette, FastAPI
    app = AuthMiddleware(app)               # any other ASGI app
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import quote

from starlette.types import Message, Receive, Scope, Send

from intastellar_auth.core.admission import Admitted, Standing
from intastellar_auth.core.front import MAX_BODY, make_front
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.replies import rules_caches
from intastellar_auth.core.site import make_site
from intastellar_auth.drive.concurrent import Outside
from intastellar_auth.environ import handing_on
from intastellar_auth.errors import SettingsError, StoreUnavailable
from intastellar_auth.lifespan import fail, is_built_late, live
from intastellar_auth.settings import Settings
from intastellar_auth.stores import open_store
from intastellar_auth.user import ANONYMOUS
from intastellar_auth.websocket import Watched

AnyApp: TypeAlias = Callable[..., Awaitable[None]]
"""An ASGI app. Frameworks differ in how narrow they type a scope and its messages."""

_Headers: TypeAlias = Iterable[tuple[bytes, bytes]]

_VARY: Final = (b"vary", b"Cookie")


class AuthMiddleware:
    """Signs users in, in front of ``app``.

    ``settings=None`` reads the environment: see ``Settings``. Raises ``SettingsError`` with all
    that is wrong with it; behind ``add_middleware``, whose errors a server passes over, it does not
    let the server start instead. Nothing is asked of the provider before the first sign-in.
    """

    def __init__(self, app: AnyApp, settings: Settings | None = None) -> None:
        self._app = handing_on(app)
        self._wrong: SettingsError | None = None
        try:
            self._prepare(settings or Settings())
        except SettingsError as error:
            if not is_built_late():
                raise
            self._wrong = error

    def _prepare(self, settings: Settings) -> None:
        self._site = site = make_site(settings)
        self._front = make_front(site)
        store = open_store(settings.store_url.get_secret_value())
        self._outside = Outside(store, settings.http_timeout)
        self._at_once, self._clock = site.admissions.at_once, site.clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a path of ours, or call the app with ``scope["user"]`` and ``scope["auth"]``."""
        if self._wrong is not None:
            await fail(self._wrong, scope, receive, send)
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self._other(scope, receive, send)
            return
        path = _app_path(scope)
        ours = kind == "http" and self._front.may_answer(path, scope["query_string"])
        if ours and await self._answered(path, scope, receive, send):
            return
        header = _cookie_header(scope["headers"])
        admitted = self._at_once(header, self._clock()) if header else None
        unsure: StoreUnavailable | None = None
        if admitted is None and header:
            try:
                admitted = await self._outside.run(self._front.admit(header))
            except StoreUnavailable as error:
                unsure = error
        foreign = kind == "websocket" and self._is_foreign(scope["headers"])
        if foreign:
            # A page of another site may open one with our visitor's cookies (CK-24).
            admitted = None
        if admitted is not None:
            scope["user"], scope["auth"] = admitted.user, admitted.auth
        elif self._site.rules.needs_user(path):
            await self._refuse(path, scope, send, unsure)
            return
        else:
            told = unsure is None and not foreign
            scope["user"] = ANONYMOUS
            scope["auth"] = self._site.nobody if told else self._site.unsure
        if kind == "http":
            await self._app(scope, receive, self._going_out(send, admitted, header))
        else:
            await self._talk(admitted, scope, receive, send)

    async def _answered(self, path: str, scope: Scope, receive: Receive, send: Send) -> bool:
        """Answer for a path of ours; return whether it is done, or is the app's after all."""
        reads = self._front.reads_body(path, scope["method"])
        body = await _read_body(receive) if reads else b""
        if body is None:
            return True
        reply = await self._outside.run(self._front.answer(_request(scope, path, body)))
        if reply is not None:
            await _send(reply, scope, send)
        return reply is not None

    async def _refuse(
        self, path: str, scope: Scope, send: Send, unsure: StoreUnavailable | None
    ) -> None:
        """Nobody is signed in, and ``path`` needs somebody."""
        if scope["type"] == "websocket":
            # Before accept: the server answers the handshake with 403.
            await send({"type": "websocket.close", "code": 1008, "reason": "sign in first"})
            return
        raw: bytes = scope.get("raw_path") or b""
        spelled = raw.decode("latin-1").removeprefix(quote(scope.get("root_path", "")))
        await _send(self._front.refuse(_request(scope, path), spelled, unsure), scope, send)

    async def _talk(
        self, admitted: Admitted | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Run the app on a WebSocket, as long as its session lives (CK-24)."""
        if admitted is None:
            await self._app(scope, receive, send)
            return
        admissions, clock = self._site.admissions, self._clock

        def still(standing: Standing) -> Awaitable[Standing | None]:
            session, checked, _ = standing
            return self._outside.run(admissions.still(session, checked, clock()))

        begun = Standing(admitted.session, admitted.checked, admitted.until)
        await Watched(begun, still, clock, receive, send).run(self._app, scope)

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
                message = _with_headers(message, [*message.get("headers", ()), _VARY])
            return send(message)

        return varying

    def _rolling(self, send: Send, admitted: Admitted, header: bytes) -> Send:
        async def rolling(message: Message) -> None:
            if message["type"] == "http.response.start":
                set_cookies = await self._outside.run(self._front.roll(admitted.session, header))
                headers = [*message.get("headers", ()), _VARY]
                if set_cookies:
                    # A cache that keeps this answer hands the session to strangers
                    # (CVE-2025-48947).
                    headers = [
                        item for item in headers if not rules_caches(item[0].decode("latin-1"))
                    ]
                    headers.append((b"cache-control", b"no-store"))
                    headers += [(b"set-cookie", value.encode("latin-1")) for value in set_cookies]
                message = _with_headers(message, headers)
            await send(message)

        return rolling

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the app for what is no request."""
        if scope["type"] == "lifespan":
            await live(self._app, self._outside.drain, scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _with_headers(message: Message, headers: list[tuple[bytes, bytes]]) -> Message:
    """A message of its own: an app may send the same one to everybody, and one's cookie with it."""
    return {**message, "headers": headers}


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
    """The body, or as much of it as shows that it is too large.

    ``None`` where the visitor has gone: nobody waits for an answer, and half a form, with half a
    code in it, would use their sign-in up.
    """
    body = b""
    while (message := await receive())["type"] != "http.disconnect":
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > MAX_BODY or not message.get("more_body", False):
            return body
    return None


async def _send(reply: Reply, scope: Scope, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    if reply.status != HTTPStatus.NO_CONTENT:
        # RFC 9110 section 8.6: a 204 has none.
        headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else reply.body
    await send({"type": "http.response.body", "body": body})
