"""What a person is shown when a sign-in does not go on by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from intastellar_auth.core import pages
from tests.e2e.looks import assert_visible_page
from tests.support.chromium import enter_name, sign_in
from tests.support.server import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.provider import Certified
    from tests.support.stage import Stage


def test_a_forged_link_shows_a_page_with_a_way_on(here: Stage, page: Page) -> None:
    """P8: and the way on signs in."""
    response = page.goto(f"{here.url}/auth/callback?code=guessed&state=forged")

    assert response is not None
    assert response.status == 400
    assert_visible_page(page)
    page.get_by_role("main").get_by_role("link").first.click()
    enter_name(page)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{here.url}/")


def test_lost_cookies_are_not_noticed(
    here: Stage, provider: Certified, page: Page, profile: BrowserContext
) -> None:
    """P8: the sign-in starts again, the provider knows its user, and nobody sees a page."""
    provider.pause_before_return(pause=True)
    page.goto(f"{here.url}/members/lost")
    enter_name(page)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    profile.clear_cookies(domain="127.0.0.1")
    provider.pause_before_return(pause=False)

    page.get_by_role("button", name="Continue").click()

    expect(page).to_have_url(f"{here.url}/members/lost")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello alice")


def test_a_browser_that_keeps_no_cookies_ends_on_a_page(
    here: Stage, provider: Certified, page: Page, profile: BrowserContext
) -> None:
    """P8: the second failure."""
    provider.pause_before_return(pause=True)
    page.goto(f"{here.url}/members/blocked")
    enter_name(page)
    page.get_by_role("button", name="Sign in").click()
    for _ in range(2):
        expect(page.get_by_role("button", name="Continue")).to_be_visible()
        profile.clear_cookies(domain="127.0.0.1")
        page.get_by_role("button", name="Continue").click()

    page.wait_for_url(f"{here.url}/auth/callback?*")
    assert_visible_page(page)


def test_a_login_that_the_browser_loads_ahead_still_works(here: Stage, page: Page) -> None:
    """P12: Chromium prefetches the login by the page's own speculation rules."""
    page.goto(f"{here.url}/eager")
    prefetched = '"GET /auth/login?next=/members HTTP/1.1" 403'
    until(lambda: prefetched in here.site.server.log(), "the prefetch of the login")

    page.get_by_role("link", name="Sign in").click()
    enter_name(page)
    page.get_by_role("button", name="Sign in").click()

    page.wait_for_url(f"{here.url}/members")


LINES_OF_HYPHENATED_WORDS = """() => {
    const found = [];
    const texts = document.createTreeWalker(document.querySelector("h1"), NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        for (const word of texts.currentNode.data.matchAll(/\\w+-\\w+/g)) {
            const range = document.createRange();
            range.setStart(texts.currentNode, word.index);
            range.setEnd(texts.currentNode, word.index + word[0].length);
            found.push(range.getClientRects().length);
        }
    }
    return found;
}"""


@pytest.mark.parametrize("width", [320, 375, 1024])
@pytest.mark.parametrize("made", [pages.expired, pages.cancelled])
def test_a_title_does_not_break_within_a_word(
    page: Page, made: Callable[..., str], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.set_content(made(reference="ABCD-1234", sign_in="/s", home="/"))
    assert page.evaluate(LINES_OF_HYPHENATED_WORDS) == [1]
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_front_page_is_left_alone(here: Stage, page: Page) -> None:
    """The site's own pages are not changed by the middleware."""
    page.goto(here.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome")
    sign_in(page, f"{here.url}/members")
    page.goto(here.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome")
