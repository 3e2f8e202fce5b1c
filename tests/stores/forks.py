"""Run something in a forked child and report what it returned."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds after which a child that does not answer counts as stuck."""


def forked(work: Callable[[], T]) -> T:
    """Return what ``work`` returns in a child that is forked here and now."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)

    def report(to: Connection) -> None:
        to.send(work())

    child = fork.Process(target=report, args=(theirs,))
    child.start()
    theirs.close()
    try:
        assert ours.poll(PATIENCE), "the forked child is stuck"
        returned: T = ours.recv()
        child.join(PATIENCE)
    finally:
        ours.close()
        child.kill()
        child.join()
        child.close()
    return returned
