"""Run the small site of these tests under a real server, with the settings that a test gives."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from tests.support.commands import Kind, command
from tests.support.server import TESTS, Server, running, until
from tests.support.wire import fire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROTECTED = "/members,/members/*,/api/*,/slow"


@dataclass(frozen=True, slots=True)
class Client:
    """How this site is registered at its provider; without ``secret`` it is a public client."""

    client_id: str = "site"
    secret: str | None = "a-secret-that-only-the-server-of-this-site-holds"


@dataclass(frozen=True, slots=True)
class Site:
    """A running site."""

    url: str
    server: Server
    gates: Path
    workers: int

    def pids(self) -> set[int]:
        """Return the process ids of all its workers, each of which has just answered."""
        seen: set[int] = set()

        def complete() -> bool:
            seen.update(int(got.worker) for got in fire(*[self.url] * 20, cookie=""))
            return len(seen) == self.workers

        until(complete, f"an answer of each of {self.workers} workers")
        return seen

    def open_gate(self, name: str) -> None:
        """Let ``/slow?gate=name`` go on."""
        (self.gates / name).touch()

    def wait_until_entered(self, name: str) -> None:
        """Return once a request waits at ``/slow?gate=name``."""
        until((self.gates / f"{name}.entered").exists, f"a request at the gate {name}")


def _answers(url: str) -> bool:
    """A worker that is still loading accepts connections, and may take its time."""
    with suppress(httpx.TransportError):
        return httpx.get(url, trust_env=False).is_success
    return False


@contextmanager
def site(
    folder: Path,
    *,
    port: int,
    issuer: str,
    client: Client | None = None,
    kind: Kind = "uvicorn",
    workers: int = 1,
    **settings: str,
) -> Iterator[Site]:
    """Run the site on ``port`` until the block is left.

    ``folder`` is its own: the store, the log and the gates are there. ``settings`` are variables by
    their names without the prefix (``STORE_URL="memory://"``), or with ``SITE_`` for its own.
    """
    client = client or Client()
    url = f"http://127.0.0.1:{port}"
    gates = folder / "gates"
    gates.mkdir(parents=True, exist_ok=True)
    ours = {
        "ISSUER": issuer,
        "CLIENT_ID": client.client_id,
        "BASE_URL": url,
        "SECRET_KEYS": "a-key-of-the-tests-with-more-than-32-characters",
        "PROTECTED_PATHS": PROTECTED,
        "STORE_URL": f"sqlite:///{folder / 'store.sqlite'}",
    }
    if client.secret is not None:
        ours["CLIENT_SECRET"] = client.secret
    ours |= settings
    environment = {
        "PYTHONPATH": str(TESTS.parent),
        "PYTHONUNBUFFERED": "1",
        "SITE_GATES": str(gates),
        # The store `auto` lies in a folder per user; this makes it one per test.
        **dict.fromkeys(
            ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"), str(folder)
        ),
        **{
            name if name.startswith("SITE_") else f"INTASTELLAR_{name}": value
            for name, value in ours.items()
        },
    }
    with running(
        command(kind, port, workers), port=port, folder=folder, environment=environment
    ) as server:
        until(lambda: _answers(url), "the front page")
        yield Site(url, server, gates, workers)
