"""FastAPI."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, WebSocket

from intastellar_auth import User
from intastellar_auth.asgi import AuthMiddleware
from intastellar_auth.fastapi import CurrentUser, OptionalUser, init_app, require_user
from tests.frameworks.visitors import (
    SCRIPT,
    ask_asgi,
    connect,
    is_problem,
    make_settings,
    signed_in,
)

Reader = Annotated[User, Depends(require_user(scopes=iter(["read", "list"])))]


def _routes() -> FastAPI:
    app = FastAPI()

    @app.get("/me")
    async def me(user: CurrentUser) -> str:
        return user.sub

    @app.get("/")
    def home(user: OptionalUser) -> str:
        return user.sub if user else "nobody"

    @app.get("/reports")
    async def reports(user: Reader) -> str:
        return user.sub

    @app.get("/open")
    async def anybody() -> str:
        return "anybody"

    @app.websocket("/ws")
    async def greet(socket: WebSocket, user: CurrentUser) -> None:
        await socket.accept()
        await socket.send_text(user.sub)
        await socket.close()

    return app


@pytest.fixture
def app() -> FastAPI:
    """Return an app as the documentation sets it up."""
    app = _routes()
    init_app(app, make_settings())
    return app


def test_the_signed_in_user_is_a_parameter(app: FastAPI) -> None:
    assert ask_asgi(app, "/me", signed_in("alice")).json() == "alice"


@pytest.mark.parametrize("path", ["/me", "/reports"])
def test_nobody_gets_a_401_in_our_shape(app: FastAPI, path: str) -> None:
    assert is_problem(ask_asgi(app, path, SCRIPT), 401, "login_required")


def test_an_optional_user_is_none_for_nobody(app: FastAPI) -> None:
    assert ask_asgi(app, "/").json() == "nobody"
    assert ask_asgi(app, "/", signed_in("bob")).json() == "bob"


def test_a_missing_scope_is_a_403_each_time(app: FastAPI) -> None:
    """IM-03."""
    for granted in ((), ("read",), ("readlist",), ("read list",)):
        answer = ask_asgi(app, "/reports", signed_in(scopes=granted))
        assert is_problem(answer, 403, "insufficient_scope")
    assert ask_asgi(app, "/reports", signed_in(scopes=("list", "read"))).json() == "alice"


def test_with_the_bare_middleware_a_refusal_has_the_shape_of_fastapis() -> None:
    app = _routes()
    app.add_middleware(AuthMiddleware, settings=make_settings())
    answer = ask_asgi(app, "/me")
    assert answer.status_code == 401
    assert answer.json()["detail"]["error"] == "login_required"


def test_without_the_middleware_nobody_passes_for_somebody() -> None:
    with pytest.raises(RuntimeError, match="wrap the app in AuthMiddleware"):
        ask_asgi(_routes(), "/me")


def test_a_websocket_has_its_user(app: FastAPI) -> None:
    accepted, greeting, *_ = connect(app, "/ws", signed_in())
    assert accepted["type"] == "websocket.accept"
    assert greeting["text"] == "alice"


def test_a_websocket_is_refused_for_nobody_before_it_is_accepted(app: FastAPI) -> None:
    refused, body, *_ = connect(app, "/ws")
    assert refused["type"] == "websocket.http.response.start"
    assert refused["status"] == 401
    assert b"login_required" in body["body"]


def test_the_documentation_shows_the_cookie_where_it_is_needed(app: FastAPI) -> None:
    schema: dict[str, Any] = ask_asgi(app, "/openapi.json").json()
    (scheme,) = schema["components"]["securitySchemes"].items()
    assert scheme[0] == "Session"
    assert {**scheme[1], "description": ""} == {
        "type": "apiKey",
        "in": "cookie",
        "name": make_settings().cookie_name,
        "description": "",
    }
    paths = schema["paths"]
    assert paths["/me"]["get"]["security"] == [{"Session": []}]
    assert paths["/reports"]["get"]["security"] == [{"Session": []}]
    assert "security" not in paths["/open"]["get"]
    assert ask_asgi(app, "/open").json() == "anybody"
    assert all("parameters" not in path["get"] for path in paths.values())
