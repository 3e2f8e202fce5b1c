"""What all the frameworks share."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.access import (
    admit,
    each_scope,
    login_address,
    problem,
    visitor,
)
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
    with pytest.raises(RuntimeError, match="wrap the app in AuthMiddleware"):
        visitor(user, auth)


def test_what_is_told_and_what_is_logged_have_the_same_reference(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "intastellar_auth"):
        told = problem(ScopeMissing("not granted: reports"))
    assert told["error"] == "insufficient_scope"
    assert "reports" not in told["message"]
    (record,) = caplog.records
    assert told["reference"] in record.getMessage()
    assert "not granted: reports" in record.getMessage()


def test_a_script_for_whom_nobody_has_signed_in_is_no_event_for_a_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "intastellar_auth"):
        told = problem(SignInNeeded("nobody is signed in"))
    (record,) = caplog.records
    assert told["reference"] in record.getMessage()
    assert record.levelno == logging.DEBUG


def test_an_address_to_return_to_stays_one_parameter() -> None:
    address = login_address("/auth/login", "/a?b=1&next=//evil.example#c")
    assert address == "/auth/login?next=/a%3Fb%3D1%26next%3D//evil.example%23c"
