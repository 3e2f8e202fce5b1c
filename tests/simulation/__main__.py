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
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from .seeds import BEYOND
from .simulation import Simulation
from .world import World


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
    wrong, world = _played(seed, beyond)
    return wrong, f"{world.profile}\n{world.trace()}"


def failure(seed: int, beyond: frozenset[str] = frozenset()) -> str | None:
    """Return what goes wrong in ``seed``, ``None`` if nothing does."""
    return _played(seed, beyond)[0]


def _played(seed: int, beyond: frozenset[str]) -> tuple[str | None, World]:
    # In a thread of its own: with each error that is thrown into a generator, coverage's tracer
    # takes one more of the frames below for done, and would lose those of the test.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_play, seed, beyond).result()


def _play(seed: int, beyond: frozenset[str]) -> tuple[str | None, World]:
    simulation, wrong = Simulation(seed, beyond), None
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
    task = partial(failure, beyond=beyond)
    with ExitStack() as stack:
        each: Iterable[str | None] = map(task, seeds)
        if workers > 1:
            pool = stack.enter_context(ProcessPoolExecutor(workers, initializer=_collect_rarely))
            each = pool.map(task, seeds, chunksize=10)
        for found in filter(None, each):
            failures += 1
            _say(found)
    took = time.perf_counter() - began
    _say(f"{len(seeds)} seeds, {failures} of them failed, {len(seeds) / took:.1f} a second")
    return int(failures > 0)


def _collect_rarely() -> None:
    """Let cycles lie for longer: worlds are full of them, and small."""
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
