"""Whoever copies "Try it with the development provider" from README.md is signed in by it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.support.browser import Browser
from tests.support.forms import forms
from tests.support.server import TESTS, free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = TESTS.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = Path(sys.executable).parent


def _block(name: str) -> str:
    """Return the commands that README.md marks with ``try: name``."""
    found = re.search(rf"<!-- try: {name} -->\n```\n(.*?)```", README, re.DOTALL)
    assert found
    return found[1]


@contextmanager
def _tried(folder: Path) -> Iterator[tuple[str, str]]:
    """Do what README.md says, at free ports; yield the addresses of the site and the provider."""
    site, provider = free_port(), free_port()
    ports = {"8000": str(site), "9000": str(provider)}

    def here(text: str) -> str:
        return re.sub(r"\b[89]000\b", lambda usual: ports[usual[0]], text)

    app = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert app
    (folder / "app.py").write_text(app[1], encoding="utf-8")
    program, *arguments = shlex.split(here(_block("provider")).replace("\\\n", ""))
    activate, _, rest = here(_block("site")).partition("\n")
    settings, _, serve = rest.rpartition("\nuvicorn ")
    assert (program, activate) == ("intastellar-auth", ". venv/bin/activate")
    subprocess.run(  # noqa: S603 - it is in our own README.md
        ["/bin/sh", "-c", settings],
        cwd=folder,
        env={"PATH": f"{COMMANDS}:/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src")},
        check=True,
    )
    for_provider = [sys.executable, "-m", "intastellar_auth", *arguments, "--port", str(provider)]
    for_site = [sys.executable, "-m", "uvicorn", *shlex.split(serve)]
    with (
        running(for_provider, port=provider, folder=folder),
        running(for_site, port=site, folder=folder),
    ):
        yield f"http://127.0.0.1:{site}", f"http://127.0.0.1:{provider}"


def test_the_app_of_the_readme_says_hello_and_its_form_signs_out(tmp_path: Path) -> None:
    with _tried(tmp_path) as (site, provider), Browser() as browser:
        assert browser.sign_in(f"{site}/members").text == "Hello Alice Example"
        page = httpx.get(provider, trust_env=False).text
        assert "Token requests</th><td>1</td>" in page
        html = re.search(r"```html\n(.*?)```", README, re.DOTALL)
        assert html
        (form,) = forms(html[1])
        end = browser.follow(browser.submit(browser.go(f"{site}/members"), form))
        assert str(end.url) == f"{site}/"
        assert browser.user(site) is None


def test_the_packages_that_the_readme_installs_are_all_that_is_needed_to_try_it() -> None:
    assert "pip install './intastellar-auth[server]'" in _block("install")
