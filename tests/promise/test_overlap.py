"""A slow request overlaps a logout: row P13."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.looks import user_with
from tests.support.scenarios import logged_out_during_a_request
from tests.support.server import let_pass
from tests.support.stage import stage
from tests.support.wire import answer, fire, under_way

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.browser import Browser

# A roll is due once a tenth of SESSION_IDLE has passed.
IDLE = 10


@pytest.mark.parametrize("workers", [1, 4])
def test_p13_a_slow_request_never_undoes_a_logout(
    tmp_path: Path, browser: Browser, workers: int
) -> None:
    """P13: its answer comes after the logout, and a roll of its session was due."""
    with stage(tmp_path, workers=workers, SESSION_IDLE=str(IDLE), REVOCATION_CHECK="1") as here:
        browser.sign_in(f"{here.url}/members")
        let_pass(IDLE / 10 + 0.2)

        logged_out_during_a_request(here, browser)


def test_p13_a_roll_is_due_in_these_tests(tmp_path: Path, browser: Browser) -> None:
    """P13: otherwise the one above would prove nothing."""
    with stage(tmp_path, SESSION_IDLE=str(IDLE)) as here:
        browser.sign_in(f"{here.url}/members")
        cookie = browser.cookie_header(here.url)
        let_pass(IDLE / 10 + 0.2)
        here.site.open_gate("open")

        (got,) = fire(f"{here.url}/slow?gate=open", cookie=cookie)

        assert got.gives_session
        assert user_with(got.cookie_header, here.url) == "alice"


def test_p13_a_slow_request_of_before_does_not_undo_the_next_sign_in(
    tmp_path: Path, browser: Browser
) -> None:
    """P13: logged out, signed in as somebody else, and only then comes the late answer."""
    with stage(tmp_path, SESSION_IDLE=str(IDLE), REVOCATION_CHECK="1") as here:
        browser.sign_in(f"{here.url}/members")
        cookie = browser.cookie_header(here.url)
        let_pass(IDLE / 10 + 0.2)

        with under_way(f"{here.url}/slow?gate=two", cookie=cookie) as slow:
            here.site.wait_until_entered("two")
            browser.log_out(here.url)
            browser.lose()
            browser.sign_in(f"{here.url}/members", user="bob")
            here.site.open_gate("two")
            late = answer(slow)

        assert not late.sets_anything
        assert browser.user(here.url) == "bob"
