"""The tree of errors is as its module draws it, and tells a visitor nothing but its sentence."""

from __future__ import annotations

import re

import pytest

from intastellar_auth import errors
from intastellar_auth.errors import AuthError, SettingsError, SignInRefused

_DRAWN = re.compile(r"^ {4}([│├└─ ]*)(\w+)(?: +(\d{3}))?(?:  .*)?$", re.MULTILINE)


EVERY: list[type[AuthError]] = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, AuthError)
]
each_error = pytest.mark.parametrize("error", EVERY, ids=lambda error: error.__name__)


def made(error: type[AuthError], detail: str) -> AuthError:
    """Return an ``error`` with ``detail``."""
    if issubclass(error, SignInRefused):
        return error(detail, provider_error="access_denied")
    return error(detail)


def test_the_drawing_shows_every_error_under_its_parent_with_its_status() -> None:
    parents: list[str] = []
    drawn: dict[str, tuple[str, int | None]] = {}
    for branches, name, status in _DRAWN.findall(errors.__doc__ or ""):
        depth = len(branches) // 4
        parents[depth:] = [name]
        drawn[name] = (
            parents[depth - 1] if depth else "Exception",
            int(status) if status else None,
        )
    assert drawn.keys() == {error.__name__ for error in EVERY}
    for error in EVERY:
        parent, status = drawn[error.__name__]
        assert error.__base__ is not None
        assert error.__base__.__name__ == parent
        assert status in (error.status, None)


@each_error
def test_an_error_carries_its_detail_for_the_log(error: type[AuthError]) -> None:
    raised = made(error, "the detail")
    assert raised.detail == str(raised) == "the detail"


@each_error
def test_an_error_has_a_code_a_status_and_a_sentence(error: type[AuthError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
    assert 400 <= error.status < 600
    assert re.fullmatch(r"[A-Z][a-z ,.A-Z-]+\.", error.sentence)


def test_codes_are_told_apart_where_answers_are() -> None:
    """``AnswerInvalid`` is to a visitor what any mistake of the provider is.

    And ``LogoutRefused`` has the ``error`` that Back-Channel Logout section 2.8 gives it.
    """
    alike = (errors.AnswerInvalid, errors.LogoutRefused)
    codes = [error.code for error in EVERY if error not in alike]
    assert len(set(codes)) == len(codes)


def test_only_what_may_work_in_a_moment_is_a_503() -> None:
    """RFC 9110 section 15.6.4: our answer then says when to try again."""
    assert {error.__name__ for error in EVERY if error.status == 503} == {
        *("ProviderBusy", "ProviderUnreachable", "ProviderTimeout", "StoreUnavailable"),
    }


def test_the_error_for_a_site_s_owner_is_none_that_a_visitor_can_cause() -> None:
    assert SettingsError.__subclasses__() == []
    assert SettingsError.__base__ is AuthError


def test_what_the_provider_said_is_known_by_its_code() -> None:
    """RFC 6749 section 4.1.2.1."""
    assert SignInRefused("x", provider_error="login_required").provider_error == "login_required"
