"""What everything in a simulation shares: the time, chance, the store, and the record of events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from intastellar_auth.stores import MemoryStore
from tests.flows.hand import Clock

from .chance import Chance, Profile, draw, make_token_bytes


class PromiseBroken(AssertionError):
    """A row of the promise does not hold; the message names it."""


@dataclass(slots=True)
class World:
    """One seed's world. ``event`` counts what has happened, ``faults`` what went wrong of it.

    ``calm`` from when on nothing fails, ``healthy`` from when on nothing that has failed is felt.
    ``beyond`` names what is known not to hold (``seeds.py``) and is held all the same. Only a
    ``traced`` one keeps its events.
    """

    seed: int
    beyond: frozenset[str] = frozenset()
    traced: bool = True
    profile: Profile = field(init=False)
    chance: Chance = field(init=False)
    token_bytes: Callable[[int], bytes] = field(init=False)
    clock: Clock = field(default_factory=Clock)
    store: MemoryStore = field(init=False)
    event: int = 0
    faults: int = 0
    store_down_until: float = 0.0
    provider_down_until: float = 0.0
    store_faults: int = 0
    calm: bool = False
    healthy: bool = False
    events: list[tuple[int, float, tuple[object, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.profile, self.chance = draw(self.seed)
        self.token_bytes = make_token_bytes(self.seed)
        self.store = MemoryStore(clock=self.clock)

    def note(self, *words: object) -> None:
        """Record an event.

        Only when somebody reads the trace are ``words`` made a line of, and those that are
        functions called for it.
        """
        self.event += 1
        if self.traced:
            self.events.append((self.event, self.clock.now, words))

    def happens(self, what: str) -> bool:
        """Return whether ``what`` happens now. In a calm world nothing does that need not."""
        rate = self.profile.rates[what]
        return not self.calm and rate > 0 and self.chance.random() < rate

    def broken(self, row: str, why: str) -> NoReturn:
        """End the simulation: ``row`` of the promise is broken."""
        self.note("BROKEN", row, why)
        raise PromiseBroken(f"{row}: {why}")

    def hold(self, row: str, held: bool, *why: object) -> None:
        """Go on only if ``row`` of the promise is ``held``."""
        if not held:
            self.broken(row, " ".join(map(str, why)))

    def trace(self) -> str:
        """Return all that has happened, a line each: event, seconds since the beginning, what."""
        began = Clock().now
        return "\n".join(
            f"{at:6} {now - began:10.3f}  {' '.join(map(_text, words))}"
            for at, now, words in self.events
        )


def _text(word: object) -> str:
    return str(word() if callable(word) else word)
