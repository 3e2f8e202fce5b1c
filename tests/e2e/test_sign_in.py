"""What people do to a sign-in: double clicks, reloads, the back button, and cancelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.looks import assert_visible_page
from tests.support.chromium import callbacks_of, enter_name, sign_in
from tests.support.provider import Certified, costs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.stage import Stage


def test_a_person_signs_in_and_is_at_the_page_asked_for(
    here: Stage, provider: Certified, page: Page
) -> None:
    """P1."""
    with costs(provider, token_requests=1):
        sign_in(page, f"{here.url}/members/one?with=query")

    expect(page.get_by_role("heading", level=1)).to_have_text("Hello alice")


def test_a_double_click_on_the_sign_in_button_is_harmless(
    here: Stage, provider: Certified, page: Page
) -> None:
    """P2, P4: the provider may be asked twice, and may give two codes; one is used."""
    with costs(provider, token_requests=1):
        page.goto(f"{here.url}/members/double")
        enter_name(page)
        page.get_by_role("button", name="Sign in").dblclick()
        expect(page).to_have_url(f"{here.url}/members/double")

    expect(page.get_by_role("heading", level=1)).to_have_text("Hello alice")


def at_continue(page: Page, url: str) -> None:
    """Go as far as the provider's last page, whose button leads back to the site."""
    page.goto(url)
    enter_name(page)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()


@pytest.mark.parametrize("seconds", [0, 0.5])
def test_a_double_click_on_the_way_back_sends_one_callback_twice(
    here: Stage, provider: Certified, page: Page, seconds: float
) -> None:
    """P2: the same code and state, the first request given up by the browser."""
    provider.pause_before_return(pause=True)
    provider.slow(seconds)
    callbacks = callbacks_of(page)

    with costs(provider, token_requests=1):
        at_continue(page, f"{here.url}/members/twice")
        page.get_by_role("button", name="Continue").dblclick()
        expect(page).to_have_url(f"{here.url}/members/twice")

    expect(page.get_by_role("heading", level=1)).to_have_text("Hello alice")
    assert len(set(callbacks)) == 1


def test_a_second_press_while_the_first_is_being_worked_on_gets_its_outcome(
    here: Stage, provider: Certified, page: Page
) -> None:
    """P2, P10: two navigations, the second 0.4 seconds behind the first."""
    provider.pause_before_return(pause=True)
    provider.slow(1.5)
    callbacks = callbacks_of(page)

    with costs(provider, token_requests=1):
        at_continue(page, f"{here.url}/members/pressed")
        page.evaluate(
            """() => {
                const press = () => document.forms[0].submit();
                press();
                setTimeout(press, 400);
            }"""
        )
        expect(page).to_have_url(f"{here.url}/members/pressed")

    assert len(callbacks) == 2
    assert callbacks[0] == callbacks[1]


def test_a_stopped_navigation_is_taken_up_again(
    here: Stage, provider: Certified, page: Page
) -> None:
    """P10: the person presses stop in mid-callback, and then the button again."""
    provider.pause_before_return(pause=True)
    provider.slow(1.5)

    with costs(provider, token_requests=1):
        at_continue(page, f"{here.url}/members/stopped")
        with page.expect_event("requestfailed", lambda failed: "/auth/callback?" in failed.url):
            page.evaluate(
                """() => {
                    setTimeout(() => document.forms[0].submit());
                    setTimeout(() => window.stop(), 400);
                }"""
            )
        page.get_by_role("button", name="Continue").click()
        expect(page).to_have_url(f"{here.url}/members/stopped")

    expect(page.get_by_role("heading", level=1)).to_have_text("Hello alice")


def test_the_callback_url_can_be_opened_again(
    here: Stage, provider: Certified, page: Page, profile: BrowserContext
) -> None:
    """P3: reloaded, and restored into another tab of the same browser."""
    callbacks = callbacks_of(page)
    sign_in(page, f"{here.url}/members/reloaded")

    with costs(provider, token_requests=0):
        for tab in (page, profile.new_page()):
            tab.goto(callbacks[0])
            assert tab.url == f"{here.url}/members/reloaded"


def test_back_and_forward_end_in_no_error(here: Stage, provider: Certified, page: Page) -> None:
    """P3: back goes through the provider, which may send the browser straight on again."""
    provider.pause_before_return(pause=True)
    at_continue(page, f"{here.url}/members/moving")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{here.url}/members/moving")

    with costs(provider, token_requests=0):
        page.go_back()
        page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello alice")


def test_a_press_of_the_providers_button_after_going_back_is_harmless(
    here: Stage, provider: Certified, page: Page
) -> None:
    """P3: the page of the provider is still there, with the same code behind its button."""
    provider.pause_before_return(pause=True)
    at_continue(page, f"{here.url}/members/back")
    form = page.locator("form").evaluate("form => form.outerHTML")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{here.url}/members/back")

    with costs(provider, token_requests=0):
        page.goto(f"{provider.issuer}/_log")
        page.set_content(form)
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url(f"{here.url}/members/back")

    expect(page.get_by_role("heading", level=1)).to_have_text("Hello alice")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_tabs_finish_in_either_order(
    here: Stage, provider: Certified, profile: BrowserContext, order: Sequence[int]
) -> None:
    """P11: each lands where it wanted."""
    provider.pause_before_return(pause=True)
    tabs = [profile.new_page(), profile.new_page()]
    for number, tab in enumerate(tabs):
        tab.goto(f"{here.url}/members/tab-{number}")

    with costs(provider, token_requests=2):
        for number in order:
            tab = tabs[number]
            enter_name(tab)
            tab.get_by_role("button", name="Sign in").click()
            tab.get_by_role("button", name="Continue").click()
            tab.wait_for_url(f"{here.url}/members/tab-{number}")


def test_the_callback_url_in_another_profile_offers_to_sign_in(
    here: Stage, provider: Certified, page: Page, other_profile: BrowserContext
) -> None:
    """P7."""
    callbacks = callbacks_of(page)
    sign_in(page, f"{here.url}/members")
    elsewhere = other_profile.new_page()

    with costs(provider, token_requests=0):
        response = elsewhere.goto(callbacks[0])

    assert response is not None
    assert 400 <= response.status < 500
    assert_visible_page(elsewhere)
    assert not [cookie for cookie in other_profile.cookies() if cookie.get("name") == "intastellar"]
    elsewhere.get_by_role("link").first.click()
    expect(elsewhere.get_by_label("User name")).to_be_visible()


def test_cancelling_ends_on_a_page_with_a_way_on(here: Stage, page: Page) -> None:
    """``access_denied``: no loop back to the provider."""
    page.goto(f"{here.url}/members")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url(f"{here.url}/auth/callback?*")

    assert_visible_page(page)
    expect(page.get_by_text("access_denied")).to_have_count(0)
    page.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_going_back_after_cancelling_and_signing_in_works(here: Stage, page: Page) -> None:
    """A refused attempt does not stand in the way of the next."""
    page.goto(f"{here.url}/members")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url(f"{here.url}/auth/callback?*")

    sign_in(page, f"{here.url}/members")

    expect(page.get_by_role("heading", level=1)).to_have_text("Hello alice")
