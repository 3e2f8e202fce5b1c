"""The WSGI examples do what their pages and their README.md say, each under its server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples.serve import Kind, example
from tests.support.forms import forms, links

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.browser import Browser

APPS: dict[str, Kind] = {
    "flask_app:app": "gunicorn",
    "plain_app:application": "waitress",
    "asgi_app:application": "uvicorn",
}


@pytest.fixture(scope="module", params=APPS)
def wsgi_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Run one example after the other; the value is its address."""
    app: str = request.param
    with example(tmp_path_factory.mktemp("wsgi"), "wsgi", app, APPS[app]) as url:
        yield url


@pytest.fixture(scope="module")
def flask_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the Flask example; no setting protects a path of it."""
    folder = tmp_path_factory.mktemp("flask")
    nothing = {"INTASTELLAR_PROTECTED_PATHS": ""}
    with example(folder, "wsgi", "flask_app:app", "gunicorn", **nothing) as url:
        yield url


def test_the_sign_in_link_of_the_front_page_leads_to_the_members_page(
    wsgi_site: str, browser: Browser
) -> None:
    front = browser.go(f"{wsgi_site}/")
    assert front.status_code == 200
    members = browser.sign_in(wsgi_site + links(front.text)[0])
    assert str(members.url) == f"{wsgi_site}/members"
    assert "Only members can read this" in members.text
    assert "Hello Alice Example" in browser.go(f"{wsgi_site}/").text


def test_the_members_page_asks_to_sign_in_and_comes_back(wsgi_site: str, browser: Browser) -> None:
    assert browser.script(f"{wsgi_site}/members").status_code == 401
    members = browser.sign_in(f"{wsgi_site}/members", "bob")
    assert str(members.url) == f"{wsgi_site}/members"


def test_the_button_signs_out_and_ends_at_the_front_page(wsgi_site: str, browser: Browser) -> None:
    browser.sign_in(f"{wsgi_site}/members")
    front = browser.go(f"{wsgi_site}/")
    end = browser.follow(browser.submit(front, forms(front.text)[0]))
    assert str(end.url) == f"{wsgi_site}/"
    assert browser.user(wsgi_site) is None


def test_the_decorator_of_flask_does_the_same_as_the_setting(
    flask_site: str, browser: Browser
) -> None:
    nobody = browser.script(f"{flask_site}/api/me")
    assert (nobody.status_code, nobody.json()["error"]) == (401, "login_required")
    members = browser.sign_in(f"{flask_site}/members")
    assert str(members.url) == f"{flask_site}/members"
    assert browser.script(f"{flask_site}/api/me").json() == {
        "sub": "alice",
        "email": "alice@example.com",
    }
