"""Replay one seed with its trace, or run many.

::

    python -m tests.simulation SEED [--beyond NAME]
    python -m tests.simulation --seeds N [--first SEED] [--beyond NAME]
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import chain, repeat
from multiprocessing import Pool
from typing import Final, TypeVar

from .seeds import BEYOND
from .simulation import Simulation
from .world import World

T = TypeVar("T")

_SHARE: Final = 20
"""Seeds that a worker takes at once."""
_SHARES: Final = 15
"""Shares after which another takes its place."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what ``arguments`` say; return 1 where a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", help="replay this one, and print its trace")
    parser.add_argument("--seeds", type=int, default=1000, help="how many to run without SEED")
    parser.add_argument("--first", type=int, default=0, help="the first of these")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes to run them"
    )
    parser.add_argument("--beyond", choices=BEYOND, help="go beyond what is known to hold")
    given = parser.parse_args(arguments)
    beyond = frozenset({given.beyond} if given.beyond else ())
    if given.seed is not None:
        return _replay(given.seed, beyond)
    return _many(range(given.first, given.first + given.seeds), beyond, given.workers)


def run(seed: int, beyond: frozenset[str] = frozenset()) -> tuple[str | None, str]:
    """Return what goes wrong in ``seed``, ``None`` if nothing does, and its trace."""
    ((wrong, world),) = _apart(_play, [seed], beyond)
    return wrong, f"{world.profile}\n{world.trace()}"


def failure(seed: int, beyond: frozenset[str] = frozenset()) -> str | None:
    """Return what goes wrong in ``seed``, ``None`` if nothing does."""
    return next(iter(_failures([seed], beyond)), None)


def _failures(seeds: Iterable[int], beyond: frozenset[str]) -> list[str]:
    return list(filter(None, _apart(_failure, seeds, beyond)))


def _apart(
    do: Callable[[int, frozenset[str]], T], seeds: Iterable[int], beyond: frozenset[str]
) -> list[T]:
    # In a thread of its own: with each error that is thrown into a generator, coverage's tracer
    # takes one more of the frames below for done, and would lose those of the test.
    with ThreadPoolExecutor(1) as thread:
        return list(thread.map(do, seeds, repeat(beyond)))


def _failure(seed: int, beyond: frozenset[str]) -> str | None:
    return _play(seed, beyond, traced=False)[0]


def _play(seed: int, beyond: frozenset[str], *, traced: bool = True) -> tuple[str | None, World]:
    simulation, wrong = Simulation(seed, beyond, traced), None
    try:
        simulation.run()
    except Exception as error:  # noqa: BLE001  whatever it is, the seed is to be named
        wrong = f"seed {seed}: {type(error).__name__}: {error}"
    return wrong, simulation.world


def _replay(seed: int, beyond: frozenset[str]) -> int:
    wrong, trace = run(seed, beyond)
    _say(trace)
    _say(wrong or "nothing goes wrong")
    return int(wrong is not None)


def _many(seeds: range, beyond: frozenset[str], workers: int) -> int:
    began, failures = time.perf_counter(), 0
    task = partial(_failures, beyond=beyond)
    shares = [seeds[at : at + _SHARE] for at in range(0, len(seeds), _SHARE)]
    with ExitStack() as stack:
        each: Iterable[list[str]] = map(task, shares)
        if workers > 1:
            # What they leave behind goes with them, which is quicker than to collect it.
            pool = stack.enter_context(Pool(workers, gc.disable, maxtasksperchild=_SHARES))
            each = pool.imap(task, shares)
        for found in chain.from_iterable(each):
            failures += 1
            _say(found)
    took = time.perf_counter() - began
    _say(f"{len(seeds)} seeds, {failures} of them failed, {len(seeds) / took:.1f} a second")
    return int(failures > 0)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
