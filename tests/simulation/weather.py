"""What happens to a fleet besides its users: faults, and what is none and still must do no harm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from .fleet import Fleet
from .people import People
from .world import World

T = TypeVar("T")

# Seconds: past a pause, a lease, a check, a window, a token, a login and an idle session. With
# flows under way only the first three, or a claim could end that somebody is about to ask for.
_JUMPS: Final = (5.0, 20.0, 31.0, 121.0, 301.0, 700.0, 4000.0)
_LONGEST_OUTAGE: Final = 60.0
_LONGEST_FREEZE: Final = 100.0


@dataclass(slots=True)
class Weather:
    """Lets things happen as often as the profile says; ``come_to_rest`` lets all flows end."""

    world: World
    fleet: Fleet
    people: People
    come_to_rest: Callable[[], None]
    _possible: Sequence[tuple[str, Callable[[], None]]] = field(init=False)

    def __post_init__(self) -> None:
        every: dict[str, Callable[[], None]] = {
            "crash": lambda: self.fleet.crash(self._choice(self.fleet.processes)),
            "freeze": self._freeze,
            "jump": self._jump,
            "quiet jump": self._quiet_jump,
            "store down": self._store_down,
            "provider down": self._provider_down,
            "new site keys": self.fleet.change_keys,
            "new provider keys": self.fleet.change_provider_key,
            "lost cookies": lambda: self.people.lose_cookies(self._choice(self.fleet.browsers)),
            "theft": lambda: self.people.steal(self._choice(self.fleet.browsers)),
            "signed out by provider": self._sign_out_by_provider,
        }
        rates = self.world.profile.rates
        self._possible = [(name, happen) for name, happen in every.items() if rates[name] > 0]

    def happen(self) -> None:
        """Let happen what chance says."""
        for name, happen in self._possible:
            if self.world.happens(name):
                happen()

    def _freeze(self) -> None:
        seconds = self.world.chance.uniform(0.0, _LONGEST_FREEZE)
        self.fleet.freeze(self._choice(self.fleet.processes), seconds)

    def _jump(self) -> None:
        self.fleet.jump(self._choice(_JUMPS))

    def _quiet_jump(self) -> None:
        self.come_to_rest()
        self.fleet.jump(self._choice(_JUMPS))

    def _store_down(self) -> None:
        seconds = self.world.chance.uniform(0.0, _LONGEST_OUTAGE)
        self.world.note(f"the store is down for {seconds:.0f} s")
        self.world.store_down_until = self.world.clock.now + seconds

    def _provider_down(self) -> None:
        seconds = self.world.chance.uniform(0.0, _LONGEST_OUTAGE)
        self.world.note(f"the provider is down for {seconds:.0f} s")
        self.world.provider_down_until = self.world.clock.now + seconds

    def _sign_out_by_provider(self) -> None:
        sign_ins = self.fleet.promises.sign_ins
        known = [
            grant
            for grant in self.fleet.provider.codes.values()
            if grant.code_used and sign_ins[grant.asked["state"]].session
        ]
        if known:
            self.fleet.sign_out_by_provider(self._choice(known))

    def _choice(self, some: Sequence[T]) -> T:
        return self.world.chance.choice(some)
