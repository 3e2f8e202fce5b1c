"""Flask."""

from __future__ import annotations

import pytest
from asgiref.wsgi import WsgiToAsgi
from flask import Flask, render_template_string
from flask.views import View

from intastellar_auth import AnonymousUser
from intastellar_auth.asgi import AuthMiddleware
from intastellar_auth.flask import current_user, init_app, login_required
from tests.frameworks.visitors import (
    ENVIRONMENT,
    SCRIPT,
    SITE,
    ask_asgi,
    ask_wsgi,
    is_problem,
    make_settings,
    signed_in,
)
from tests.support.wire import NAVIGATION

TEMPLATE = "{{ current_user.display_name if current_user.is_authenticated else 'nobody' }}"


class Page(View):
    """A class-based view."""

    decorators = [login_required]  # noqa: RUF012 - as Flask has it

    def dispatch_request(self) -> str:
        """Greet."""
        return f"a page for {current_user.sub}"


def _routes() -> Flask:
    app = Flask(__name__)

    @app.get("/")
    def home() -> str:
        return render_template_string(TEMPLATE)

    @app.route("/members/<name>", methods=["GET", "POST"])
    @login_required
    def members(name: str) -> str:
        return f"{name} for {current_user.sub}"

    @app.get("/later")
    @login_required
    async def later() -> str:
        return f"later for {current_user.sub}"

    @app.get("/reports")
    @login_required(scopes="read list")
    def reports() -> str:
        return "reports"

    app.add_url_rule("/page", view_func=Page.as_view("page"))
    return app


@pytest.fixture
def app() -> Flask:
    """Return an app as the documentation sets it up."""
    app = _routes()
    init_app(app, make_settings())
    return app


def test_a_template_knows_the_user(app: Flask) -> None:
    assert ask_wsgi(app, "/").text == "nobody"
    assert ask_wsgi(app, "/", signed_in(name="Alice Example")).text == "Alice Example"


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/members/list", "list for alice"),
        ("/later", "later for alice"),
        ("/page", "a page for alice"),
    ],
)
def test_a_view_of_any_kind_is_for_signed_in_users(app: Flask, path: str, sentence: str) -> None:
    assert ask_wsgi(app, path, signed_in()).text == sentence
    refused = ask_wsgi(app, path, SCRIPT)
    assert is_problem(refused, 401, "login_required")
    assert refused.json()["login_url"] == f"{SITE}/auth/login?next={path}"


def test_a_visitor_who_goes_to_the_page_signs_in_and_comes_back(app: Flask) -> None:
    # Flask's own client: httpx writes no PATH_INFO of bytes as PEP 3333 has it.
    answer = app.test_client().get("/members/caf%C3%A9?a=1&b=%C3%BC", headers=NAVIGATION)
    assert answer.status_code == 303
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"] == (
        "/auth/login?next=/members/caf%25C3%25A9%3Fa%3D1%26b%3D%25C3%25BC"
    )


def test_a_form_that_is_posted_is_not_sent_to_sign_in(app: Flask) -> None:
    assert is_problem(ask_wsgi(app, "/members/list", method="POST"), 401, "login_required")


def test_a_missing_scope_is_a_403_each_time(app: Flask) -> None:
    """IM-03."""
    for granted in ((), ("read",), ("read list",)):
        answer = ask_wsgi(app, "/reports", signed_in(scopes=granted))
        assert is_problem(answer, 403, "insufficient_scope")
    assert ask_wsgi(app, "/reports", signed_in(scopes=("list", "read"))).text == "reports"
    assert ask_wsgi(app, "/reports").status_code == 303


def test_the_login_path_is_the_settings() -> None:
    app = _routes()
    init_app(app, make_settings(path_prefix="/account", base_url=f"{SITE}/shop"))
    assert ask_wsgi(app, "/later").headers["location"] == "/shop/account/login?next=/shop/later"


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    app = _routes()
    init_app(app)
    assert ask_wsgi(app, "/later", signed_in()).text == "later for alice"


def test_behind_an_asgi_server_the_user_and_the_login_path_are_known_as_well() -> None:
    app = AuthMiddleware(WsgiToAsgi(_routes()), make_settings())  # type: ignore[no-untyped-call]  # asgiref's
    assert ask_asgi(app, "/members/list", signed_in()).text == "list for alice"
    assert ask_asgi(app, "/later").headers["location"] == "/auth/login?next=/later"


def test_without_the_middleware_nobody_passes_for_somebody() -> None:
    with (
        _routes().test_request_context("/", environ_overrides={"REMOTE_USER": "alice"}),
        pytest.raises(
            RuntimeError, match=r"wrap the app in AuthMiddleware \(intastellar_auth.flask"
        ),
    ):
        str(current_user.sub)


def test_outside_a_request_there_is_no_user() -> None:
    with pytest.raises(RuntimeError, match="Working outside of request context"):
        str(current_user.sub)


def test_nobody_is_an_anonymous_user(app: Flask) -> None:
    seen: list[bool] = []

    @app.get("/who")
    def who() -> str:
        seen.append(isinstance(current_user, AnonymousUser))
        return ""

    ask_wsgi(app, "/who")
    assert seen == [True]
