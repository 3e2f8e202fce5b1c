"""The scripts that README.md names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.browser import Browser
from tests.support.server import TESTS, free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT = TESTS.parent
DEMO = ROOT / "scripts" / "demo"


def _ports() -> dict[str, str]:
    return {"DEMO_SITE_PORT": str(free_port()), "DEMO_PROVIDER_PORT": str(free_port())}


@contextmanager
def _demo(output: Path) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - a script of this project
            [DEMO], env=os.environ | _ports(), stdout=sink, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - a script of this project
        [DEMO, *arguments],
        env=os.environ | _ports(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_demo_checks_itself() -> None:
    done = _run("--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The demo works: alice signed in" in done.stdout


def test_the_demo_explains_an_argument_it_does_not_know() -> None:
    done = _run("--nope")
    assert done.returncode == 1
    assert "Usage: scripts/demo [--check]" in done.stderr


def test_the_demo_says_where_to_go_and_stops_both_servers_when_told_and_keeps_their_logs(
    tmp_path: Path,
) -> None:
    output = tmp_path / "output"
    with _demo(output) as demo:
        until(lambda: "Ctrl-C" in output.read_text(), "the demo", patience=300)
        said = output.read_text()
        site, provider, _ = re.findall(r"http://\S+:\d+", said)
        assert _with_ports_of(said, site, provider) in (ROOT / "README.md").read_text()
        user = re.search(r"Sign in as +(\w+)", said)
        assert user
        with Browser() as browser:
            assert str(browser.sign_in(f"{site}/members", user[1]).url) == f"{site}/members"
        demo.terminate()
        assert demo.wait(timeout=30) == 143
    logs = _folder_of_logs(said)
    assert sorted(path.name for path in logs.iterdir()) == ["provider.log", "site.log"]
    shutil.rmtree(logs)
    for address in (site, provider):
        with pytest.raises(httpx.ConnectError):
            httpx.get(address, trust_env=False)


def _folder_of_logs(said: str) -> Path:
    """Return the folder that the demo ``said`` its logs are in."""
    told = re.search(r"Logs +(\S+)", said)
    assert told
    return ROOT / told[1]


def _with_ports_of(said: str, site: str, provider: str) -> str:
    """Return what the demo ``said``, as it says it where its usual ports are free."""
    for address, usual in ((site, "8000"), (provider, "9000")):
        said = said.replace(address.rpartition(":")[2], usual)
    return said[said.index("  Open this") :].rstrip()
