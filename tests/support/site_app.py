"""A small Starlette site with the middleware in front of it, as its users would write it.

The tests start it under real servers. Two variables of its own: ``SITE_GATES``, a folder in which
the file ``NAME`` lets ``/slow?gate=NAME`` go on; ``SITE_TIMEOUT``, seconds after which a middleware
outside ours gives a request up, the way that ``SITE_TIMEOUT_BY`` says: ``asyncio``, ``anyio`` or
``trio``. A request with ``x-time-limit`` brings its own number of seconds.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import trio
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from intastellar_auth.asgi import AuthMiddleware
from tests.support import site_pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from starlette.websockets import WebSocket


async def front(_request: Request) -> HTMLResponse:
    """Anybody may see this."""
    return HTMLResponse(site_pages.front())


async def eager(_request: Request) -> HTMLResponse:
    """Make the browser load ahead what the visitor may go to."""
    rules = '{"prefetch": [{"urls": ["/auth/login?next=/members"], "eagerness": "immediate"}]}'
    return HTMLResponse(
        site_pages.page(
            "Eager",
            f'<script type="speculationrules">{rules}</script>'
            '<a href="/auth/login?next=/members">Sign in</a>',
        )
    )


async def members(request: Request) -> HTMLResponse:
    """Only somebody signed in gets here."""
    return HTMLResponse(site_pages.members(request.user.sub, request.url.path, request.url.query))


async def me(request: Request) -> JSONResponse:
    """Answer a script, protected. A real site keeps the token to itself."""
    scopes, token = list(request.auth.scopes), request.auth.access_token
    return JSONResponse({"sub": request.user.sub, "scopes": scopes, "token": token})


async def slow(request: Request) -> JSONResponse:
    """Wait, after having said so, until the test opens the gate."""
    gate = Path(os.environ["SITE_GATES"]) / request.query_params["gate"]
    gate.with_suffix(".entered").touch()
    while not gate.exists():  # noqa: ASYNC110 - the event is in another process: the test's
        await anyio.sleep(0.01)
    return JSONResponse({"sub": request.user.sub})


async def greet(socket: WebSocket) -> None:
    """Greet whoever connects by name, where there is one."""
    await socket.accept()
    user = socket.user
    await socket.send_json({"sub": user.sub if user.is_authenticated else None})
    await socket.close()


class TimeLimit:
    """What many sites have outside everything: a request is given up after ``SITE_TIMEOUT``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.seconds = float(os.environ.get("SITE_TIMEOUT", "60"))
        self.limit = {"asyncio": _asyncio_limit, "anyio": _anyio_limit, "trio": _trio_limit}[
            os.environ.get("SITE_TIMEOUT_BY", "anyio")
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 504 where the app inside takes too long."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        seconds = float(Headers(scope=scope).get("x-time-limit", self.seconds))
        try:
            async with self.limit(seconds):
                await self.app(scope, receive, send)
        except TimeoutError:
            await PlainTextResponse("too slow", 504)(scope, receive, send)


@asynccontextmanager
async def _asyncio_limit(seconds: float) -> AsyncIterator[None]:
    async with asyncio.timeout(seconds):
        yield


@asynccontextmanager
async def _anyio_limit(seconds: float) -> AsyncIterator[None]:
    with anyio.fail_after(seconds):
        yield


@asynccontextmanager
async def _trio_limit(seconds: float) -> AsyncIterator[None]:
    with trio.move_on_after(seconds) as scope:
        yield
    if scope.cancelled_caught:
        raise TimeoutError


class NameWorker:
    """Say in a header which process answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add ``x-worker`` to every response."""

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-worker", str(os.getpid()).encode("ascii")),
                ]
            await send(message)

        await self.app(scope, receive, named)


logging.basicConfig(level=logging.INFO)
logging.getLogger("intastellar_auth").setLevel(logging.DEBUG)

app = Starlette(
    routes=[
        Route("/", front),
        Route("/eager", eager),
        Route("/members", members),
        Route("/members/{page}", members),
        Route("/api/me", me),
        Route("/slow", slow),
        WebSocketRoute("/ws", greet),
        WebSocketRoute("/members/ws", greet),
    ]
)
# The last one added is the outermost.
app.add_middleware(AuthMiddleware)
app.add_middleware(TimeLimit)
app.add_middleware(NameWorker)
