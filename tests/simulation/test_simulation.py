"""The promise, under everything at once, in the order of the first seeds; and how to replay one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache

import pytest

from .__main__ import failure, main, run
from .broken import VARIANTS, applied
from .seeds import BEYOND, REGRESSIONS

# CI's share; `python -m tests.simulation --seeds 100000` is for a free afternoon.
SEEDS = int(os.environ.get("SIMULATION_SEEDS", "400"))
NEVER_FINISHED = VARIANTS["no sign-in is ever finished"].edits
# What a simulation that is worth its time comes across.
SIGHTS = (
    "dies",
    "is given up",
    "everything stands still",
    "p0 stands still",
    "the store is down",
    "fails, and was done",
    "the provider is down",
    "ProviderUnreachable",
    "ProviderTimeout",
    "busy",
    "acts late",
    "loses its answer",
    "loses its cookies",
    "SECRET_KEYS are now",
    "the provider signs with key",
    'sign_in_started_again because="whoever claimed the work died',
    'sign_in_started_again because="its login cookie is gone',
    "cannot be finished, for the second time",
    "must have the outcome that is on record",
    "the session that the callback gave has ended",
    "the callback was finished before, and this browser has no receipt of it",
    "tokens_not_refreshed",
    "refresh_lost",
    "signed_out_by_provider",
    "logout_not_recorded",
    "outcome_not_kept",
    "has ended a session",
)


@cache
def simulated() -> dict[int, tuple[str | None, str]]:
    """Run CI's seeds; return what went wrong in each, and its trace."""
    return {seed: run(seed) for seed in (*range(SEEDS), *REGRESSIONS)}


def test_in_the_order_of_any_seed_every_row_of_the_promise_holds() -> None:
    """P1 to P14; who keeps trying is signed in at the end, where they first wanted to be."""
    failed = {
        f"python -m tests.simulation {seed}": f"{wrong}\n{trace[-4000:]}"
        for seed, (wrong, trace) in simulated().items()
        if wrong
    }
    assert failed == {}, "\n\n".join(f"{text}\n{how}" for how, text in failed.items())


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_seeds_come_across_everything_that_is_promised_to_be_harmless(sight: str) -> None:
    assert any(sight in trace for _, trace in simulated().values())


def test_a_seed_is_the_same_again_to_the_last_event() -> None:
    assert run(5) == simulated()[5]


@pytest.mark.parametrize("name", BEYOND)
def test_what_is_known_not_to_hold_does_not_hold_yet(name: str) -> None:
    """If none fails, it is mended: from then on it belongs into ordinary seeds."""
    seeds = (*BEYOND[name].seeds, *range(500))
    found = next(filter(None, (failure(seed, frozenset({name})) for seed in seeds)), "none")
    assert re.match(rf"seed \d+: PromiseBroken: (?:{BEYOND[name].rows}): ", found), found


def test_a_seed_is_replayed_with_a_line_for_each_event() -> None:
    command = [sys.executable, "-m", "tests.simulation", "5"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)  # noqa: S603  our own
    first, second, *_, last = told.stdout.splitlines()
    assert first.startswith("Profile(mode=")
    assert second.split()[:2] == ["1", "0.000"]
    assert last == "nothing goes wrong"


def test_a_seed_that_fails_is_replayed_up_to_its_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with applied(NEVER_FINISHED):
        assert main(["0", "--beyond", next(iter(BEYOND))]) == 1
    *_, last, wrong = capsys.readouterr().out.splitlines()
    assert "BROKEN" in last
    assert wrong.startswith("seed 0: PromiseBroken: ")


def test_many_seeds_are_run_on_all_cores_and_counted() -> None:
    """As a command: it forks, which a process of tests that has threads must not."""
    command = [sys.executable, "-m", "tests.simulation", "--seeds", "12", "--workers", "2"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)  # noqa: S603  our own
    assert told.stdout.startswith("12 seeds, 0 of them failed, ")


def test_of_many_seeds_the_one_that_fails_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with applied(NEVER_FINISHED):
        assert main(["--first", "7", "--seeds", "1", "--workers", "1"]) == 1
    assert capsys.readouterr().out.startswith("seed 7: PromiseBroken: ")
