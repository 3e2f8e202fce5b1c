"""A server does not start with settings that are wrong, whenever the middleware gets to read them.

``app.add_middleware(AuthMiddleware)`` makes none yet: Starlette does that in the first call of the
server's, which asks for the lifespan. What is raised there counts as "has no lifespan", and the
server starts, without the app's own lifespan.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.types import Message, Scope

from intastellar_auth.asgi import AuthMiddleware
from intastellar_auth.errors import SettingsError
from tests.support.server import PATIENCE, TESTS, free_port, running, until

from .gate import http, make_gate

SETTINGS = {
    "INTASTELLAR_ISSUER": "http://127.0.0.1:1",
    "INTASTELLAR_CLIENT_ID": "site",
    "INTASTELLAR_BASE_URL": "http://127.0.0.1:8000",
    "INTASTELLAR_SECRET_KEYS": "a-key-of-the-tests-with-more-than-32-characters",
    "INTASTELLAR_STORE_URL": "memory://",
}


def command(server: str, app: str, port: int) -> list[str]:
    """Return how ``server`` serves ``app`` of ``served_app.py``, its lifespan as by default."""
    named = f"tests.asgi.served_app:{app}"
    return {
        "uvicorn": [sys.executable, "-m", "uvicorn", named, "--port", str(port)],
        "hypercorn": [sys.executable, "-m", "hypercorn", named, "--bind", f"127.0.0.1:{port}"],
        "granian": [
            *(sys.executable, "-m", "granian", "--interface", "asgi"),
            *("--port", str(port), named),
        ],
    }[server]


# hypercorn ends with 0 whatever its workers end with.
@pytest.mark.parametrize("app", ["starlette", "fastapi"])
@pytest.mark.parametrize(("server", "code"), [("uvicorn", 3), ("hypercorn", 0), ("granian", 1)])
def test_a_server_ends_and_says_which_setting_is_missing(
    tmp_path: Path, server: str, code: int, app: str
) -> None:
    environment = {**os.environ, **SETTINGS, "PYTHONPATH": str(TESTS.parent)}
    del environment["INTASTELLAR_SECRET_KEYS"]
    with subprocess.Popen(  # noqa: S603  the commands are above
        command(server, app, free_port()),
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == code
    assert "INTASTELLAR_SECRET_KEYS" in said
    assert "the app has started" not in said


@pytest.mark.parametrize("app", ["starlette", "fastapi"])
def test_a_server_with_good_settings_runs_the_apps_own_lifespan(tmp_path: Path, app: str) -> None:
    port = free_port()
    environment = {**SETTINGS, "PYTHONPATH": str(TESTS.parent)}
    with running(
        command("uvicorn", app, port), port=port, folder=tmp_path, environment=environment
    ) as server:
        until(lambda: "the app has started" in server.log(), "the start of the app")
        server.stop()
        assert "the app has stopped" in server.log()


@pytest.fixture
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_nothing_set")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_where_the_middleware_is_made_by_hand_it_fails_at_once(backend: str) -> None:
    """Also on a running event loop: uvicorn imports an app on one."""

    async def main() -> None:
        with pytest.raises(SettingsError, match="INTASTELLAR_CLIENT_ID"):
            AuthMiddleware(make_gate().app)

    anyio.run(main, backend=backend)


@dataclass(slots=True)
class Asked:
    """What ``app`` says when a server calls it; it raises what is wrong each time."""

    app: Starlette
    said: list[Message] = field(default_factory=list)

    def error(self, scope: Scope) -> SettingsError:
        """Call the app, and return what it raises."""
        with pytest.raises(SettingsError, match="INTASTELLAR_CLIENT_ID") as raised:
            anyio.run(self.app, scope, self._receive, self._send)
        return raised.value

    async def _receive(self) -> Message:
        return {"type": "lifespan.startup"}

    async def _send(self, message: Message) -> None:
        self.said.append(message)


@pytest.fixture(params=[Starlette, FastAPI])
def asked(request: pytest.FixtureRequest, _nothing_set: None) -> Asked:
    app: Starlette = request.param()
    app.add_middleware(AuthMiddleware)
    return Asked(app)


def test_the_server_is_told_all_that_is_wrong_with_the_settings(asked: Asked) -> None:
    error = asked.error({"type": "lifespan"})
    assert asked.said == [{"type": "lifespan.startup.failed", "message": error.detail}]
    assert "INTASTELLAR_SECRET_KEYS" in error.detail


def test_a_server_that_asks_for_no_lifespan_gets_an_error_for_each_request(asked: Asked) -> None:
    for _ in range(2):
        asked.error(http("/"))
    assert [one["status"] for one in asked.said if "status" in one] == [500, 500]
