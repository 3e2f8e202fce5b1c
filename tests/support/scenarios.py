"""What is played on any stage: by the tests of the promise, and on every server that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.looks import assert_signs_in, leads_to_provider, user_with
from tests.support.provider import costs
from tests.support.server import until
from tests.support.wire import answer, fire, under_way

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser
    from tests.support.stage import Stage
    from tests.support.wire import Got


def fifty_at_once(here: Stage, browser: Browser, callback: str, target: str) -> list[Got]:
    """Send ``callback`` fifty times at once (P2); return the answers."""
    with costs(here.provider, token_requests=1):
        answers = fire(*[callback] * 50, cookie=browser.cookie_header(callback))

        assert_signs_in(answers, here, target)
        assert len({got.location for got in answers}) == 1
    return answers


def ended_by_one_logout(here: Stage, browser: Browser, callback: str, answers: list[Got]) -> None:
    """Log out the one session that all ``answers`` to ``callback`` gave a cookie of (P2).

    ``REVOCATION_CHECK`` is one second here.
    """
    browser.go(callback)
    browser.log_out(here.url)

    def all_have_ended() -> bool:
        return all(user_with(got.cookie_header, here.url) is None for got in answers)

    until(all_have_ended, "the end of all of them", patience=5)


def after_the_window(here: Stage, browser: Browser, callback: str, target: str) -> None:
    """Send ``callback`` again, which was answered a replay window ago (P5)."""
    with costs(here.provider, token_requests=0):
        page = browser.follow(browser.go(callback))

    assert page.url == here.url + target
    assert page.is_success


def starts_again_once(
    here: Stage, browser: Browser, callback: str, target: str, *, token_requests: int
) -> None:
    """Send ``callback``, whose code leads to nothing, and let the sign-in start again (P8, P9).

    ``token_requests`` is what it costs to find out.
    """
    with costs(here.provider, token_requests=token_requests):
        answers = fire(*[callback] * 10, cookie=browser.cookie_header(callback))
        assert all(leads_to_provider(got, here) for got in answers)
    with costs(here.provider, token_requests=1):
        page = browser.follow(browser.go(callback))

    assert page.url == here.url + target
    assert "<h1>Hello alice</h1>" in page.text


def refused_once(here: Stage, browser: Browser) -> None:
    """Let the provider refuse a code that it gave a moment ago (P9)."""
    callback = browser.sign_in_until_callback(f"{here.url}/members/refused")
    here.provider.refuse(times=1)

    starts_again_once(here, browser, callback, "/members/refused", token_requests=1)


def answered_too_late(here: Stage, browser: Browser) -> None:
    """Let the provider take longer than ``HTTP_TIMEOUT``, which is below three seconds (P9)."""
    callback = browser.sign_in_until_callback(f"{here.url}/members/slow")
    here.provider.slow(3)

    starts_again_once(here, browser, callback, "/members/slow", token_requests=1)


def being_exchanged(here: Stage) -> Callable[[], bool]:
    """Return what tells whether the provider has been sent one more code since now."""
    before = here.provider.token_requests()
    return lambda: here.provider.token_requests() > before


def killed_over_the_exchange(
    here: Stage, browser: Browser, target: str, kill: Callable[[], None]
) -> str:
    """Call ``kill`` while a code is being exchanged (P9); return the callback's URL."""
    callback = browser.sign_in_until_callback(here.url + target)
    here.provider.slow(1.5)
    exchanging = being_exchanged(here)
    with (
        costs(here.provider, token_requests=1),
        under_way(callback, cookie=browser.cookie_header(callback)),
    ):
        until(exchanging, "the token request")
        kill()
    return callback


def hung_up(here: Stage, browser: Browser) -> None:
    """Close the connection while the code is being exchanged (P10)."""
    callback = browser.sign_in_until_callback(f"{here.url}/members/gone")
    cookie = browser.cookie_header(callback)
    here.provider.slow(1)
    exchanging = being_exchanged(here)

    with costs(here.provider, token_requests=1):
        with under_way(callback, cookie=cookie):
            until(exchanging, "the token request")
        answers = fire(*[callback] * 3, cookie=cookie)

    assert_signs_in(answers, here, "/members/gone")


def given_up(here: Stage, browser: Browser, **headers: str) -> None:
    """Let something around the request give it up while the code is being exchanged (P10).

    ``headers`` are sent with the requests that are to be given up.
    """
    callback = browser.sign_in_until_callback(f"{here.url}/members/cancelled")
    cookie = browser.cookie_header(callback)
    here.provider.slow(1.5)

    with costs(here.provider, token_requests=1):
        (cancelled,) = fire(callback, cookie=cookie, **headers)
        assert cancelled.status == 504
        until(lambda: fire(callback, cookie=cookie, **headers)[0].status != 504, "the outcome")
        answers = fire(callback, cookie=cookie)

    assert_signs_in(answers, here, "/members/cancelled")


def logged_out_during_a_request(here: Stage, browser: Browser) -> None:
    """Log out while a slow request of the same session, whose roll is due, is under way (P13)."""
    cookie = browser.cookie_header(here.url)

    with under_way(f"{here.url}/slow?gate=one", cookie=cookie) as slow:
        here.site.wait_until_entered("one")
        browser.log_out(here.url)
        here.site.open_gate("one")
        late = answer(slow)

    assert late.status == 200
    assert user_with(late.cookie_header, here.url) is None
    assert browser.user(here.url) is None
