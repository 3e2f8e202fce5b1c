"""The outside of a flow, played by hand: a store, a provider's answers, and a clock.

``Hand`` performs effects one at a time and keeps them all, so that a test says not only what came
of a flow but what it asked for on the way, and lets several flows take turns in any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import Generic, TypeAlias, TypeVar, assert_never, cast

from intastellar_auth.core.effects import (
    Add,
    Answer,
    Delete,
    Effect,
    Fetch,
    Flow,
    Get,
    GetMany,
    Pause,
    Put,
    Take,
    Unbroken,
)
from intastellar_auth.drive.ask import Question, ask
from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.stores import MemoryStore

T = TypeVar("T")

Said: TypeAlias = Answer | Exception | Callable[[Fetch], Answer]
"""What is said to a request: an answer, an error, or what a function makes of the request."""

Wanted: TypeAlias = Fetch | Question | Pause
"""What is performed. An unbroken flow is run instead."""

# More than any flow here has: one that takes more never ends.
_MANY = 10_000


@dataclass(slots=True)
class Clock:
    """Called, it returns ``now``, in seconds; it moves when a flow pauses or a test says so."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def make_token_bytes() -> Callable[[int], bytes]:
    """Return a source of bytes that never repeats and is the same in every run."""
    numbers = count()
    return lambda size: hashlib.shake_256(str(next(numbers)).encode()).digest(size)


@dataclass(slots=True)
class Running(Generic[T]):
    """A flow under way. ``wants`` is the effect it waits for, ``None`` when it has ended."""

    flows: list[Flow[object]]
    wants: Wanted | None = None
    since: float = 0.0
    result: T | None = None
    error: BaseException | None = None

    @property
    def ended(self) -> bool:
        """Whether there is a result or an error."""
        return self.wants is None


@dataclass(slots=True)
class Hand:
    """Performs effects. A kind of effect in ``refused`` finds the store down.

    A pause lasts ``pace`` times as long as it was asked for: processes do stand still.
    """

    clock: Clock = field(default_factory=Clock)
    said: dict[str, list[Said]] = field(default_factory=dict)
    refused: set[type[Effect]] = field(default_factory=set)
    done: list[Effect] = field(default_factory=list)
    pace: float = 1.0
    store: MemoryStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock)

    def say(self, url: str, *said: Said) -> None:
        """Answer requests to ``url`` with these in turn, and with the last from then on."""
        self.said[url] = list(said)

    def start(self, flow: Flow[T]) -> Running[T]:
        """Run ``flow`` to its first effect, which is not performed yet."""
        running: Running[T] = Running([flow])
        self._go_on(running, None, None)
        return running

    def step(self, running: Running[T]) -> None:
        """Perform the effect that ``running`` wants, and run it to its next one."""
        effect = running.wants
        assert effect is not None, "the flow has ended"
        self.done.append(effect)
        try:
            answer = self._perform(effect, running.since)
        except Exception as error:  # noqa: BLE001  a flow is told of any error
            self._go_on(running, None, error)
        else:
            self._go_on(running, answer, None)

    def until(self, running: Running[T], *kinds: type[Wanted]) -> Wanted:
        """Go on until ``running`` wants an effect of ``kinds``, and return that effect."""
        for _ in takewhile(lambda _: not isinstance(running.wants, kinds), range(_MANY)):
            self.step(running)
        assert isinstance(running.wants, kinds), "the flow never asks for that"
        return running.wants

    def finish(self, running: Running[T]) -> T:
        """Go on to the end; return the flow's result, or raise its error."""
        for _ in takewhile(lambda _: not running.ended, range(_MANY)):
            self.step(running)
        assert running.ended, "the flow does not end"
        if running.error is not None:
            raise running.error
        return cast("T", running.result)

    def play(self, flow: Flow[T]) -> T:
        """Run ``flow`` from its beginning to its end."""
        return self.finish(self.start(flow))

    def hang_up(self, running: Running[T]) -> None:
        """Give the request up, as a driver does: what is unbroken goes on, the rest is closed."""
        running.flows[0].close()
        del running.flows[0]
        if not running.flows:
            running.wants = None

    def crash(self, running: Running[T]) -> None:
        """Let the process die: nothing of the flow goes on."""
        for flow in reversed(running.flows):
            flow.close()
        running.flows.clear()
        running.wants = None

    def fetched(self, url: str) -> list[Fetch]:
        """Return the requests to ``url``, so far."""
        return [one for one in self.done if isinstance(one, Fetch) and one.url == url]

    def kinds(self) -> list[type[Effect]]:
        """Return what kinds of effects were performed, in their order."""
        return [type(effect) for effect in self.done]

    def _go_on(self, running: Running[T], answer: object, error: Exception | None) -> None:
        while running.flows:
            flow = running.flows[-1]
            try:
                effect = flow.send(answer) if error is None else flow.throw(error)
            except StopIteration as stop:
                answer, error = stop.value, None
                running.flows.pop()
            except Exception as raised:  # noqa: BLE001  whoever runs the flow is told of any error
                answer, error = None, raised
                running.flows.pop()
            else:
                answer, error = None, None
                if not isinstance(effect, Unbroken):
                    running.wants, running.since = effect, self.clock.now
                    return
                self.done.append(effect)
                running.flows.append(effect.flow)
        running.wants, running.error = None, error
        running.result = cast("T | None", answer)

    def _perform(self, effect: Wanted, since: float) -> object:
        kind = Get if isinstance(effect, GetMany) else type(effect)
        if kind in self.refused:
            raise StoreUnavailable(f"the store does not {type(effect).__name__.lower()}")
        match effect:
            case Fetch(url=url):
                return self._answer(effect, self.said[url])
            case Get() | GetMany() | Put() | Add() | Take() | Delete():
                return ask(self.store, effect)
            case Pause(seconds):
                self.clock.now = max(self.clock.now, since + seconds * self.pace)
            case _:
                assert_never(effect)
        return None

    @staticmethod
    def _answer(request: Fetch, said: list[Said]) -> Answer:
        now = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(now, Exception):
            raise now
        return now if isinstance(now, Answer) else now(request)
