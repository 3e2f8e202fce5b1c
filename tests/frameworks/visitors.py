"""Visitors of a site in process: what they send, who they are, and how an app is asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio
import httpx

from intastellar_auth import Settings
from intastellar_auth.core.session import Session
from intastellar_auth.core.site import make_site
from intastellar_auth.user import pack_claims
from tests.support.wire import NAVIGATION

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from starlette.types import ASGIApp, Message, Scope

SITE = "https://www.example.com"
ISSUER = "https://id.example.com"
OTHER_ISSUER = "https://login.example.org"
SCRIPT = {"accept": "*/*", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
ENVIRONMENT = {
    "INTASTELLAR_ISSUER": ISSUER,
    "INTASTELLAR_CLIENT_ID": "my-site",
    "INTASTELLAR_BASE_URL": SITE,
    "INTASTELLAR_SECRET_KEYS": "a-key-of-the-tests-with-more-than-32-characters",
    "INTASTELLAR_STORE_URL": "memory://",
}


def make_settings(**values: object) -> Settings:
    """Return the settings of the site, with ``values`` instead or besides."""
    least: dict[str, object] = {
        name.removeprefix("INTASTELLAR_").lower(): value for name, value in ENVIRONMENT.items()
    }
    return Settings(_env_file=None, **{**least, **values})


def signed_in(
    sub: str = "alice",
    *,
    iss: str = ISSUER,
    scopes: tuple[str, ...] = (),
    settings: Settings | None = None,
    **claims: object,
) -> dict[str, str]:
    """Return the ``Cookie`` header of somebody who has signed in to the site."""
    now = time.time()
    session = Session(f"the-session-of-{sub}", sub, iss, now, now, scopes, pack_claims(claims))
    site = make_site(settings or make_settings())
    (set_cookie,) = site.sessions.set_cookies(session, b"", now)
    return {"cookie": set_cookie.partition(";")[0]}


def ask_asgi(
    app: ASGIApp, path: str, headers: dict[str, str] | None = None, *, method: str = "GET"
) -> httpx.Response:
    """Ask ``app`` for ``path`` as a visitor who navigates, with ``headers`` besides."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=SITE) as client:
            return await client.request(method, path, headers=NAVIGATION | (headers or {}))

    return anyio.run(ask)


def ask_wsgi(
    app: WSGIApplication, path: str, headers: dict[str, str] | None = None, *, method: str = "GET"
) -> httpx.Response:
    """Do the same with a WSGI app."""
    with httpx.Client(transport=httpx.WSGITransport(app), base_url=SITE) as client:
        return client.request(method, path, headers=NAVIGATION | (headers or {}))


def connect(app: ASGIApp, path: str, headers: dict[str, str] | None = None) -> list[Message]:
    """Open a WebSocket, and return all that ``app`` sends."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "websocket",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        "extensions": {"websocket.http.response": {}},
    }
    anyio.run(app, scope, receive, send)
    return sent


def is_problem(answer: httpx.Response, status: int, error: str) -> bool:
    """Return whether ``answer`` is a refusal in the shape that all of ours have."""
    where = {"login_url"} if status == 401 else set()
    return (
        answer.status_code == status
        and answer.headers["content-type"] == "application/json"
        and answer.headers["cache-control"] == "no-store"
        and (status != 401 or answer.headers["www-authenticate"] == "Cookie")
        and set(answer.json()) == {"error", "message", "reference"} | where
        and answer.json()["error"] == error
    )
