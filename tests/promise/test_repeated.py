"""One callback, delivered once, twice, or fifty times at once: rows P1 to P6."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.support.browser import Browser
from tests.support.looks import assert_signs_in, user_with
from tests.support.provider import costs
from tests.support.scenarios import after_the_window, ended_by_one_logout, fifty_at_once
from tests.support.server import let_pass, until
from tests.support.stage import Stage, stage
from tests.support.wire import fire

if TYPE_CHECKING:
    from pathlib import Path


def test_p01_a_callback_signs_in_and_ends_at_the_page_asked_for(
    anywhere: Stage, browser: Browser
) -> None:
    """P1."""
    with costs(anywhere.provider, token_requests=1):
        page = browser.sign_in(f"{anywhere.url}/members/one?with=query")

    assert page.url == f"{anywhere.url}/members/one?with=query"
    assert "<h1>Hello alice</h1>" in page.text


def test_p02_fifty_identical_callbacks_at_once_ten_times_in_a_row(anywhere: Stage) -> None:
    """P2: one token request, fifty equal redirects, fifty cookies of one session."""
    workers: set[int] = set()
    for run in range(10):
        with Browser() as browser:
            target = f"/members/{run}"
            callback = browser.sign_in_until_callback(anywhere.url + target)

            answers = fifty_at_once(anywhere, browser, callback, target)

            workers |= {int(got.worker) for got in answers}
    assert workers == anywhere.site.pids()


def test_p02_the_fifty_cookies_are_of_one_session(anywhere: Stage, browser: Browser) -> None:
    """P2: one logout ends them all, in every process, within REVOCATION_CHECK seconds."""
    callback = browser.sign_in_until_callback(f"{anywhere.url}/members")
    answers = fifty_at_once(anywhere, browser, callback, "/members")

    ended_by_one_logout(anywhere, browser, callback, answers)


def test_p03_a_reload_gets_the_same_redirect_and_the_session_again(
    anywhere: Stage, browser: Browser
) -> None:
    """P3: also where the browser never saw the first answer."""
    with costs(anywhere.provider, token_requests=1):
        callback = browser.sign_in_until_callback(f"{anywhere.url}/members/again")
        before = browser.cookie_header(callback)

        answers = [fire(callback, cookie=before)[0] for _ in range(3)]

    assert_signs_in(answers, anywhere, "/members/again")


def test_p03_a_reload_with_the_cookies_of_the_first_answer_is_the_same(
    anywhere: Stage, browser: Browser
) -> None:
    """P3: the browser did get the first answer, and its user pressed reload, or the back button."""
    with costs(anywhere.provider, token_requests=1):
        callback = browser.sign_in_until_callback(f"{anywhere.url}/members/back")
        first = browser.go(callback)

        for _ in range(3):
            again = browser.go(callback)

            assert again.headers["location"] == first.headers["location"]
            assert user_with(browser.cookie_header(callback), anywhere.url) == "alice"


def test_p03_a_lost_session_cookie_comes_back_with_the_reload(
    anywhere: Stage, browser: Browser
) -> None:
    """P3: the receipt is enough."""
    callback = browser.sign_in_until_callback(f"{anywhere.url}/members")
    browser.go(callback)
    browser.lose("intastellar")
    assert browser.user(anywhere.url) is None

    with costs(anywhere.provider, token_requests=0):
        browser.go(callback)

    assert browser.user(anywhere.url) == "alice"


def test_p04_another_code_for_the_same_state_is_never_sent(
    anywhere: Stage, browser: Browser
) -> None:
    """P4: one after the other."""
    with costs(anywhere.provider, token_requests=1):
        one, other = two_codes(anywhere, browser)
        cookie = browser.cookie_header(one)

        answers = [fire(url, cookie=cookie)[0] for url in (one, other, one, other)]

    assert_signs_in(answers, anywhere, "/members/two")


def test_p04_two_codes_for_one_state_at_once_make_one_session(
    anywhere: Stage, browser: Browser
) -> None:
    """P4: all at once."""
    with costs(anywhere.provider, token_requests=1):
        one, other = two_codes(anywhere, browser)

        answers = fire(*[one, other] * 10, cookie=browser.cookie_header(one))

    assert_signs_in(answers, anywhere, "/members/two")


def two_codes(where: Stage, browser: Browser) -> tuple[str, str]:
    """Return two callback URLs with the same state and two genuine codes, neither asked for yet."""
    login = browser.go(f"{where.url}/auth/login?next=/members/two")
    one = browser.until_callback(login)
    other = browser.until_callback(browser.go(login.headers["location"]))
    codes = [httpx.URL(url).params["code"] for url in (one, other)]
    states = [httpx.URL(url).params["state"] for url in (one, other)]
    assert codes[0] != codes[1]
    assert states[0] == states[1]
    return one, other


def test_p05_after_the_window_the_same_callback_leads_to_the_page_asked_for(
    tmp_path: Path, browser: Browser
) -> None:
    """P5."""
    with stage(tmp_path, REPLAY_WINDOW="1") as here:
        callback = browser.sign_in_until_callback(f"{here.url}/members/late")
        browser.go(callback)
        let_pass(1.2)

        after_the_window(here, browser, callback, "/members/late")


def test_p06_after_a_logout_the_callback_brings_no_session_back(
    anywhere: Stage, browser: Browser
) -> None:
    """P6: neither to the browser as it is now, nor to its cookies of before the logout."""
    callback = browser.sign_in_until_callback(f"{anywhere.url}/members")
    fresh = browser.cookie_header(callback)
    browser.go(callback)
    signed_in = browser.cookie_header(callback)
    browser.log_out(anywhere.url)

    with costs(anywhere.provider, token_requests=0):
        for cookie in (browser.cookie_header(callback), fresh, signed_in):
            for got in fire(*[callback] * 8, cookie=cookie):
                assert not got.gives_session, got
                assert got.status < 500
        browser.go(callback)

    assert browser.user(anywhere.url) is None


def test_p06_a_copy_of_the_cookie_is_worth_nothing_after_the_logout(
    anywhere: Stage, browser: Browser
) -> None:
    """P6: within REVOCATION_CHECK seconds, in every process."""
    browser.sign_in(f"{anywhere.url}/members")
    copy = browser.cookie_header(anywhere.url)
    assert user_with(copy, anywhere.url) == "alice"
    browser.log_out(anywhere.url)
    user = f"{anywhere.url}/auth/user"
    workers = anywhere.site.pids()
    refusing: set[int] = set()

    def ended_everywhere() -> bool:
        answers = fire(*[user] * 20, cookie=copy)
        if any(got.status == 200 for got in answers):
            refusing.clear()
        else:
            refusing.update(int(got.worker) for got in answers)
        return refusing == workers

    until(ended_everywhere, "the end of the copy", patience=5)
