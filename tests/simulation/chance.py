"""What chance decides before a simulation begins: its settings, its size, and what may go wrong.

No seed has all faults at once: each draws which ones it has, so that one kind does not drown the
others (swarm testing), and every sixth has none at all. What must hold on quiet days is checked on
those.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeAlias

Chance: TypeAlias = random.Random

# Between two steps of the scheduler, for the first group; for each question to the store, call to
# the provider, or answer to a browser, for the second.
_FAULTS: Final = {
    "crash": 0.006,
    "freeze": 0.006,
    "jump": 0.006,
    "store down": 0.003,
    "provider down": 0.003,
    "store blip": 0.01,
    "provider blip": 0.12,
    "lost answer": 0.06,
}
# Not faults: these leave every row of the promise as it is.
_HAPPENINGS: Final = {
    "impatience": 0.15,
    "quiet jump": 0.012,
    "theft": 0.02,
    "new site keys": 0.006,
    "new provider keys": 0.003,
    "lost cookies": 0.004,
    "signed out by provider": 0.003,
    "slow store": 0.1,
}
_QUIET = 6


@dataclass(frozen=True, slots=True)
class Profile:
    """One seed's world. ``idle`` is ``SESSION_IDLE`` in seconds, ``rates`` how often what happens.

    ``quiet`` where no fault ever does. ``userinfo`` says whether a claim is to be had only there.
    """

    mode: str
    keep_tokens: bool
    idle: int
    userinfo: bool
    processes: int
    browsers: int
    tabs: int
    steps: int
    quiet: bool
    rates: Mapping[str, float]


def draw(seed: int) -> tuple[Profile, Chance]:
    """Return the profile of ``seed``, and the chance that decides everything else."""
    chance = random.Random(seed)  # noqa: S311  it must be the same again
    quiet = seed % _QUIET == 0
    rates = {name: _rate(chance, usual) for name, usual in _HAPPENINGS.items()}
    faults = {name: _rate(chance, usual) for name, usual in _FAULTS.items()}
    rates |= dict.fromkeys(faults, 0.0) if quiet else faults
    profile = Profile(
        mode=chance.choice(("cookie", "server")),
        keep_tokens=chance.random() < 0.6,
        idle=chance.choice((600, 3600)),
        userinfo=chance.random() < 0.3,
        processes=chance.randint(1, 3),
        browsers=chance.randint(1, 3),
        tabs=chance.randint(1, 3),
        steps=chance.choice((50, 100, 200, 400)),
        quiet=quiet,
        rates=rates,
    )
    return profile, chance


def _rate(chance: Chance, usual: float) -> float:
    return chance.choice((0.0, 0.0, 0.5, 1.0, 3.0)) * usual


def make_token_bytes(seed: int) -> Callable[[int], bytes]:
    """Return a source of bytes that never repeats, and is the same again for the same ``seed``."""
    numbers = count()
    return lambda size: hashlib.shake_256(f"{seed} {next(numbers)}".encode()).digest(size)
