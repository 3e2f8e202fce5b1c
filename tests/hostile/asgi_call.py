"""One request to an ASGI app, byte for byte as a server would hand it over.

No HTTP client stands between: it would tidy up what a hostile browser sends, and write the
callback's address into the very log that is searched for it. An exception of the app is raised.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import anyio

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
RawHeaders = tuple[tuple[bytes, bytes], ...]

_NOT_IN_A_HEADER = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the app answered."""

    status: int
    headers: RawHeaders
    body: bytes

    def all(self, name: str) -> list[str]:
        """Return the values of every header ``name``."""
        return [value.decode() for key, value in self.headers if key.decode().lower() == name]

    def get(self, name: str) -> str:
        """Return the value of the only header ``name``, empty where there is none."""
        values = self.all(name)
        assert len(values) < 2, f"{name} twice"
        return values[0] if values else ""

    @property
    def location(self) -> str:
        """Where a redirect leads; it fails for anything but a redirect to be followed by GET."""
        assert self.status in (302, 303), (self.status, self.text)
        return self.get("location")

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode()


async def call(
    app: App,
    method: str,
    target: bytes,
    headers: RawHeaders,
    body: bytes,
) -> Reply:
    """Send one request. The app's server speaks http behind a proxy, and sees its address."""
    raw_path, _, query = target.partition(b"?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": list(headers),
        "client": ("203.0.113.9", 50000),
        "server": ("10.0.0.7", 8000),
        "state": {},
    }
    body_sent, receive = anyio.create_memory_object_stream[Message](1)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async with body_sent, receive:
        # Nothing follows the body: who asks again waits, as for a browser that stays.
        await body_sent.send({"type": "http.request", "body": body, "more_body": False})
        await app(scope, receive.receive, send)
    start, *rest = sent
    raw: RawHeaders = tuple((bytes(name), bytes(value)) for name, value in start["headers"])
    for name, value in raw:
        assert not _NOT_IN_A_HEADER.search(name + value), (name, value)  # HL-01
    return Reply(start["status"], raw, b"".join(message.get("body", b"") for message in rest))


@asynccontextmanager
async def lifespan(app: App) -> AsyncIterator[None]:
    """Run the app's start-up before and its shutdown after."""
    to_app, app_gets = anyio.create_memory_object_stream[Message](2)
    from_app, we_get = anyio.create_memory_object_stream[Message](2)
    async with anyio.create_task_group() as tasks, to_app, app_gets, from_app, we_get:
        scope: dict[str, Any] = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}

        async def serve() -> None:
            await app(scope, app_gets.receive, from_app.send)

        tasks.start_soon(serve)
        for event in ("startup", "shutdown"):
            await to_app.send({"type": f"lifespan.{event}"})
            answer = await we_get.receive()
            assert answer["type"] == f"lifespan.{event}.complete", answer
            if event == "startup":
                yield
