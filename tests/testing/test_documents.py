"""Each snippet about tests is a test that passes, in a project as its reader has one."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.server import TESTS

if TYPE_CHECKING:
    from pathlib import Path

DOCS = TESTS.parent / "docs"
APP = """\
from flask import Flask

from intastellar_auth import Settings
from intastellar_auth.flask import current_user, init_app, login_required


def make_app(settings: Settings) -> Flask:
    app = Flask(__name__)
    init_app(app, settings)

    @app.get("/members")
    @login_required
    def members() -> str:
        return f"Hello {current_user.display_name}"

    return app
"""


def _snippets(page: str, heading: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    _, _, section = text.partition(f"\n## {heading}\n")
    return re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")


def _run(folder: Path, *command: str) -> str:
    """Return what Python prints in ``folder``, outside the settings of this project."""
    done = subprocess.run(  # noqa: S603 - written here
        [sys.executable, *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _pytest(folder: Path) -> str:
    return _run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder))


def test_the_snippets_sign_in_to_the_apps_of_the_other_page(tmp_path: Path) -> None:
    (conftest,) = _snippets("testing.md", "The settings")
    (fastapi_test,) = _snippets("testing.md", "FastAPI and Starlette")
    (flask_test,) = _snippets("testing.md", "Flask")
    (litestar_test,) = _snippets("testing.md", "Litestar, and any other ASGI app")
    _write(
        tmp_path,
        conftest=conftest,
        main=_snippets("frameworks.md", "FastAPI")[0],
        flask_site=_snippets("frameworks.md", "Flask")[0],
        litestar_site=_snippets("frameworks.md", "Litestar")[0],
        test_main=fastapi_test,
        test_flask=flask_test,
        test_litestar=litestar_test,
    )
    told = _pytest(tmp_path)
    # The last one on asyncio and on trio.
    assert "7 passed" in told


def test_the_snippets_for_django_are_additions_to_what_startproject_makes(tmp_path: Path) -> None:
    _run(tmp_path, "-m", "django", "startproject", "mysite", ".")
    wsgi, asgi, settings, urls = _snippets("frameworks.md", "Django")
    test, live_test = _snippets("testing.md", "Django")
    project = tmp_path / "mysite"
    made = (project / "settings.py").read_text(encoding="utf-8")
    _write(project, wsgi=wsgi, asgi=asgi, settings=f"{made}\n{settings}", urls=urls)
    _write(tmp_path, tests=test, live_tests=live_test)
    environment = _snippets("testing.md", "The settings")[0]
    assert "no issues" in _run(tmp_path, "manage.py", "check")
    assert "OK" in _run(tmp_path, "manage.py", "test", "tests", "live_tests")
    for module in ("wsgi", "asgi"):
        made = f"{environment}\nfrom mysite.{module} import application\nprint(application)"
        assert f"intastellar_auth.{module}.AuthMiddleware" in _run(tmp_path, "-c", made)


def test_the_snippet_with_the_development_provider_signs_in_for_real(tmp_path: Path) -> None:
    (test,) = _snippets("devprovider.md", "Use it in a test")
    _write(tmp_path, main=APP, test_main=test)
    assert "2 passed" in _pytest(tmp_path)
