"""Many inputs for a target, by hand: in as many processes as there are to be workers."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from random import Random

from .targets import TARGETS

_HELP = "Give a fuzz target many inputs. The same seed and workers give the same inputs."

_BETWEEN_LOOKS = 200


@dataclass(frozen=True, slots=True)
class Done:
    """What one worker has done; ``failed`` is the input that broke a promise, and how."""

    inputs: int
    seconds: float
    failed: tuple[bytes, str] | None = None


def work(name: str, inputs: int, seconds: float, seed: str) -> Done:
    """Give a target ``inputs`` inputs, or as many as ``seconds`` allow."""
    chosen, random = TARGETS[name], Random(seed)  # noqa: S311  a test repeats itself
    began = time.monotonic()
    for number in range(inputs):
        if number % _BETWEEN_LOOKS == 0 and time.monotonic() - began > seconds:
            return Done(number, time.monotonic() - began)
        data = chosen.mutated(random)
        try:
            chosen(data)
        except Exception as error:  # noqa: BLE001  whatever it lets through is a finding
            why = f"{type(error).__name__}: {error}"
            return Done(number + 1, time.monotonic() - began, (data, why))
    return Done(inputs, time.monotonic() - began)


def main(arguments: Sequence[str]) -> int:
    """Run, print a line for each target, and return how many have failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=_HELP)
    parser.add_argument("target", choices=["all", *TARGETS])
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", default="0")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args(arguments)
    names = list(TARGETS) if given.target == "all" else [given.target]
    share = -(-given.inputs // given.workers)
    seeds = [f"{given.seed}-{number}" for number in range(given.workers)]
    failures = 0
    with ProcessPoolExecutor(given.workers, get_context("spawn")) as pool:
        spread = pool.map if given.workers > 1 else map
        for name in names:
            done = list(spread(partial(work, name, share, given.seconds), seeds))
            inputs, seconds = sum(one.inputs for one in done), max(one.seconds for one in done)
            print(f"{name:26} {inputs:9} inputs {inputs / seconds:9.0f}/s", flush=True)  # noqa: T201
            for found in (one.failed for one in done if one.failed is not None):
                failures += 1
                print(f"  {found[1]}\n  input: {found[0]!r}", flush=True)  # noqa: T201
    return failures
