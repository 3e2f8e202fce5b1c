"""How a server starts and stops (ASGI): the app's lifespan, ours, and a start that must fail."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intastellar_auth import log
from intastellar_auth.errors import SettingsError

# Starlette, and FastAPI which has a method of its own by the same name.
_BUILDS_LATE = "build_middleware_stack"


async def live(
    app: ASGIApp,
    drain: Callable[[], Awaitable[None]],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Run ``app`` from start to stop, and ``drain`` before the server is told that it has stopped.

    An app that ends before it has taken any part in this has no lifespan: Django and asgiref raise
    an error. Then the server is answered for it, because a sign-in under way has to end in any
    case. An error of one that has taken part is the server's to judge.
    """
    takes_part = False

    async def hearing() -> Message:
        nonlocal takes_part
        takes_part = True
        return await receive()

    async def saying(message: Message) -> None:
        nonlocal takes_part
        takes_part = True
        if message["type"].startswith("lifespan.shutdown."):
            await drain()
        await send(message)

    kind = "none"
    try:
        await app(scope, hearing, saying)
    except Exception as error:
        if takes_part:
            raise
        kind = type(error).__name__
    if not takes_part:
        log.event(logging.INFO, "no_lifespan", {"error": kind})
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await drain()
        await send({"type": "lifespan.shutdown.complete"})


async def fail(error: SettingsError, scope: Scope, receive: Receive, send: Send) -> NoReturn:
    """Raise ``error``; a server that asks whether it may start is told first why it may not."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.failed", "message": error.detail})
    # A new one: an error that is raised again and again remembers each time.
    raise SettingsError(error.detail)


def is_built_late() -> bool:
    """Return whether Starlette is putting its middleware together, inside of a call by the server.

    It does so on the first call, which asks for the lifespan. Servers take an error there for an
    app that has no lifespan, and start.
    """
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_name != _BUILDS_LATE:
        frame = frame.f_back
    return frame is not None
