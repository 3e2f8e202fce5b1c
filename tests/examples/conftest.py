"""The Starlette example under a real server, with the development provider, for all tests here."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import Browser
from tests.support.provider import strict
from tests.support.server import TESTS, free_port, running
from tests.support.site import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLE = TESTS.parent / "examples" / "starlette"


@contextmanager
def example(folder: Path) -> Iterator[str]:
    """Run the example and its provider until the block is left; yield its address."""
    client, port = Client(), free_port()
    url = f"http://127.0.0.1:{port}"
    with strict(folder, url, client) as provider:
        environment = {
            "INTASTELLAR_ISSUER": provider.issuer,
            "INTASTELLAR_CLIENT_ID": client.client_id,
            "INTASTELLAR_CLIENT_SECRET": client.secret or "",
            "INTASTELLAR_BASE_URL": url,
            "INTASTELLAR_SECRET_KEYS": "a-key-of-the-tests-with-more-than-32-characters",
            "INTASTELLAR_PROTECTED_PATHS": "/members,/api/*",
            "DEMO_PROVIDER": provider.issuer,
            "INTASTELLAR_STORE_URL": f"sqlite:///{folder / 'store.sqlite'}",
        }
        command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLE), "app:app"]
        command += ["--port", str(port)]
        with running(command, port=port, folder=folder, environment=environment):
            yield url


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the example; the value is its address."""
    with example(tmp_path_factory.mktemp("example")) as url:
        yield url


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Give a browser without cookies."""
    with Browser() as fresh:
        yield fresh
