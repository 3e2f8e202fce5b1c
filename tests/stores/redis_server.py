"""A real Redis for a test: started on a free port of loopback, and stopped by its id."""

from __future__ import annotations

import shutil
import signal
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import redis

from tests.support.server import Server, free_port, running, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running server; ``port`` is the one without TLS."""

    server: Server
    port: int
    password: str | None = None

    @property
    def url(self) -> str:
        """The address of it for ``open_store``."""
        user = f":{self.password}@" if self.password else ""
        return f"redis://{user}127.0.0.1:{self.port}"

    def tell(self, *command: str) -> Any:  # noqa: ANN401 - each command has its own kind of answer
        """Return what it answers to a command of the test's own."""
        with closing(
            redis.Redis("127.0.0.1", self.port, password=self.password, protocol=2)
        ) as client:
            return client.execute_command(*command)  # type: ignore[no-untyped-call]  # has none

    def answers(self) -> bool:
        """Return whether it answers."""
        return bool(self.tell("PING"))

    def clients(self) -> int:
        """Return how many clients are connected, apart from the one that asks."""
        return len(self.tell("CLIENT", "LIST").splitlines()) - 1

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the process, its connections and all, until the block is left."""
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.server.process.send_signal(signal.SIGCONT)
            until(self.answers, "an answer of Redis")

    def all_keys(self) -> list[bytes]:
        """Return all keys that it holds."""
        found: list[bytes] = self.tell("KEYS", "*")
        return found


@contextmanager
def redis_server(
    folder: Path, *options: str, port: int | None = None, password: str | None = None
) -> Iterator[RedisServer]:
    """Run a server, without a file of its data, until the block is left.

    ``options`` are of its command line; a port with TLS is one of them, besides ``port``.
    """
    port = port or free_port()
    command = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", *options]
    command += ["--requirepass", password] if password else []
    with _started(command, folder, port, password) as server:
        yield server


@contextmanager
def redis_sentinel(
    folder: Path, primary: int, *, port: int | None = None, password: str | None = None
) -> Iterator[RedisServer]:
    """Run a Sentinel that watches the server on port ``primary`` under the name ``site``."""
    port = port or free_port()
    lines = [f"port {port}", "bind 127.0.0.1", f"sentinel monitor site 127.0.0.1 {primary} 1"]
    lines += ["sentinel down-after-milliseconds site 300", "sentinel failover-timeout site 2000"]
    lines += [f"requirepass {password}"] if password else []
    file = folder / f"sentinel-{port}.conf"  # it writes into it
    file.write_text("\n".join(lines), encoding="utf-8")
    with _started([str(file), "--sentinel"], folder, port, password) as watching:
        yield watching


@contextmanager
def _started(
    options: list[str], folder: Path, port: int, password: str | None
) -> Iterator[RedisServer]:
    binary = shutil.which("redis-server")
    assert binary, "these tests need redis-server: scripts/test sets it up"
    with running([binary, *options], port=port, folder=folder) as server:
        started = RedisServer(server, port, password)
        until(started.answers, "an answer of Redis")
        yield started
