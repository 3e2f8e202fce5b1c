"""Each snippet of docs/frameworks.md runs, and does what the page says."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User as Account
from django.test import override_settings
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from intastellar_auth.fastapi import init_app
from tests.frameworks.django_site import AUTHENTICATION, SESSION
from tests.frameworks.visitors import ENVIRONMENT, SCRIPT, SITE, ask_asgi, ask_wsgi, signed_in
from tests.support.server import TESTS

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    import httpx

PAGE = (TESTS.parent / "docs" / "frameworks.md").read_text(encoding="utf-8")
SECTIONS = {
    section.partition("\n")[0]: re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
}
WSGI = {"Flask", "Any other WSGI app"}
REFUSED = {"Starlette": 303, "Any other WSGI app": 403, "Any other ASGI app": 403}
"""What a script gets for nobody where that is not a 401."""

WITH_SCOPES = ["FastAPI", "Flask", "Litestar"]
ALICE: dict[str, Any] = {"name": "Alice Example"}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.frameworks.django_site")
    monkeypatch.syspath_prepend(tmp_path)


def _module(folder: Path, heading: str, number: int = 0) -> ModuleType:
    name = f"snippet_{re.sub(r'[^a-z]', '_', heading.lower())}_{number}"
    (folder / f"{name}.py").write_text(SECTIONS[heading][number], encoding="utf-8")
    return importlib.import_module(name)


def _ask(module: ModuleType, heading: str, path: str, headers: dict[str, str]) -> httpx.Response:
    app: Any = getattr(module, "application", None) or module.app
    return (ask_wsgi if heading in WSGI else ask_asgi)(app, path, headers)


@pytest.mark.parametrize(
    "heading", [name for name in SECTIONS if SECTIONS[name] and name != "Django"]
)
def test_the_snippet_greets_its_user_and_refuses_nobody(heading: str, tmp_path: Path) -> None:
    module = _module(tmp_path, heading)
    greeting = _ask(module, heading, "/members", signed_in(**ALICE)).text
    assert greeting.strip('"') == "Hello Alice Example"
    nobody = _ask(module, heading, "/members", SCRIPT)
    assert nobody.status_code == REFUSED.get(heading, 401)


@pytest.mark.parametrize("heading", WITH_SCOPES)
def test_the_snippet_asks_for_a_scope(heading: str, tmp_path: Path) -> None:
    module = _module(tmp_path, heading)
    assert _ask(module, heading, "/reports", signed_in(**ALICE)).status_code == 403
    granted = _ask(module, heading, "/reports", signed_in(scopes=("reports",), **ALICE))
    assert granted.text.strip('"') == "Reports for Alice Example"


def test_the_route_of_the_snippet_leads_back_to_the_page_that_was_asked_for(tmp_path: Path) -> None:
    app = _module(tmp_path, "Starlette").app
    sent = ask_asgi(app, "/members?a=1&b=%C3%BC").headers["location"]
    assert sent.startswith(f"{SITE}/sign-in?")
    location = ask_asgi(app, sent).headers["location"]
    assert location == "/auth/login?next=%2Fmembers%3Fa%3D1%26b%3D%25C3%25BC"
    assert ask_asgi(app, "/sign-in").headers["location"] == "/auth/login?next=%2F"
    elsewhere = ask_asgi(app, "/sign-in?next=https://evil.example/a").headers["location"]
    assert elsewhere == "/auth/login?next=%2Fa"
    assert ask_asgi(app, "/api/me").status_code == 403


@pytest.mark.parametrize("protected", ["", "/members"])
def test_the_snippet_for_other_origins_answers_them_before_it_asks_who_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: str
) -> None:
    monkeypatch.setenv("INTASTELLAR_PROTECTED_PATHS", protected)
    app = _module(tmp_path, "The order of middleware").app
    page = {"origin": "https://app.example.com", **SCRIPT}
    asked = {**page, "access-control-request-method": "GET"}
    for headers, method, status in ((asked, "OPTIONS", 200), (page, "GET", 401)):
        answer = ask_asgi(app, "/members", headers, method=method)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == page["origin"]
        assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("protected", ["", "/members"])
def test_inside_the_middleware_the_answer_to_other_origins_comes_too_late(
    monkeypatch: pytest.MonkeyPatch, protected: str
) -> None:
    monkeypatch.setenv("INTASTELLAR_PROTECTED_PATHS", protected)
    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"])
    init_app(app)
    asked = {"origin": "https://app.example.com", "access-control-request-method": "GET", **SCRIPT}
    answer = ask_asgi(app, "/members", asked, method="OPTIONS")
    assert answer.status_code == (401 if protected else 200)
    assert ("access-control-allow-origin" in answer.headers) is not bool(protected)


@pytest.mark.parametrize("number", [0, 1])
def test_the_snippets_of_the_readme_run(tmp_path: Path, number: int) -> None:
    text = (TESTS.parent / "README.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(snippets) == 2
    name = f"snippet_of_the_readme_{number}"
    (tmp_path / f"{name}.py").write_text(snippets[number], encoding="utf-8")
    app: Any = importlib.import_module(name).app
    assert (ask_asgi, ask_wsgi)[number](app, "/auth/user", SCRIPT).status_code == 401


@pytest.mark.usefixtures("django")
def test_the_snippets_for_django_are_a_site(tmp_path: Path) -> None:
    # What startproject makes; tests/testing/test_documents.py has it make the rest.
    settings: dict[str, Any] = {
        "INSTALLED_APPS": [*django_settings.INSTALLED_APPS],
        "MIDDLEWARE": [SESSION, AUTHENTICATION],
    }
    exec(SECTIONS["Django"][2], settings)  # noqa: S102 - the page's own
    urls = _module(tmp_path, "Django", 3)
    values = {name: value for name, value in settings.items() if name.isupper()}
    with override_settings(**values, ROOT_URLCONF=urls.__name__):
        site = _module(tmp_path, "Django", 0).application
        who = signed_in(**ALICE)
        assert ask_wsgi(site, "/members", who).text == "Hello Alice Example"
        assert ask_wsgi(site, "/members").headers["location"] == "/auth/login?next=/members"
        assert ask_wsgi(site, "/members", SCRIPT).status_code == 401
        assert ask_wsgi(site, "/reports", who).status_code == 403
        granted = ask_wsgi(site, "/reports", signed_in(scopes=("reports",), **ALICE))
        assert granted.text == "Reports for Alice Example"
        later = _module(tmp_path, "Django", 1).application
        assert ask_asgi(later, "/members", who).text == "Hello Alice Example"
    Account.objects.all().delete()
