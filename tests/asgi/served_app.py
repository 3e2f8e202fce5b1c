"""What the tests of this folder start under real servers."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from fastapi import FastAPI
from starlette.applications import Starlette

from intastellar_auth.asgi import AuthMiddleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send


def note(what: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


async def speak(scope: Scope, receive: Receive, send: Send) -> None:
    """Speak on a WebSocket for ever, and never listen; note the end on standard output."""
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    try:
        while True:
            await send({"type": "websocket.send", "text": "tick"})
            await anyio.sleep(0.01)
    finally:
        note("the app has ended")


def speaker() -> AuthMiddleware:
    """Return the app that speaks."""
    return AuthMiddleware(speak)


@asynccontextmanager
async def _lifespan(_app: Starlette) -> AsyncIterator[None]:
    note("the app has started")
    yield
    note("the app has stopped")


starlette = Starlette(lifespan=_lifespan)
starlette.add_middleware(AuthMiddleware)

fastapi = FastAPI(lifespan=_lifespan)
fastapi.add_middleware(AuthMiddleware)
