"""The HTTP client in its three forms: blocking, on asyncio, on trio."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

import anyio
import pytest

from intastellar_auth.drive import http

if TYPE_CHECKING:
    from pathlib import Path

    from intastellar_auth.core.effects import Answer, Fetch

from .authority import Authority


class Client(Protocol):
    """``fetch``, or ``afetch`` run by an event loop."""

    def __call__(self, request: Fetch, *, timeout: float = 10.0) -> Answer:
        """Send ``request`` and return its answer."""
        ...


def _on(backend: str, request: Fetch, *, timeout: float = 10.0) -> Answer:
    return anyio.run(partial(http.afetch, request, timeout=timeout), backend=backend)


def _blocking(request: Fetch, *, timeout: float = 10.0) -> Answer:
    return http.fetch(request, timeout=timeout)


@pytest.fixture(params=["blocking", "asyncio", "trio"])
def client(request: pytest.FixtureRequest) -> Client:
    return _blocking if request.param == "blocking" else partial(_on, request.param)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Make an authority that the client trusts, through ``SSL_CERT_FILE``."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test says itself which proxy there is and whom to trust."""
    http._tls.cache_clear()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
