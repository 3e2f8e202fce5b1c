"""What signing users in costs an ASGI request: microseconds added over the bare app.

    python benchmarks/authenticated_request.py

Every stack runs the same bare app in one process, without a server. The stacks take turns, a short
round each, many times over, so that whatever else the machine does falls on all of them alike; the
table shows the median of the rounds. "New cookie" is a cookie that this process has not seen:
another one at every request.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import Iterable, Iterator
from itertools import cycle

import itsdangerous
from common import CLAIMS, HEADERS, SECRET, our_cookies, our_settings, print_table
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intastellar_auth.asgi import AuthMiddleware

REQUESTS = 2_000
ROUNDS = 31


async def bare(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    """Answer as little as an app can."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"b")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def receive() -> Message:
    """Give the empty body of a GET."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def discard(message: Message) -> None:
    """Take an answer and forget it."""


class SessionBackend(AuthenticationBackend):
    """The user out of Starlette's own session, as its documentation shows it."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, SimpleUser] | None:
        """Return the user that the session names."""
        name = conn.session.get("name")
        return (AuthCredentials(["authenticated"]), SimpleUser(name)) if name else None


def starlette_cookie() -> str:
    """Return a cookie as ``SessionMiddleware`` signs it."""
    text = base64.b64encode(json.dumps(CLAIMS | {"sub": "alice"}).encode())
    return "theme=dark; session=" + itsdangerous.TimestampSigner(SECRET).sign(text).decode()


def requests(cookies: Iterable[str]) -> Iterator[Scope]:
    """Yield one fresh scope a request, as a server would make it."""
    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    for cookie in cycle(cookies):
        yield {
            "type": "http",
            "method": "GET",
            "path": "/members",
            "raw_path": b"/members",
            "root_path": "",
            "query_string": b"",
            "headers": [*headers, (b"cookie", cookie.encode())],
        }


async def timed(app: ASGIApp, scopes: Iterator[Scope]) -> float:
    """Return the microseconds a request takes, the mean of one round."""
    batch = [next(scopes) for _ in range(REQUESTS)]
    started = time.perf_counter()
    for scope in batch:
        await app(scope, receive, discard)
    return (time.perf_counter() - started) / REQUESTS * 1e6


async def measured() -> dict[str, list[float]]:
    """Return the rounds of every stack, which took turns."""
    settings = our_settings()
    ours = AuthMiddleware(bare, settings)
    theirs = requests([starlette_cookie()])
    stacks: dict[str, tuple[ASGIApp, Iterator[Scope]]] = {
        "bare app": (bare, requests(["theme=dark"])),
        "intastellar-auth, repeated cookie": (ours, requests(our_cookies(settings, 1))),
        "intastellar-auth, new cookie": (ours, requests(our_cookies(settings, 40_000))),
        "SessionMiddleware": (SessionMiddleware(bare, SECRET), theirs),
        "SessionMiddleware + AuthenticationMiddleware": (
            SessionMiddleware(AuthenticationMiddleware(bare, backend=SessionBackend()), SECRET),
            theirs,
        ),
    }
    rounds: dict[str, list[float]] = {name: [] for name in stacks}
    for _ in range(ROUNDS):
        for name, (app, scopes) in stacks.items():
            rounds[name].append(await timed(app, scopes))
    return rounds


if __name__ == "__main__":
    logging.disable()
    results = asyncio.run(measured())
    stacks = dict.fromkeys(list(results)[1:], "bare app")
    print_table(results, over=stacks, reference="SessionMiddleware")
