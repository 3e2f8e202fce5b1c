"""The helpers themselves: they fail with a reason, and leave nothing behind."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support.server import free_port, is_open, running, until

if TYPE_CHECKING:
    from pathlib import Path


def test_a_wait_that_is_in_vain_says_for_what() -> None:
    """A test that hangs would tell nobody anything."""
    with pytest.raises(TimeoutError, match="Godot"):
        until(lambda: False, "Godot", patience=0.05)


def test_a_server_that_ends_by_itself_shows_its_output(tmp_path: Path) -> None:
    """Such as a provider whose packages are not installed."""
    command = [sys.executable, "-c", "raise SystemExit('no such module')"]

    with pytest.raises(RuntimeError, match="no such module"), ExitStack() as stack:
        stack.enter_context(running(command, port=free_port(), folder=tmp_path))


def forsaking(port: int) -> list[str]:
    """Return the command of a server that leaves its worker behind when it is stopped."""
    child = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    return [sys.executable, "-c", parent]


def test_workers_are_ended_with_their_server(tmp_path: Path) -> None:
    """The server is gone at once, and so is the child that it left behind."""
    port = free_port()

    with running(forsaking(port), port=port, folder=tmp_path):
        assert is_open(port)

    until(lambda: not is_open(port), "the end of the child")


def test_a_server_that_leaves_a_worker_behind_does_not_stop_cleanly(tmp_path: Path) -> None:
    """Otherwise the matrix of the servers could not tell."""
    port = free_port()

    with (
        running(forsaking(port), port=port, folder=tmp_path) as server,
        pytest.raises(TimeoutError, match="workers"),
    ):
        server.stop(patience=0.3)
