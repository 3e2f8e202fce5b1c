"""What the documents say is so."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from intastellar_auth import Settings
from tests.support.server import TESTS

if TYPE_CHECKING:
    from pathlib import Path

ROOT = TESTS.parent
DOCUMENTS = sorted(
    chain(ROOT.glob("*.md"), ROOT.glob("docs/*.md"), ROOT.glob("examples/*/*.md")),
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_table_of_events_has_each_event_of_the_source_and_no_other() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "src" / "intastellar_auth").rglob("*.py")
        if "devprovider" not in path.parts
    )
    named = {*re.findall(r"log\.event\(\s*(?:logging\.[A-Z]+|level),\s*\"(\w+)\"", source)}
    named |= {*re.findall(r"\"event=([a-z_]+)", source)}
    named |= {*re.findall(r"\"event\": \"(\w+)\"", source)} | {"refused"}
    told = re.findall(
        r"^\| `([a-z_0-9]+)` \| (?:debug|info|warning|error)",
        (ROOT / "docs" / "operating.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert sorted(told) == sorted(named)


OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
_JSON = re.findall(r"```json\n(.*?)```", OPERATING, re.DOTALL)[0]
WAYS = {
    "basicConfig": re.findall(r"```python\n(import logging\n.*?)```", OPERATING, re.DOTALL)[0],
    "LOGGING": "import logging.config\n"
    + re.findall(r"```python\n(LOGGING = .*?)```", OPERATING, re.DOTALL)[0]
    + "logging.config.dictConfig(LOGGING)\n",
    "log-config": "import json, logging.config\n"
    f"logging.config.dictConfig(json.loads({_JSON!r}))\n",
}


@pytest.mark.parametrize("way", WAYS)
def test_the_log_is_turned_on_by_each_way_that_is_shown(way: str) -> None:
    happens = 'from intastellar_auth import log\nlog.event(20, "signed_in", {"a": "b"})\n'
    quiet, loud = (
        subprocess.run(  # noqa: S603  # the program is above, the interpreter our own
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
        ).stderr
        for program in (happens, WAYS[way] + happens)
    )
    assert quiet == ""
    assert loud.endswith('event=signed_in a="b"\n')


def test_each_dependency_earns_its_place_in_the_readme() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = chain(project["dependencies"], *project["optional-dependencies"].values())
    _, _, told = (ROOT / "README.md").read_text(encoding="utf-8").partition("## What it depends on")
    table, _, _ = told.partition("\n## ")
    named = re.findall(r"^\| ([A-Za-z-]+) \| \S", table, re.MULTILINE)
    assert sorted(named) == sorted(re.split(r"[<>=]", name)[0] for name in wanted)


def _settings(block: str) -> dict[str, str]:
    """Return the settings of ``block``, with something that fits where it says ``...``."""
    pairs = (line.partition("=") for line in block.split())
    return {
        name: value
        if value != "..."
        else "https://id.example.com/somewhere"
        if name.endswith(("_ISSUER", "_ENDPOINT", "_URI"))
        else "a-secret-of-the-tests-with-more-than-32-characters"
        for name, _, value in pairs
    }


@pytest.mark.parametrize("number", [0, 1])
def test_the_settings_in_the_readme_are_all_that_is_needed(
    number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```ini\n(.*?)```", readme, re.DOTALL)
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    for name, value in _settings(blocks[number]).items():
        monkeypatch.setenv(name, value)
    assert Settings().redirect_uri == "https://www.example.com/auth/callback"
