"""Each snippet of docs/frameworks.md runs, and does what the page says."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User as Account
from django.test import override_settings

from tests.frameworks.visitors import ENVIRONMENT, SCRIPT, ask_asgi, ask_wsgi, signed_in
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
REFUSED = {"Starlette": 403, "Any other WSGI app": 403, "Any other ASGI app": 403}
"""What a script gets for nobody where that is not a 401."""

WITH_SCOPES = ["FastAPI", "Flask", "Litestar"]
ALICE: dict[str, Any] = {"name": "Alice Example"}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(tmp_path)


def _module(folder: Path, heading: str, number: int = 0) -> ModuleType:
    name = f"snippet_{re.sub(r'[^a-z]', '_', heading.lower())}_{number}"
    (folder / f"{name}.py").write_text(SECTIONS[heading][number], encoding="utf-8")
    return importlib.import_module(name)


def _ask(module: ModuleType, heading: str, path: str, headers: dict[str, str]) -> httpx.Response:
    app: Any = getattr(module, "application", None) or module.app
    return (ask_wsgi if heading in WSGI else ask_asgi)(app, path, headers)


@pytest.mark.parametrize("heading", [name for name in SECTIONS if name != "Django"])
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


@pytest.mark.usefixtures("django")
def test_the_snippets_for_django_are_a_site(tmp_path: Path) -> None:
    settings = vars(_module(tmp_path, "Django", 1))
    urls = _module(tmp_path, "Django", 2)
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
        client = _module(tmp_path, "Django", 3)
        assert client.response.content == b"Hello alice"
    Account.objects.all().delete()
