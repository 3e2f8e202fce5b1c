"""What the tests of this folder start under real servers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import anyio

from intastellar_auth.asgi import AuthMiddleware

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


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
        sys.stdout.write("the app has ended\n")
        sys.stdout.flush()


speaker = AuthMiddleware(speak)
