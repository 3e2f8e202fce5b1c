"""The FastAPI example does what its pages and its README.md say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples.serve import example
from tests.support.forms import forms, links

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.browser import Browser


@pytest.fixture(scope="module")
def fastapi_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the example; the value is its address."""
    folder, none = tmp_path_factory.mktemp("fastapi"), {"INTASTELLAR_PROTECTED_PATHS": ""}
    with example(folder, "fastapi", "main:app", "uvicorn", **none) as url:
        yield url


def test_a_visitor_signs_in_and_out(fastapi_site: str, browser: Browser) -> None:
    front = browser.go(f"{fastapi_site}/")
    members = browser.sign_in(fastapi_site + links(front.text)[0])
    assert str(members.url) == f"{fastapi_site}/members"
    assert "Hello Alice Example" in members.text
    front = browser.go(f"{fastapi_site}/")
    end = browser.follow(browser.submit(front, forms(front.text)[0]))
    assert "Anybody can read this" in end.text
    assert browser.user(fastapi_site) is None


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/api/me", {"sub": "bob", "name": "Bob Example"}),
        ("/api/email", {"email": "bob@example.com"}),
    ],
)
def test_the_api_answers_401_until_somebody_signs_in(
    fastapi_site: str, browser: Browser, path: str, told: dict[str, str]
) -> None:
    nobody = browser.script(fastapi_site + path)
    assert (nobody.status_code, nobody.json()["error"]) == (401, "login_required")
    browser.sign_in(f"{fastapi_site}/members", "bob")
    assert browser.script(fastapi_site + path).json() == told


def test_the_documentation_of_the_api_is_there(fastapi_site: str, browser: Browser) -> None:
    assert browser.go(f"{fastapi_site}/docs").status_code == 200
    schema = browser.script(f"{fastapi_site}/openapi.json").json()
    assert schema["paths"]["/api/me"]["get"]["security"] == [{"Session": []}]
