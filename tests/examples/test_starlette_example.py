"""The Starlette example does what its pages and its README.md say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.support.forms import forms

if TYPE_CHECKING:
    from tests.support.browser import Browser


def test_anybody_can_read_the_front_page(site: str, browser: Browser) -> None:
    page = browser.go(f"{site}/")
    assert page.status_code == 200
    assert "Anybody can read this page" in page.text


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/members", "Hello Alice Example. Only members can read this page."),
        ("/profile", "<dt>email</dt><dd>alice@example.com</dd>"),
    ],
)
def test_a_protected_page_asks_to_sign_in_and_comes_back(
    site: str, browser: Browser, path: str, sentence: str
) -> None:
    page = browser.sign_in(f"{site}{path}")
    assert str(page.url) == f"{site}{path}"
    assert sentence in page.text


def test_the_profile_shows_lists_and_truths_as_people_write_them(
    site: str, browser: Browser
) -> None:
    page = browser.sign_in(f"{site}/profile").text
    assert "<dt>roles</dt><dd>admin</dd>" in page
    assert "<dt>email_verified</dt><dd>true</dd>" in page


def test_an_empty_list_is_none(site: str, browser: Browser) -> None:
    assert "<dt>roles</dt><dd>none</dd>" in browser.sign_in(f"{site}/profile", "bob").text


def test_the_pages_lead_to_where_the_provider_counts_its_token_requests(
    site: str, browser: Browser
) -> None:
    members = browser.sign_in(f"{site}/members").text
    counts = re.search(r'<a href="([^"]*)">see what the provider has counted</a>', members)
    assert counts
    assert counts[0] in browser.go(f"{site}/").text
    count = re.compile(r"Token requests</th><td>(\d+)</td>")
    before = count.findall(browser.go(counts[1]).text)
    assert before != ["0"]
    browser.go(f"{site}/members")
    assert count.findall(browser.go(counts[1]).text) == before


def test_the_sign_in_link_of_a_page_comes_back_to_it(site: str, browser: Browser) -> None:
    assert 'href="/auth/login?next=%2Flive"' in browser.go(f"{site}/live").text
    assert str(browser.sign_in(f"{site}/auth/login?next=%2Flive").url) == f"{site}/live"


def test_the_api_answers_a_script_401_until_somebody_signs_in(site: str, browser: Browser) -> None:
    nobody = browser.script(f"{site}/api/me")
    assert nobody.status_code == 401
    assert nobody.headers["content-type"] == "application/json"
    browser.sign_in(f"{site}/members", "bob")
    assert browser.script(f"{site}/api/me").json() == {
        "sub": "bob",
        "name": "Bob Example",
        "email": "bob@example.com",
    }


def test_the_websocket_greets_by_name(site: str, browser: Browser) -> None:
    assert _greeting(site, browser) == "Hello stranger, this came over a WebSocket."
    browser.sign_in(f"{site}/members")
    assert _greeting(site, browser) == "Hello Alice Example, this came over a WebSocket."


def _greeting(site: str, browser: Browser) -> str:
    cookie = browser.cookie_header(f"{site}/ws")
    with connect(
        site.replace("http", "ws", 1) + "/ws",
        origin=Origin(site),
        additional_headers={"cookie": cookie} if cookie else {},
        proxy=None,
    ) as socket:
        return str(socket.recv(timeout=10))


def test_the_button_signs_out_and_ends_at_the_front_page(site: str, browser: Browser) -> None:
    page = browser.sign_in(f"{site}/members")
    form = next(form for form in forms(page.text) if form.action == "/auth/logout")
    end = browser.follow(browser.submit(page, form))
    assert str(end.url) == f"{site}/"
    assert "Sign in</a>" in end.text
    assert browser.user(site) is None


@pytest.mark.parametrize("path", ["/", "/live", "/static/style.css", "/static/live.js"])
def test_each_page_and_file_is_there(site: str, browser: Browser, path: str) -> None:
    assert browser.go(f"{site}{path}").status_code == 200
