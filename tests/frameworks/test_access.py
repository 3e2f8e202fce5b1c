"""What all the frameworks share."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.access import (
    admit,
    each_scope,
    problem,
    visitor,
)
from intastellar_auth.entrance import Entrance, default_entrance, login_address
from intastellar_auth.errors import ScopeMissing, SignInNeeded
from intastellar_auth.user import ANONYMOUS, NO_AUTH, Auth, User

ALICE = User("alice", "https://id.example.com")
SCOPE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)


def test_somebody_signed_in_passes() -> None:
    assert admit(ALICE, NO_AUTH) is ALICE


def test_nobody_does_not_pass_even_where_scopes_were_granted() -> None:
    with pytest.raises(SignInNeeded):
        admit(ANONYMOUS, Auth(("reports",)), ("reports",))


@given(st.sets(SCOPE), st.sets(SCOPE))
def test_a_user_passes_with_every_scope_that_is_needed_and_only_then(
    granted: set[str], needed: set[str]
) -> None:
    auth = Auth(tuple(granted))
    if needed <= granted:
        assert admit(ALICE, auth, tuple(needed)) is ALICE
    else:
        with pytest.raises(ScopeMissing):
            admit(ALICE, auth, tuple(needed))


def test_scopes_may_be_written_as_oauth_does() -> None:
    assert each_scope("read  write") == each_scope(["read", "write"]) == ("read", "write")
    assert each_scope(scope for scope in ("read", "write")) == ("read", "write")
    assert each_scope("") == each_scope(()) == ()


@pytest.mark.parametrize(
    ("user", "auth"), [(None, None), (ALICE, None), (object(), NO_AUTH), (ALICE, object())]
)
def test_a_request_that_the_middleware_has_not_seen_is_nobodys(user: object, auth: object) -> None:
    with pytest.raises(RuntimeError, match=r"wrap the app in AuthMiddleware \(in wsgi.py\)"):
        visitor(user, auth, "in wsgi.py")


def test_what_is_told_and_what_is_logged_have_the_same_reference(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "intastellar_auth"):
        told = problem(ScopeMissing("not granted: reports"), "/auth/login?next=/")
    assert told["error"] == "insufficient_scope"
    assert "reports" not in told["message"]
    assert "login_url" not in told
    (record,) = caplog.records
    assert told["reference"] in record.getMessage()
    assert "not granted: reports" in record.getMessage()


def test_a_script_for_whom_nobody_has_signed_in_is_no_event_for_a_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "intastellar_auth"):
        told = problem(SignInNeeded("nobody is signed in"), "/auth/login?next=/")
    (record,) = caplog.records
    assert told["reference"] in record.getMessage()
    assert record.levelno == logging.DEBUG
    assert told["login_url"] == "/auth/login?next=/"


def test_an_address_to_return_to_stays_one_parameter() -> None:
    address = login_address("/auth/login", "/a?b=1&next=//evil.example#c")
    assert address == "/auth/login?next=/a%3Fb%3D1%26next%3D//evil.example%23c"


SHOP = Entrance("https://www.example.com", "/shop", "/shop/auth/login")


def test_whoever_has_to_sign_in_is_told_where() -> None:
    url = SHOP.url("/shop/members?a=1")
    told = problem(SignInNeeded("nobody is signed in"), url)
    assert told["login_url"] == (
        "https://www.example.com/shop/auth/login?next=/shop/members%3Fa%3D1"
    )


@pytest.mark.parametrize(
    ("here", "return_to"),
    [
        ("/shop", "/shop"),
        ("/shop/a", "/shop/a"),
        ("/shop?a=1", "/shop%3Fa%3D1"),
        ("/a", "/shop/a"),
        ("/shopping", "/shop/shopping"),
    ],
)
def test_a_base_path_that_a_proxy_took_off_is_put_back(here: str, return_to: str) -> None:
    assert SHOP.path(here) == f"/shop/auth/login?next={return_to}"


def test_without_the_settings_a_sign_in_starts_where_it_does_by_default() -> None:
    assert default_entrance("").url("/a") == "/auth/login?next=/a"
    assert default_entrance("/shop/").path("/shop/a") == "/shop/auth/login?next=/shop/a"


def test_a_login_path_may_be_a_url_of_its_own() -> None:
    elsewhere = Entrance("https://www.example.com", "", "https://login.example.com/start")
    assert elsewhere.url("/a") == "https://login.example.com/start?next=/a"
