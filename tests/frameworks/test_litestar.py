"""Litestar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from litestar import Litestar, Request, get
from litestar.di import NamedDependency, Provide

from intastellar_auth import User
from intastellar_auth.asgi import AuthMiddleware
from intastellar_auth.litestar import provide_user, requires_user
from tests.frameworks.visitors import SCRIPT, SITE, ask_asgi, make_settings, signed_in

if TYPE_CHECKING:
    import httpx
    from starlette.types import ASGIApp


@get("/")
async def home(request: Request[User, object, object]) -> str:  # type: ignore[type-var]  # any state
    """Anybody may see this."""
    return request.user.display_name or "nobody"


@get("/members", guards=[requires_user()])
async def members(request: Request[User, object, object]) -> str:  # type: ignore[type-var]  # as above
    """Somebody signed in may."""
    return request.user.sub


@get("/reports", guards=[requires_user(scopes=["read", "list"])])
async def reports() -> str:
    """Somebody with both scopes may."""
    return "reports"


@get("/me", dependencies={"user": Provide(provide_user)})
async def me(user: NamedDependency[User]) -> str:
    """Somebody signed in may."""
    return user.sub


def _app() -> Litestar:
    return Litestar([home, members, reports, me])


@pytest.fixture
def app() -> ASGIApp:
    """Return an app as the documentation sets it up."""
    return AuthMiddleware(_app(), make_settings())


def test_the_request_has_its_user(app: ASGIApp) -> None:
    assert ask_asgi(app, "/").text == "nobody"
    assert ask_asgi(app, "/", signed_in(name="Alice Example")).text == "Alice Example"


def _is_refused(answer: httpx.Response, status: int, error: str, sentence: str) -> bool:
    told = answer.json()
    where = {"login_url"} if status == 401 else set()
    return (
        (answer.status_code, told["status_code"], told["detail"]) == (status, status, sentence)
        and set(told["extra"]) == {"error", "message", "reference"} | where
        and told["extra"]["error"] == error
        and answer.headers.get("www-authenticate") == ("Cookie" if status == 401 else None)
    )


@pytest.mark.parametrize("path", ["/members", "/me"])
def test_somebody_signed_in_passes_and_nobody_gets_a_401(app: ASGIApp, path: str) -> None:
    assert ask_asgi(app, path, signed_in()).text == "alice"
    answer = ask_asgi(app, path, SCRIPT)
    assert _is_refused(answer, 401, "login_required", "Please sign in first.")
    assert answer.json()["extra"]["login_url"] == f"{SITE}/auth/login?next={path}"


@pytest.mark.parametrize("path", ["/members", "/me"])
def test_a_visitor_who_goes_to_the_page_signs_in_and_comes_back(app: ASGIApp, path: str) -> None:
    answer = ask_asgi(app, f"{path}?a=%C3%BC")
    assert (answer.status_code, answer.headers["cache-control"]) == (303, "no-store")
    assert answer.headers["location"] == f"/auth/login?next={path}%3Fa%3D%25C3%25BC"


@pytest.mark.parametrize("granted", [(), ("read",), ("read list",)])
def test_a_missing_scope_is_a_403(app: ASGIApp, granted: tuple[str, ...]) -> None:
    """IM-03."""
    sentence = "Your sign-in does not allow this."
    who = signed_in(scopes=granted)
    assert _is_refused(ask_asgi(app, "/reports", who), 403, "insufficient_scope", sentence)


def test_with_all_the_scopes_a_user_passes_each_time(app: ASGIApp) -> None:
    for _ in range(2):
        answer = ask_asgi(app, "/reports", signed_in(scopes=("list", "read")))
        assert answer.text == "reports"


def test_without_the_middleware_nobody_passes_for_somebody() -> None:
    assert ask_asgi(_app(), "/me").status_code == 500  # type: ignore[arg-type]  # as above
