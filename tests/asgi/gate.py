"""The middleware in front of an app that notes what reaches it, asked without a server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio
from starlette.types import Message, Receive, Scope, Send

from intastellar_auth.asgi import AuthMiddleware
from intastellar_auth.core.session import Session
from intastellar_auth.core.site import Site
from intastellar_auth.settings import Settings
from intastellar_auth.user import pack_claims

Headers: TypeAlias = list[tuple[bytes, bytes]]

PROVIDER = "http://127.0.0.1:1"
"""Nobody listens there: what these tests send nowhere surely never arrives."""

SESSION_COOKIE = "__Host-intastellar"
NAVIGATION: Headers = [(b"sec-fetch-mode", b"navigate"), (b"sec-fetch-dest", b"document")]
FORM: Headers = [(b"content-type", b"application/x-www-form-urlencoded")]


@dataclass(slots=True)
class App:
    """Answers everybody with the same ``messages``; keeps every scope that it was given."""

    messages: list[Message] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        del receive
        self.scopes.append(scope)
        messages = self.messages or [
            {"type": "http.response.start", "status": 200, "headers": [(b"x-app", b"1")]},
            {"type": "http.response.body", "body": b"the app"},
        ]
        for message in messages:
            await send(message)


@dataclass(slots=True)
class Got:
    """What was sent: the messages, and what they say."""

    messages: list[Message]

    @property
    def status(self) -> int:
        """The status of the answer."""
        status = self.messages[0]["status"]
        assert isinstance(status, int)
        return status

    def all(self, name: str) -> list[str]:
        """Return the values of every header ``name``."""
        headers = self.messages[0]["headers"]
        return [value.decode() for key, value in headers if key.decode().lower() == name]

    def one(self, name: str) -> str:
        """Return the value of the one header ``name``."""
        (value,) = self.all(name)
        return value

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(message.get("body", b"") for message in self.messages[1:])


@dataclass(slots=True)
class Gate:
    """The middleware, and the app behind it."""

    app: App
    middleware: AuthMiddleware

    @property
    def site(self) -> Site:
        """The site that the middleware made of its settings."""
        return self.middleware._site

    def cookie(self, *, age: float = 0.0, **claims: object) -> bytes:
        """Return a ``Cookie`` header with a session of ``age`` seconds."""
        session = self.session(age=age, **claims)
        return f"{SESSION_COOKIE}=1{self.site.sessions.keeper.text(session)}".encode()

    def session(self, *, age: float = 0.0, **claims: object) -> Session:
        """Return a session of ``age`` seconds."""
        then = self.site.clock() - age
        return Session("s-1", "alice", PROVIDER, then, then, ("profile",), pack_claims(claims))

    def ask(
        self, target: str = "/page", headers: Iterable[tuple[bytes, bytes]] = (), **scope: object
    ) -> Got:
        """Send one request for ``target``; ``scope`` holds what is not as usual in the scope."""
        return self.send(http(target, headers, **scope))

    def send(self, scope: Scope, *incoming: Message, backend: str = "asyncio") -> Got:
        """Send ``scope``, with ``incoming`` to be received."""
        sent: list[Message] = []
        waiting = list(incoming) or [{"type": "http.request"}]

        async def receive() -> Message:
            return waiting.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        async def main() -> None:
            await self.middleware(scope, receive, send)

        anyio.run(main, backend=backend)
        return Got(sent)

    @property
    def seen(self) -> Scope:
        """The one scope that the app was given."""
        (scope,) = self.app.scopes
        return scope


def make_gate(*messages: Message, **values: object) -> Gate:
    """Return the middleware on its usual settings but for ``values``."""
    least: dict[str, object] = {
        "scope": "profile",
        "authorization_endpoint": f"{PROVIDER}/authorize",
        "token_endpoint": f"{PROVIDER}/token",
        "userinfo_endpoint": f"{PROVIDER}/userinfo",
        "client_id": "client-1",
        "base_url": "https://site.example",
        "secret_keys": "a key of this site that is long enough to be one",
        "store_url": "memory://",
        "protected_paths": "/private/*",
    }
    app = App(list(messages))
    return Gate(app, AuthMiddleware(app, Settings(_env_file=None, **{**least, **values})))


def http(target: str, headers: Iterable[tuple[bytes, bytes]] = (), **changes: object) -> Scope:
    """Return the scope of a request; a change to ``None`` leaves the key out."""
    path, _, query = target.partition("?")
    scope: dict[str, object] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": list(headers),
        **changes,
    }
    return {key: value for key, value in scope.items() if value is not None}


def websocket(target: str, headers: Iterable[tuple[bytes, bytes]] = (), **changes: object) -> Scope:
    """Return the scope of a WebSocket handshake."""
    return http(target, headers, **{"type": "websocket", "method": None, "scheme": "ws", **changes})
