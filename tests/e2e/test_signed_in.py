"""What scripts, sockets and logout do once, or before, somebody is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.looks import assert_visible_page
from tests.support.chromium import callbacks_of, sign_in
from tests.support.provider import Certified, costs
from tests.support.site import Client
from tests.support.stage import Stage, stage

if TYPE_CHECKING:
    from pathlib import Path


FETCH = """async (path) => {
    const response = await fetch(path);
    return {status: response.status, url: response.url, body: await response.json()};
}"""

SOCKET = """(path) => new Promise((resolve) => {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + path);
    socket.onmessage = (event) => resolve(JSON.parse(event.data));
    socket.onclose = (event) => resolve({closed: event.code});
})"""


def test_a_script_gets_401_with_the_login_url_not_a_redirect(here: Stage, page: Page) -> None:
    """A fetch that is redirected to another site fails in a way no script can explain."""
    page.goto(here.url)

    answer = page.evaluate(FETCH, "/api/me")

    assert answer["status"] == 401
    assert answer["url"] == f"{here.url}/api/me"
    assert "/auth/login" in str(answer["body"])


def test_a_script_of_somebody_signed_in_gets_its_answer(here: Stage, page: Page) -> None:
    """The cookie is not readable by the script, and sent all the same."""
    sign_in(page, f"{here.url}/members")

    answer = page.evaluate(FETCH, "/api/me")

    assert answer["status"] == 200
    assert answer["body"]["sub"] == "alice"
    assert "authenticated" in answer["body"]["scopes"]
    assert page.evaluate("document.cookie") == ""


def test_a_websocket_greets_the_user(here: Stage, page: Page) -> None:
    """The handshake carries the cookie."""
    sign_in(page, f"{here.url}/members")

    assert page.evaluate(SOCKET, "/ws") == {"sub": "alice"}
    assert page.evaluate(SOCKET, "/members/ws") == {"sub": "alice"}


def test_a_websocket_without_a_user_is_anonymous_or_refused(here: Stage, page: Page) -> None:
    """A protected one is refused before it is accepted."""
    page.goto(here.url)

    assert page.evaluate(SOCKET, "/ws") == {"sub": None}
    assert page.evaluate(SOCKET, "/members/ws") == {"closed": 1006}


def test_a_websocket_from_another_site_is_anonymous(
    here: Stage, provider: Certified, page: Page
) -> None:
    """Cross-site WebSocket hijacking: the same address under another name is another origin."""
    sign_in(page, f"{here.url}/members")
    page.goto(f"{provider.issuer}/_log")
    elsewhere = SOCKET.replace("location.origin.replace('http', 'ws')", "''")

    seen = page.evaluate(elsewhere, here.url.replace("http", "ws") + "/ws")

    assert seen == {"sub": None}


def test_a_logout_ends_the_session_here_and_at_the_provider(
    here: Stage, provider: Certified, page: Page
) -> None:
    """The next sign-in asks for the name again, and the old callback brings nothing back (P6)."""
    callbacks = callbacks_of(page)
    sign_in(page, f"{here.url}/members")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{provider.issuer}/session/end?*")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{here.url}/")

    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome")
    assert page.evaluate(FETCH, "/api/me")["status"] == 401
    with costs(provider, token_requests=0):
        page.goto(callbacks[0])
    page.goto(f"{here.url}/members")
    expect(page.get_by_label("User name")).to_be_visible()


def test_a_logout_that_another_site_asks_for_is_confirmed_first(
    here: Stage, provider: Certified, page: Page
) -> None:
    """Cross-site request forgery of a logout: a page with a button, and still signed in."""
    sign_in(page, f"{here.url}/members")
    page.goto(f"{provider.issuer}/_log")
    page.evaluate("(url) => { location.href = url }", f"{here.url}/auth/logout")
    page.wait_for_url(f"{here.url}/auth/logout")

    assert_visible_page(page)
    page.goto(f"{here.url}/members")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello alice")


def test_the_confirmation_of_a_logout_logs_out(
    here: Stage, provider: Certified, page: Page
) -> None:
    """Its button works under its own content security policy."""
    sign_in(page, f"{here.url}/members")
    page.goto(f"{provider.issuer}/_log")
    page.evaluate("(url) => { location.href = url }", f"{here.url}/auth/logout")
    page.wait_for_url(f"{here.url}/auth/logout")
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url(f"{provider.issuer}/session/end?*")

    page.goto(here.url)
    assert page.evaluate(FETCH, "/api/me")["status"] == 401


def test_form_post_signs_in_across_sites(tmp_path: Path, profile: BrowserContext) -> None:
    """``response_mode=form_post``: the callback is a POST from another site.

    Only a cookie with SameSite=None is sent with it, and only Secure ones may have that. Chromium
    takes Secure cookies from plain http on loopback, by 127.0.0.1 and by localhost.
    """
    with stage(tmp_path, by="certified", RESPONSE_MODE="form_post") as here:
        page = profile.new_page()
        with costs(here.provider, token_requests=1):
            sign_in(page, f"{here.url}/members/posted?a=b")
        expect(page.get_by_role("heading", level=1)).to_have_text("Hello alice")


def test_a_public_client_signs_in(tmp_path: Path, profile: BrowserContext) -> None:
    """No secret: PKCE alone."""
    with stage(tmp_path, by="certified", client=Client(secret=None)) as here:
        page = profile.new_page()
        with costs(here.provider, token_requests=1):
            sign_in(page, f"{here.url}/members")


def test_strict_cookies_sign_in_without_a_loop(tmp_path: Path, profile: BrowserContext) -> None:
    """CK-21: the page asked for is reached by a navigation of the site's own."""
    with stage(tmp_path, by="certified", COOKIE_SAMESITE="strict") as here:
        page = profile.new_page()
        with costs(here.provider, token_requests=1):
            sign_in(page, f"{here.url}/members/strict?a=b")
        expect(page.get_by_role("heading", level=1)).to_have_text("Hello alice")
        assert page.url == f"{here.url}/members/strict?a=b"
