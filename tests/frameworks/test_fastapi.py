"""FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import anyio
import pytest
from fastapi import Depends, FastAPI, WebSocket

from intastellar_auth import User
from intastellar_auth.asgi import AuthMiddleware
from intastellar_auth.fastapi import (
    CurrentUser,
    OptionalUser,
    current_user,
    init_app,
    optional_user,
    require_user,
)
from tests.frameworks.visitors import (
    ISSUER,
    SCRIPT,
    SITE,
    ask_asgi,
    connect,
    is_problem,
    make_settings,
    signed_in,
)
from tests.support.wire import NAVIGATION

if TYPE_CHECKING:
    from starlette.types import Message, Receive

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

    @app.get("/named/{name:path}")
    async def named(name: str, user: CurrentUser) -> str:
        return f"{name} of {user.sub}"

    @app.api_route("/form", methods=["GET", "HEAD", "POST"], include_in_schema=False)
    async def form(user: CurrentUser) -> str:
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
    refused = ask_asgi(app, f"{path}?a=1", SCRIPT)
    assert is_problem(refused, 401, "login_required")
    assert refused.json()["login_url"] == f"{SITE}/auth/login?next={path}%3Fa%3D1"


@pytest.mark.parametrize(
    ("path", "return_to"),
    [
        ("/me", "/me"),
        ("/reports?a=1&b=%C3%BC", "/reports%3Fa%3D1%26b%3D%25C3%25BC"),
        ("/named/caf%C3%A9%2Fx", "/named/caf%25C3%25A9%252Fx"),
    ],
)
def test_a_visitor_who_goes_to_the_page_signs_in_and_comes_back(
    app: FastAPI, path: str, return_to: str
) -> None:
    answer = ask_asgi(app, path)
    assert (answer.status_code, answer.headers["cache-control"]) == (303, "no-store")
    assert answer.headers["location"] == f"/auth/login?next={return_to}"
    who = signed_in(scopes=("read", "list"))
    assert "alice" in ask_asgi(app, path, who).json()


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {}),
        ("HEAD", {}),
        ("GET", {"sec-purpose": "prefetch"}),
        ("GET", {"sec-fetch-dest": "iframe"}),
    ],
)
def test_what_cannot_finish_a_sign_in_is_not_sent_to_one(
    app: FastAPI, method: str, headers: dict[str, str]
) -> None:
    answer = ask_asgi(app, "/form", headers, method=method)
    assert (answer.status_code, "location" in answer.headers) == (401, False)
    assert ask_asgi(app, "/form", headers | signed_in(), method=method).status_code == 200


def test_a_user_without_a_scope_is_not_sent_to_sign_in_for_ever(app: FastAPI) -> None:
    assert is_problem(ask_asgi(app, "/reports", signed_in()), 403, "insufficient_scope")


@pytest.mark.parametrize("root_path", ["/shop", ""])
def test_under_a_base_path_the_visitor_comes_back_to_the_page(root_path: str) -> None:
    app = _routes()
    init_app(app, make_settings(base_url=f"{SITE}/shop", path_prefix="/account"))
    asked: list[Message] = []

    async def send(message: Message) -> None:
        asked.append(message)

    # Without raw_path, as some servers are; with root_path or behind a proxy that took it off.
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"{root_path}/named/caf\xe9",
        "root_path": root_path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in NAVIGATION.items()],
    }
    anyio.run(app, scope, cast("Receive", None), send)  # a GET has no body to ask for
    location = dict(asked[0]["headers"])[b"location"]
    assert location == b"/shop/account/login?next=/shop/named/caf%25C3%25A9"


def test_a_test_of_the_app_may_put_its_own_user_in_the_dependencies_place(app: FastAPI) -> None:
    app.dependency_overrides[current_user] = lambda: User("carol", ISSUER)
    app.dependency_overrides[optional_user] = lambda: User("dave", ISSUER)
    assert ask_asgi(app, "/me").json() == "carol"
    assert ask_asgi(app, "/").json() == "dave"


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
    answer = ask_asgi(app, "/me", SCRIPT)
    assert answer.status_code == 401
    assert answer.json()["detail"]["error"] == "login_required"
    visitor = ask_asgi(app, "/me")
    assert (visitor.status_code, visitor.headers["location"]) == (303, "/auth/login?next=/me")


def test_without_the_middleware_nobody_passes_for_somebody() -> None:
    with pytest.raises(RuntimeError, match=r"AuthMiddleware \(intastellar_auth.fastapi.init_app"):
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
    assert all("parameters" not in paths[path]["get"] for path in ("/", "/me", "/reports", "/open"))
