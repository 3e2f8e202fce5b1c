"""One seed, from its first event to its last: people, chance and faults; then quiet."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from .browser import Browser, Tab
from .fleet import Fleet
from .people import People
from .promises import REVOCATION_CHECK, STORE_GRACE
from .weather import Weather
from .world import World

# Rounds in which everyone who is not yet there tries once more, when nothing fails any longer.
_MOST_ROUNDS: Final = 12
_ACTS: Final = 0.15


class _Notes(logging.Handler):
    """Puts what the package logs among the events."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def emit(self, record: logging.LogRecord) -> None:
        """Note what is logged."""
        self.world.note("log:", record.getMessage)


@dataclass(slots=True)
class Simulation:
    """One seed. ``run`` raises ``PromiseBroken``, or whatever else nobody foresaw."""

    seed: int
    beyond: frozenset[str] = frozenset()
    traced: bool = True
    world: World = field(init=False)
    fleet: Fleet = field(init=False)
    people: People = field(init=False)
    weather: Weather = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.seed, self.beyond, self.traced)
        self.fleet = Fleet(self.world)
        self.people = People(self.fleet)
        self.weather = Weather(self.world, self.fleet, self.people, self._drain)

    def run(self) -> None:
        """Let everything happen, then let it come to rest."""
        with _heard(self.world):
            for _ in range(self.world.profile.steps):
                self._happen()
                self._step()
            self._come_to_rest()

    def _step(self) -> bool:
        went_on = self.fleet.step()
        self.people.read()
        return went_on

    def _happen(self) -> None:
        """Let somebody act, and let happen what happens besides."""
        world, chance = self.world, self.world.chance
        if chance.random() < _ACTS or not self._under_way():
            browser = chance.choice(self.fleet.browsers)
            tab = chance.choice(browser.tabs)
            if tab.where != "loading" or world.happens("impatience"):
                self.people.act(browser, tab)
        self.weather.happen()
        self.people.read()

    def _under_way(self) -> bool:
        return bool(self.fleet.outside.tasks or self.fleet.travelling)

    def _come_to_rest(self) -> None:
        """Nothing fails any longer: everyone ends where they wanted to be, signed in."""
        world = self.world
        world.calm = True
        world.note("from here on nothing fails")
        self._drain()
        # Until every process knows what has ended, and has forgotten what has failed.
        world.clock.now += REVOCATION_CHECK + STORE_GRACE
        world.healthy = True
        for _ in range(_MOST_ROUNDS):
            were_there = not self._still_away()
            for browser, tab in self._tabs():
                self.people.try_on(browser, tab)
            self._drain()
            world.clock.now += world.chance.uniform(2.0, 8.0)
            if were_there and not self._still_away():
                return
        world.broken("quiesce", f"these never get there: {self._still_away()}")

    def _tabs(self) -> list[tuple[Browser, Tab]]:
        return [(browser, tab) for browser in self.fleet.browsers for tab in browser.tabs]

    def _still_away(self) -> list[str]:
        """Return which tabs do not show the page that their users first wanted to see."""
        return [
            f"{tab.name} is {tab.where} at {tab.at}"
            for _, tab in self._tabs()
            if tab.where != "on a page" or tab.at != tab.wants or tab.wants == "/"
        ]

    def _drain(self) -> None:
        while self._step():
            pass


@contextmanager
def _heard(world: World) -> Iterator[None]:
    """Note what the package logs, and let nobody else hear it: there is no warning that is not."""
    logger = logging.getLogger("intastellar_auth")
    handler, before = _Notes(world), (logger.level, logger.propagate)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
