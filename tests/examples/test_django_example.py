"""The Django example does what its pages and its README.md say, under WSGI and under ASGI."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.examples.serve import EXAMPLES, Kind, example
from tests.support.forms import forms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.browser import Browser

SERVERS: dict[Kind, str] = {
    "gunicorn": "mysite.wsgi",
    "uvicorn": "mysite.asgi:application",
    "daphne": "mysite.asgi:application",
}


@pytest.fixture(scope="module", params=SERVERS)
def django_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Run the example under one server after the other; the value is its address."""
    folder = tmp_path_factory.mktemp("django")
    kind: Kind = request.param
    environment = {
        "DJANGO_SECRET_KEY": "a-key-of-the-tests-and-of-nothing-else-with-fifty-characters",
        "DJANGO_DATABASE": str(folder / "db.sqlite3"),
        "INTASTELLAR_PROTECTED_PATHS": "",
    }
    subprocess.run(  # noqa: S603 - a script of this project
        [sys.executable, EXAMPLES / "django" / "manage.py", "migrate", "--verbosity", "0"],
        env=os.environ | environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        timeout=120,
    )
    with example(folder, "django", SERVERS[kind], kind, **environment) as url:
        yield url


@pytest.mark.parametrize(
    ("path", "title"), [("/members", "Only members can read this"), ("/profile", "Profile")]
)
def test_a_protected_page_asks_to_sign_in_and_comes_back(
    django_site: str, browser: Browser, path: str, title: str
) -> None:
    page = browser.sign_in(f"{django_site}{path}")
    assert str(page.url) == f"{django_site}{path}"
    assert f"<h1>{title}</h1>" in page.text
    assert "Hello Alice Example" in page.text


def test_the_api_answers_401_until_somebody_signs_in(django_site: str, browser: Browser) -> None:
    nobody = browser.script(f"{django_site}/api/me")
    assert (nobody.status_code, nobody.json()["error"]) == (401, "login_required")
    browser.sign_in(f"{django_site}/members", "bob")
    told = browser.script(f"{django_site}/api/me").json()
    assert (told["sub"], told["email"]) == ("bob", "bob@example.com")
    assert browser.script(f"{django_site}/api/me").json() == told


def test_signing_out_signs_out_of_django_as_well(django_site: str, browser: Browser) -> None:
    page = browser.sign_in(f"{django_site}/members")
    end = browser.follow(browser.submit(page, forms(page.text)[0]))
    assert str(end.url) == f"{django_site}/"
    assert "Sign in</a>" in end.text
    assert browser.go(f"{django_site}/members").status_code == 302
