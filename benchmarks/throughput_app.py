"""The app of ``throughput.py``: as little as an app can do, behind what ``BENCH_STACK`` names.

``bare``: nothing; ``redis``: one ``GET`` to Redis a request, and nothing else; ``session``:
Starlette's ``SessionMiddleware``; ``ours``: the middleware, with the settings of the environment.
"""

from __future__ import annotations

import os

from common import SECRET
from redis.asyncio import Redis
from starlette.middleware.sessions import SessionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from intastellar_auth.asgi import AuthMiddleware

_redis = Redis.from_url(os.environ.get("BENCH_REDIS", "redis://127.0.0.1"))


async def page(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    """Answer as little as an app can."""
    if scope["type"] == "http":
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"hello"})


async def asking_redis(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the same, after one question to Redis."""
    if scope["type"] == "http":
        await _redis.get("a key")
    await page(scope, receive, send)


def make_app() -> ASGIApp:
    """Return the stack that ``BENCH_STACK`` names."""
    match os.environ["BENCH_STACK"]:
        case "bare":
            return page
        case "redis":
            return asking_redis
        case "session":
            return SessionMiddleware(page, SECRET)
        case _:
            return AuthMiddleware(page)


app = make_app()
