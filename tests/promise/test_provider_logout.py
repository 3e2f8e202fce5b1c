"""A logout at the provider ends the sessions here, in every worker and within a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.browser import Browser
from tests.support.forms import forms
from tests.support.provider import Certified
from tests.support.provider_logout import (
    assert_signed_in,
    assert_signed_out_in_time,
    told_by_certified,
    told_by_strict,
)
from tests.support.server import until
from tests.support.wire import answer, under_way

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Kind
    from tests.support.stage import Stage

KINDS: list[Kind] = ["uvicorn", "gunicorn-gthread"]


def cookie_of(browser: Browser, here: Stage, user: str = "alice") -> str:
    """Sign in, and return a copy of the cookies: what becomes of the browser's own is no matter."""
    browser.sign_in(f"{here.url}/members", user=user)
    return browser.cookie_header(here.url)


def sign_out_by_order(here: Stage) -> int:
    """Let an administrator end all of alice's sessions; return how many there were."""
    order = f"{here.provider.issuer}/_dev/sign-out"
    answered = httpx.post(order, json={"sub": "alice"}, trust_env=False)
    return int(answered.json()["ended"])


def sign_out_at_the_provider(browser: Browser, here: Stage) -> None:
    """Go to the provider and sign out there; the site is not asked for anything."""
    assert isinstance(here.provider, Certified)
    page = browser.go(f"{here.provider.issuer}/session/end")
    answered = browser.submit(page, forms(page.text)[0], logout="yes")
    assert answered.status_code == 303, answered.text
    assert here.provider.count("backchannel_errors") == 0


@pytest.mark.parametrize("kind", KINDS)
def test_an_administrator_at_the_provider_signs_a_user_out_everywhere(
    tmp_path: Path, browser: Browser, stranger: Browser, kind: Kind
) -> None:
    """BL-01, CF-K01: two sessions of alice's, and one of bob's, who stays."""
    with told_by_strict(tmp_path, kind=kind, workers=4) as here, Browser() as phone:
        ended = [cookie_of(one, here) for one in (browser, phone)]
        kept = cookie_of(stranger, here, user="bob")
        for cookie in (*ended, kept):
            assert_signed_in(here, cookie)

        assert sign_out_by_order(here) == 2

        for cookie in ended:
            assert_signed_out_in_time(here, cookie)
        assert_signed_in(here, kept)
        assert here.site.server.log().count("signed_out_by_provider") == 2


@pytest.mark.parametrize("sessions", ["cookie", "server"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_logout_at_a_certified_provider_ends_the_session_and_no_other(
    tmp_path: Path, browser: Browser, stranger: Browser, kind: Kind, sessions: str
) -> None:
    """BL-01, CF-K01: alice stays signed in on another device."""
    with told_by_certified(
        tmp_path, kind=kind, workers=4, names_session=True, SESSION_MODE=sessions
    ) as here:
        ended, kept = cookie_of(browser, here), cookie_of(stranger, here)
        for cookie in (ended, kept):
            assert_signed_in(here, cookie)

        sign_out_at_the_provider(browser, here)

        assert_signed_out_in_time(here, ended)
        assert_signed_in(here, kept)


@pytest.mark.parametrize("sessions", ["cookie", "server"])
def test_a_certified_provider_that_names_the_user_ends_all_sessions_and_not_the_next(
    tmp_path: Path, browser: Browser, stranger: Browser, sessions: str
) -> None:
    """BL-02: and this one does not tell when a user signed in."""
    with told_by_certified(
        tmp_path, kind="uvicorn", workers=4, names_session=False, SESSION_MODE=sessions
    ) as here:
        ended = [cookie_of(one, here) for one in (browser, stranger)]
        for cookie in ended:
            assert_signed_in(here, cookie)

        sign_out_at_the_provider(browser, here)

        for cookie in ended:
            assert_signed_out_in_time(here, cookie)
        again = cookie_of(stranger, here)
        assert_signed_in(here, again)


@pytest.mark.parametrize("kind", KINDS)
def test_a_logout_that_overtakes_the_callback_leaves_no_session(
    tmp_path: Path, browser: Browser, kind: Kind
) -> None:
    """BL-14: the tokens are given, their answer is under way, and then comes the logout.

    No claim is wanted that userinfo would have to tell: the access token has ended as well.
    """
    with told_by_strict(tmp_path, kind=kind, workers=4, CLAIMS="sub") as here:
        provider = here.provider
        callback = browser.sign_in_until_callback(f"{here.url}/members")
        provider.slow(2.0)

        with under_way(callback, cookie=browser.cookie_header(callback)) as waiting:
            until(lambda: provider.token_requests() == 1, "the token request")
            sign_out_by_order(here)
            got = answer(waiting)

        assert got.status == 400
        assert not got.gives_session
