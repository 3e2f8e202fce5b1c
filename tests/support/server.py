"""Start a server as a process of its own, wait until it answers, stop it by its id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PATIENCE = 30.0
"""Seconds that anything here may take before the test fails rather than hangs."""

TESTS = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Return whether somebody accepts connections on ``port`` of 127.0.0.1."""
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex(("127.0.0.1", port)) == 0


def until(true: Callable[[], object], what: str, *, patience: float = PATIENCE) -> None:
    """Return once ``true()`` is; raise ``TimeoutError`` naming ``what`` after ``patience`` seconds.

    The pause between two looks is a hundredth of a second: it waits on a condition, not on time.
    """
    deadline = time.monotonic() + patience
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {patience:g} seconds for {what}")
        time.sleep(0.01)


def let_pass(seconds: float) -> None:
    """Return after ``seconds``: for a limit of time that is itself what a test is about."""
    time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its process and the file that it writes to."""

    process: subprocess.Popen[bytes]
    port: int
    output: Path

    def log(self) -> str:
        """Return all that it has written so far, to standard output and standard error."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def answers(self) -> bool:
        """Return whether it accepts connections; raise ``RuntimeError`` where it has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended by itself:\n{self.log()}")
        return is_open(self.port)

    def kill(self) -> None:
        """End it and all its workers by SIGKILL, so that nothing can be tidied up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self._wait_for_the_end(PATIENCE)

    def stop(self, *, patience: float = PATIENCE) -> None:
        """End it by SIGTERM; raise ``TimeoutError`` where it or a worker of it does not end."""
        self.process.terminate()
        self._wait_for_the_end(patience)

    def _wait_for_the_end(self, patience: float) -> None:
        process = self.process
        until(lambda: process.poll() is not None, "the end of the server", patience=patience)
        until(
            lambda: not _group_lives(process.pid), "the end of all its workers", patience=patience
        )


def _group_lives(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    port: int,
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run ``command``, a server on ``port``, in ``folder``, until the block is left.

    It leads a process group of its own, so that workers which outlive it are ended with it.
    """
    output = folder / f"server-{port}.log"
    with output.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - each command is written in these tests
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process, port, output)
    try:
        until(server.answers, f"the server on port {port}")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
