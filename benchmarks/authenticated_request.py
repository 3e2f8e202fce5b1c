"""What signing users in costs a request: microseconds added over the bare app, in one process.

    python benchmarks/authenticated_request.py

Every stack runs the same bare ASGI app in one process, without a server. The stacks take turns, a
short round each, many times over, so that whatever else the machine does falls on all of them
alike; the table shows the median of the rounds. "New cookie" is a cookie that this process has not
seen: another one at every request.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import statistics
import time
from collections.abc import Iterable, Iterator
from itertools import cycle

import itsdangerous
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intastellar_auth import Settings
from intastellar_auth.asgi import AuthMiddleware
from intastellar_auth.core.session import Session
from intastellar_auth.core.site import make_site

REQUESTS = 2_000
ROUNDS = 31
SECRET = "a key for a benchmark, of no worth to anyone"

# About 600 bytes of session, as the design's figures were measured with.
CLAIMS: dict[str, object] = {
    "name": "Alice Example",
    "email": "alice@example.com",
    "email_verified": True,
    "picture": "https://cdn.example.com/avatars/" + "0123456789abcdef" * 6 + ".png",
    "preferred_username": "alice",
    "locale": "en-GB",
    "zoneinfo": "Europe/Copenhagen",
    "roles": ["admin", "editor", "reviewer"],
    "groups": [f"team-{number:02}" for number in range(12)],
}

# What a browser sends along.
OTHER_HEADERS = [
    (b"host", b"site.example"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"),
    (b"connection", b"keep-alive"),
    (b"referer", b"https://site.example/"),
    (b"sec-fetch-dest", b"document"),
    (b"sec-fetch-mode", b"navigate"),
    (b"sec-fetch-site", b"same-origin"),
]


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


def starlette_cookie() -> bytes:
    """Return a cookie as ``SessionMiddleware`` signs it."""
    text = base64.b64encode(json.dumps(CLAIMS | {"sub": "alice"}).encode())
    return b"session=" + itsdangerous.TimestampSigner(SECRET).sign(text)


def our_settings() -> Settings:
    """Return the settings of a site with everything on."""
    return Settings(
        _env_file=None,
        issuer="https://provider.example",
        client_id="site",
        base_url="https://site.example",
        secret_keys=[SECRET],
        protected_paths=["*"],
        store_url="memory://",
    )


def our_cookies(settings: Settings, count: int) -> list[bytes]:
    """Return ``count`` session cookies, no two alike."""
    site, now = make_site(settings), time.time()
    session = Session("s" * 22, "alice", "https://provider.example", now, now, ("openid",), CLAIMS)
    name = settings.cookie_name.encode()
    return [name + b"=1" + site.sessions.text(session).encode() for _ in range(count)]


def requests(cookies: Iterable[bytes]) -> Iterator[Scope]:
    """Yield one fresh scope a request, as a server would make it."""
    for cookie in cycle(cookies):
        yield {
            "type": "http",
            "method": "GET",
            "path": "/members",
            "raw_path": b"/members",
            "root_path": "",
            "query_string": b"",
            "headers": [*OTHER_HEADERS, (b"cookie", b"theme=dark; " + cookie)],
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
        "bare app": (bare, requests([b"a=b"])),
        "intastellar-auth, repeated cookie": (ours, requests(our_cookies(settings, 1))),
        "intastellar-auth, new cookie": (ours, requests(our_cookies(settings, 10_000))),
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


def main() -> None:
    """Print the table."""
    logging.disable()
    rounds = asyncio.run(measured())
    floor = statistics.median(rounds["bare app"])
    reference = statistics.median(rounds["SessionMiddleware"]) - floor
    print(f"{'stack':<46} {'µs a request':>12} {'added µs':>9} {'of SessionMiddleware':>21}")
    for name, values in rounds.items():
        middle = statistics.median(values)
        added = middle - floor
        print(f"{name:<46} {middle:>12.2f} {added:>9.2f} {added / reference:>21.2f}")


if __name__ == "__main__":
    main()
