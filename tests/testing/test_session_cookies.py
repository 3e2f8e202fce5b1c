"""The cookies of ``intastellar_auth.testing`` sign in through the middleware of either kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from intastellar_auth import Settings, asgi, wsgi
from intastellar_auth.errors import SessionTooLarge
from intastellar_auth.testing import ISSUER, make_environment, make_settings, session_cookies

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

    from starlette.requests import Request
    from starlette.types import ASGIApp


async def _whoami(request: Request) -> JSONResponse:
    user, auth = request.user, request.auth
    told = {"sub": user.sub, "iss": user.iss, "claims": user.claims}
    return JSONResponse({**told, "scopes": auth.scopes, "token": auth.access_token})


def _app(settings: Settings | None = None) -> ASGIApp:
    return asgi.AuthMiddleware(Starlette(routes=[Route("/who", _whoami)]), settings)


def _ask(
    app: ASGIApp, path: str, cookies: dict[str, str] | None = None, method: str = "GET"
) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://site", cookies=cookies
        ) as client:
            return await client.request(method, path, headers={"accept": "text/html"})

    return anyio.run(ask)


def _wsgi_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(environ["intastellar.user"].sub).encode()]


def _ask_wsgi(settings: Settings, cookies: dict[str, str] | None = None) -> str:
    transport = httpx.WSGITransport(wsgi.AuthMiddleware(_wsgi_app, settings))
    with httpx.Client(transport=transport, base_url="http://site", cookies=cookies) as client:
        return client.get("/").text


def test_an_asgi_app_sees_the_user_with_all_that_was_said() -> None:
    settings = make_settings(keep_tokens=True)
    cookies = session_cookies(
        settings,
        "bob",
        claims={"name": "Bob"},
        scopes="read list",
        access_token="for-the-api",
        auth_time=1_800_000_000.0,
    )
    assert _ask(_app(settings), "/who", cookies).json() == {
        "sub": "bob",
        "iss": ISSUER,
        "claims": {"name": "Bob", "sub": "bob", "iss": ISSUER, "auth_time": 1_800_000_000.0},
        "scopes": ["authenticated", "read", "list"],
        "token": "for-the-api",
    }


def test_a_wsgi_app_sees_the_user() -> None:
    settings = make_settings()
    assert _ask_wsgi(settings, session_cookies(settings)) == "alice"
    assert _ask_wsgi(settings) == "None"


def test_a_session_of_the_store_is_put_there(tmp_path: Path) -> None:
    settings = make_settings(session_mode="server", store_url=f"sqlite:///{tmp_path}/store.db")
    cookies = session_cookies(settings, claims={"name": "Alice"})
    assert _ask(_app(settings), "/who", cookies).json()["claims"]["name"] == "Alice"
    assert _ask_wsgi(settings, cookies) == "alice"


def test_a_session_of_many_cookies_is_given_in_all_of_them() -> None:
    settings = make_settings()
    cookies = session_cookies(settings, claims={"groups": [f"group-{n:04}" for n in range(500)]})
    assert len(cookies) > 1
    assert _ask(_app(settings), "/who", cookies).json()["sub"] == "alice"


def test_a_protected_path_opens_with_the_cookies_and_leads_to_the_sign_in_without() -> None:
    settings = make_settings(protected_paths="/who")
    app = _app(settings)
    assert _ask(app, "/who", session_cookies(settings)).status_code == 200
    refused = _ask(app, "/who")
    assert refused.headers["location"] == "/auth/login?next=/who"


def test_a_sign_in_starts_and_a_logout_ends_without_a_provider() -> None:
    settings = make_settings()
    app, cookies = _app(settings), session_cookies(settings)
    location = _ask(app, "/auth/login").headers["location"]
    assert location.startswith(f"{ISSUER}/authorize?")
    assert _ask(app, "/auth/logout", cookies, "POST").headers["location"] == "/"
    assert _ask(app, "/who", cookies).json()["sub"] is None


def test_an_app_that_reads_the_environment_takes_the_same_cookies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in make_environment(protected_paths="/who").items():
        monkeypatch.setenv(name, value)
    assert _ask(_app(), "/who", session_cookies(Settings(), "bob")).json()["sub"] == "bob"


def test_nobody_else_can_make_them() -> None:
    assert make_environment() != make_environment()
    cookies = session_cookies(make_settings())
    assert _ask(_app(make_settings()), "/who", cookies).json()["sub"] is None


@pytest.mark.parametrize(
    ("settings", "said", "remedy"),
    [
        ({}, {"claims": {"name": "Alice", "department": "x"}}, "department: add it to .*_CLAIMS"),
        ({}, {"access_token": "for-the-api"}, "set INTASTELLAR_KEEP_TOKENS to true"),
        ({"session_mode": "server"}, {}, "set INTASTELLAR_STORE_URL to sqlite"),
    ],
)
def test_what_no_session_of_the_app_can_have_is_refused(
    settings: dict[str, Any], said: dict[str, Any], remedy: str
) -> None:
    with pytest.raises(ValueError, match=remedy) as caught:
        session_cookies(make_settings(**settings), **said)
    assert "for-the-api" not in str(caught.value)


def test_more_than_fits_into_cookies_is_refused_as_in_a_sign_in() -> None:
    with pytest.raises(SessionTooLarge):
        session_cookies(make_settings(), claims={"groups": ["a-long-name"] * 5000})
