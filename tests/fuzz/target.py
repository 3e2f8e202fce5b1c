"""What a fuzz target is: a function of bytes that raises only where a promise is broken."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Final

from intastellar_auth import log

from .mutate import COMMON, mutated

LONGEST: Final = 1.0
"""Seconds of this thread's own time that one input may cost: other work does not count."""

TARGETS: Final[dict[str, Target]] = {}


@dataclass(frozen=True)
class Target:
    """A function to call with anything, and valid inputs to begin from.

    ``words`` are what the format is made of. Called, a target also holds the log and the time
    against the promise.
    """

    name: str
    run: Callable[[bytes], None]
    make_seeds: Callable[[], Sequence[bytes]]
    words: tuple[bytes, ...]

    @cached_property
    def seeds(self) -> tuple[bytes, ...]:
        """The valid inputs, made when first needed."""
        return tuple(self.make_seeds())

    def __call__(self, data: bytes) -> None:
        """Raise ``AssertionError``, or what the code under test let through, if it is broken."""
        with _watched_log() as lines:
            began = time.thread_time()
            self.run(data)
            took = time.thread_time() - began
        assert took < LONGEST, f"one input took {took:.1f} s"
        for line in lines:
            assert not line.startswith("event=unforeseen"), line
            assert line.isascii(), line
            assert line.isprintable(), line

    def mutated(self, random: Random) -> bytes:
        """Return an input that is nearly valid, or one that is."""
        return mutated(random, self.seeds, self.words)


def target(
    seeds: Callable[[], Sequence[bytes]], *words: bytes
) -> Callable[[Callable[[bytes], None]], Callable[[bytes], None]]:
    """Make a function a target of its name."""

    def register(run: Callable[[bytes], None]) -> Callable[[bytes], None]:
        TARGETS[run.__name__] = Target(run.__name__, run, seeds, (*COMMON, *words))
        return run

    return register


class _Lines(logging.Handler):
    """Keeps lines. It judges none: the code under test would catch what it raises."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


_LINES: Final = _Lines()


@contextmanager
def _watched_log() -> Iterator[list[str]]:
    before = log.logger.handlers, log.logger.propagate, log.logger.level
    _LINES.lines = []
    log.logger.handlers, log.logger.propagate = [_LINES], False
    log.logger.setLevel(logging.DEBUG)
    try:
        yield _LINES.lines
    finally:
        log.logger.handlers, log.logger.propagate = before[:2]
        log.logger.setLevel(before[2])
