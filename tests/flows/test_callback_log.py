"""What the operator reads when a callback signs nobody in: the reason, each its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from intastellar_auth.core.effects import Add, Get, Put

from .kept_outcome import keep_outcome
from .stage import CODE, Browser, Stage, make_stage


@pytest.fixture
def stage(caplog: pytest.LogCaptureFixture) -> Stage:
    caplog.set_level("INFO", "intastellar_auth")
    return make_stage()


def post(stage: Stage) -> None:
    path, _, query = stage.begin().partition("?")
    stage.ask(stage.browser.request(path, "POST", body=query.encode()))


def come_with_nothing(stage: Stage) -> None:
    stage.go(stage.begin().replace(f"code={CODE}", "x=y"))


def come_without_a_cookie(stage: Stage) -> None:
    callback = stage.begin()
    stage.browser = Browser()
    stage.go(callback)


def come_late(stage: Stage) -> None:
    callback = stage.begin()
    stage.hand.clock.now += 1800
    stage.go(callback)


def come_without_a_cookie_twice(stage: Stage) -> None:
    callback = stage.begin()
    stage.browser = Browser()
    again = stage.approve(stage.go(callback), "code-2", {})
    stage.browser = Browser()
    stage.go(again)


def come_with_an_error_and_no_cookie(stage: Stage) -> None:
    callback = stage.begin().replace(f"code={CODE}", "error=access_denied")
    stage.browser = Browser()
    stage.go(callback)


def come_after_a_crash(stage: Stage) -> None:
    callback = stage.begin()
    worker = stage.run(stage.browser.request(callback))
    stage.hand.until(worker, Add)
    stage.hand.step(worker)
    stage.hand.crash(worker)
    stage.go(callback)


def come_where_another_version_was(stage: Stage) -> None:
    callback = stage.begin()
    keep_outcome(stage, callback, b"\xc1")
    stage.go(callback)


def come_after_a_logout(stage: Stage) -> None:
    callback = stage.begin()
    before = dict(stage.browser.cookies)
    stage.go(callback)
    stage.go("/auth/logout")
    stage.browser.cookies = before
    stage.go(callback)


def come_from_another_browser_when_it_is_done(stage: Stage) -> None:
    callback = stage.begin()
    stage.go(callback)
    stage.browser = Browser()
    stage.go(callback)


TWICE = (
    "the sign-in cannot be finished, for the second time: its login cookie is gone; does the "
    "browser take cookies, and open the site at INTASTELLAR_BASE_URL (https://site.example)?"
)


@pytest.mark.parametrize(
    ("line", "come", "why"),
    [
        ("WARNING refused", post, "the response came by POST; RESPONSE_MODE says otherwise"),
        ("WARNING refused", come_with_nothing, "the response has neither a code nor an error"),
        ("INFO sign_in_started_again", come_without_a_cookie, "its login cookie is gone"),
        ("INFO sign_in_started_again", come_late, "it took too long"),
        (
            "INFO sign_in_started_again",
            come_after_a_crash,
            "whoever claimed the work died over it",
        ),
        (
            "INFO sign_in_started_again",
            come_where_another_version_was,
            "its outcome cannot be read",
        ),
        (
            "WARNING refused",
            come_without_a_cookie_twice,
            TWICE,
        ),
        (
            "WARNING refused",
            come_with_an_error_and_no_cookie,
            "an error of the provider came without a login cookie",
        ),
        ("WARNING refused", come_after_a_logout, "the session that the callback gave has ended"),
        (
            "WARNING refused",
            come_from_another_browser_when_it_is_done,
            "the callback was finished before, and this browser has no receipt of it",
        ),
    ],
)
def test_the_log_says_why_a_callback_signs_nobody_in(
    stage: Stage,
    caplog: pytest.LogCaptureFixture,
    line: str,
    come: Callable[[Stage], None],
    why: str,
) -> None:
    """A page with a reference at a level that is written where nobody has configured logging."""
    level, _, event = line.partition(" ")
    come(stage)
    last = caplog.records[-1]
    assert last.levelname == level
    assert last.getMessage().startswith(f"event={event} ")
    field = "detail" if event == "refused" else "because"
    assert last.getMessage().endswith(f' {field}="{why}"')


def test_the_log_says_which_session_was_not_held_against_the_store_and_why(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    running = stage.run(stage.browser.request(stage.begin()))
    stage.hand.until(running, Put)
    stage.hand.refused = {Get}
    stage.hand.finish(running)
    (line,) = (one for one in caplog.records if one.levelname == "WARNING")
    assert line.getMessage() == ('event=revocation_not_checked detail="the store does not getmany"')
