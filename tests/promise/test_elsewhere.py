"""A callback that is not this browser's, not in time, or not meant: rows P7, P8 and P12."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.looks import assert_safe_page, leads_to_provider
from tests.support.provider import costs
from tests.support.scenarios import starts_again_once
from tests.support.server import let_pass
from tests.support.stage import Stage, stage
from tests.support.wire import fire

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.browser import Browser

PREFETCHES = [
    {"sec_purpose": "prefetch"},
    {"sec_purpose": "prefetch;prerender"},
    {"sec_purpose": "prefetch;anonymous-client-ip"},
    {"purpose": "prefetch"},
]


def test_p07_a_finished_callback_in_another_browser_offers_to_sign_in(
    anywhere: Stage, browser: Browser
) -> None:
    """P7: leaked, mailed, or read in a log."""
    callback = browser.sign_in_until_callback(f"{anywhere.url}/members")
    browser.go(callback)

    with costs(anywhere.provider, token_requests=0):
        for got in fire(*[callback] * 8, cookie=""):
            assert 400 <= got.status < 500
            assert_safe_page(got, anywhere)

    assert browser.user(anywhere.url) == "alice"


def test_p07_a_finished_callback_changes_nothing_for_somebody_else_who_is_signed_in(
    anywhere: Stage, browser: Browser, stranger: Browser
) -> None:
    """P7: no sign-in of the victim as the attacker (RFC 6749 section 10.12)."""
    callback = browser.sign_in_until_callback(f"{anywhere.url}/members")
    browser.go(callback)
    stranger.sign_in(f"{anywhere.url}/members", user="bob")

    with costs(anywhere.provider, token_requests=0):
        stranger.go(callback)

    assert stranger.user(anywhere.url) == "bob"


def test_p07_an_unfinished_callback_in_another_browser_never_signs_it_in_with_that_code(
    anywhere: Stage, browser: Browser, stranger: Browser
) -> None:
    """P7: the attacker keeps their own code unused and sends it to the victim."""
    callback = browser.sign_in_until_callback(f"{anywhere.url}/members")

    with costs(anywhere.provider, token_requests=0):
        stranger.go(callback)

    assert stranger.user(anywhere.url) is None


def test_p08_lost_cookies_start_again_once_and_end_at_the_page_asked_for(
    anywhere: Stage, browser: Browser
) -> None:
    """P8."""
    target = "/members/far?away=1"
    callback = browser.sign_in_until_callback(anywhere.url + target)
    browser.lose(*login_cookies(browser, callback))

    starts_again_once(anywhere, browser, callback, target, token_requests=0)


def login_cookies(browser: Browser, url: str) -> list[str]:
    """Return the names of the cookies that the site has set so far."""
    host = httpx.URL(url).host
    return [cookie.name for cookie in browser.cookies() if cookie.domain == host]


def test_p08_a_login_left_open_too_long_starts_again_once(tmp_path: Path, browser: Browser) -> None:
    """P8: LOGIN_TIMEOUT has passed, the login cookie is still there or has expired."""
    with stage(tmp_path, LOGIN_TIMEOUT="3") as here:
        callback = browser.sign_in_until_callback(f"{here.url}/members/patient")
        with_cookie = browser.cookie_header(callback)
        let_pass(3.2)

        with costs(here.provider, token_requests=0):
            (restart,) = fire(callback, cookie=with_cookie)
            assert leads_to_provider(restart, here)
        starts_again_once(here, browser, callback, "/members/patient", token_requests=0)


def test_p08_blocked_cookies_end_on_a_safe_page_not_in_a_loop(
    anywhere: Stage, browser: Browser
) -> None:
    """P8: the second failure of one sign-in is a page."""
    callback = browser.sign_in_until_callback(f"{anywhere.url}/members")

    with costs(anywhere.provider, token_requests=0):
        (first,) = fire(callback, cookie="")
        assert leads_to_provider(first, anywhere)
        again = browser.until_callback(browser.go(first.location))
        (second,) = fire(again, cookie="")

    assert_safe_page(second, anywhere)


@pytest.mark.parametrize("spoil", [lambda _: "guessed", lambda s: s[:-6] + "AAAAAA", lambda _: ""])
def test_p08_a_forged_state_is_refused(anywhere: Stage, browser: Browser, spoil: object) -> None:
    """P8 is for what was genuine: anything else is a page, and starts nothing."""
    assert callable(spoil)
    callback = httpx.URL(browser.sign_in_until_callback(f"{anywhere.url}/members"))
    forged = callback.copy_set_param("state", spoil(callback.params["state"]))

    with costs(anywhere.provider, token_requests=0):
        for cookie in ("", browser.cookie_header(str(callback))):
            (got,) = fire(str(forged), cookie=cookie)
            assert got.status == 400
            assert_safe_page(got, anywhere)


@pytest.mark.parametrize("prefetch", PREFETCHES)
def test_p12_a_prefetched_login_sets_nothing(anywhere: Stage, prefetch: dict[str, str]) -> None:
    """P12."""
    for path in ("/auth/login?next=/members", "/members"):
        (got,) = fire(anywhere.url + path, cookie="", **prefetch)

        assert 400 <= got.status < 500
        assert not got.sets_anything


@pytest.mark.parametrize("prefetch", PREFETCHES)
def test_p12_a_prefetched_callback_consumes_nothing(
    anywhere: Stage, browser: Browser, prefetch: dict[str, str]
) -> None:
    """P12: and the navigation that follows signs in."""
    callback = browser.sign_in_until_callback(f"{anywhere.url}/members")
    cookie = browser.cookie_header(callback)

    with costs(anywhere.provider, token_requests=0):
        (got,) = fire(callback, cookie=cookie, **prefetch)
        assert 400 <= got.status < 500
        assert not got.sets_anything

    with costs(anywhere.provider, token_requests=1):
        browser.go(callback)
    assert browser.user(anywhere.url) == "alice"


def test_p12_a_head_consumes_nothing(anywhere: Stage, browser: Browser) -> None:
    """P12: link checkers and chat previews ask this way."""
    callback = browser.sign_in_until_callback(f"{anywhere.url}/members")
    login = f"{anywhere.url}/auth/login?next=/members"

    with costs(anywhere.provider, token_requests=0):
        for url in (callback, login):
            (got,) = fire(url, cookie=browser.cookie_header(url), method="HEAD")
            assert got.status in (200, 204)
            assert not got.sets_anything

    with costs(anywhere.provider, token_requests=1):
        browser.go(callback)
    assert browser.user(anywhere.url) == "alice"
