"""Django without a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client, RequestFactory, override_settings

from intastellar_auth import Auth, User
from intastellar_auth.django import UserMiddleware, user_of
from tests.frameworks.django_site import PLAIN, members
from tests.frameworks.visitors import ISSUER, SCRIPT, SITE, is_problem, signed_in
from tests.support.wire import NAVIGATION

if TYPE_CHECKING:
    from tests.frameworks.conftest import Ask


def test_a_template_knows_the_user(plain: Ask) -> None:
    assert plain("/").text == "nobody"
    assert plain("/", signed_in()).text == "alice"


def test_an_asynchronous_view_knows_the_user(plain: Ask) -> None:
    assert plain("/who-later").json()["signed_in"] is False
    assert plain("/who-later", signed_in()).json()["signed_in"] is True


@pytest.mark.parametrize("path", ["/members", "/later", "/page"])
def test_a_view_of_any_kind_is_for_signed_in_users(plain: Ask, path: str) -> None:
    assert plain(path, signed_in()).text == path.removeprefix("/")
    refused = plain(path, SCRIPT)
    assert is_problem(refused, 401, "login_required")
    assert refused.json()["login_url"] == f"{SITE}/auth/login?next={path}"


def test_a_visitor_who_goes_to_the_page_signs_in_and_comes_back(plain: Ask) -> None:
    answer = plain("/members?a=1&b=%C3%BC")
    assert answer.status_code == 302
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"] == "/auth/login?next=/members%3Fa%3D1%26b%3D%25C3%25BC"


def test_the_login_path_is_djangos_setting_where_it_is_set(plain: Ask) -> None:
    with override_settings(LOGIN_URL="/account/login"):
        assert plain("/members").headers["location"] == "/account/login?next=/members"
        told = plain("/members", SCRIPT).json()
        assert told["login_url"] == f"{SITE}/account/login?next=/members"


def test_a_missing_scope_is_a_403_each_time(plain: Ask) -> None:
    """IM-03."""
    for granted in ((), ("read",), ("read list",)):
        answer = plain("/reports", signed_in(scopes=granted))
        assert is_problem(answer, 403, "insufficient_scope")
    assert plain("/reports", signed_in(scopes=("list", "read"))).text == "reports"


@pytest.mark.parametrize("name", ["remote-user", "remote_user", "intastellar.user", "user"])
def test_a_header_signs_nobody_in(plain: Ask, name: str) -> None:
    """HL-03."""
    assert plain("/", {name: "alice"}).text == "nobody"
    assert plain("/members", {name: "alice"}).status_code == 302


@pytest.mark.usefixtures("django")
def test_in_the_tests_of_a_site_nobody_is_signed_in_until_the_test_says_so() -> None:
    with override_settings(**PLAIN):
        assert Client().get("/").content == b"nobody"
        assert Client().get("/members", headers=SCRIPT).status_code == 401
        location = Client().get("/members", headers=NAVIGATION).headers["location"]
    assert location == "/auth/login?next=/members"


@pytest.mark.usefixtures("django")
def test_in_the_tests_of_a_site_the_user_may_be_an_extra_of_djangos_client() -> None:
    extras: dict[str, Any] = {"intastellar.user": User("alice", ISSUER), "intastellar.auth": Auth()}
    with override_settings(**PLAIN):
        assert Client().get("/members", **extras).content == b"members"


@pytest.mark.usefixtures("django")
def test_without_the_middleware_nobody_passes_for_somebody() -> None:
    request = RequestFactory().get("/members", REMOTE_USER="alice")
    with pytest.raises(RuntimeError, match=r"AuthMiddleware \(in wsgi.py and asgi.py"):
        UserMiddleware(members)(request)
    with pytest.raises(RuntimeError, match=r"use django\.test\.Client"):
        user_of(request)


def test_the_user_of_a_request_has_a_type(plain: Ask) -> None:
    assert plain("/typed").text == "None"
    assert plain("/typed", signed_in()).text == "alice"
