"""Exactly once, in every order that chance comes up with: turns, waits, and processes that die."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from intastellar_auth.core.effects import Fetch, Flow, fetch, pause
from intastellar_auth.core.once import No, Once, Work, once
from tests.oidc.forge import answer

from .hand import Hand, Running, make_token_bytes

FLOWS, PROCESSES = 4, 2
LEASE, WINDOW = 25.0, 120.0
PROVIDER = Fetch("POST", "https://accounts.example/token")
# Longer than all the waits that a schedule can have, as a claim outlives all who could ask.
LASTS = 100_000.0


@dataclass(frozen=True, slots=True)
class Turn:
    """Let a flow go on by one effect; or ``wait`` seconds; or let a process die."""

    flow: int = 0
    wait: float = 0.0
    dies: int | None = None


turns = st.lists(
    st.one_of(
        st.builds(Turn, flow=st.integers(0, FLOWS - 1)),
        st.builds(Turn, flow=st.integers(0, FLOWS - 1)),
        st.builds(Turn, flow=st.integers(0, FLOWS - 1), wait=st.sampled_from((0.3, 9.0, 40.0))),
        st.builds(Turn, dies=st.integers(0, PROCESSES - 1)),
    ),
    max_size=60,
)


@dataclass(slots=True)
class Requests:
    """Four identical requests, two in each process."""

    unreachable: int = 0
    hand: Hand = field(default_factory=Hand)
    sent: int = 0
    running: list[Running[bytes | No]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hand.say(PROVIDER.url, answer({}))
        what = Once(
            b"attempt",
            b"secret",
            lease=LEASE,
            window=WINDOW,
            lasts=LASTS,
            clock=self.hand.clock,
            token_bytes=make_token_bytes(),
        )
        self.running = [self.hand.start(once(what, self._work)) for _ in range(FLOWS)]

    def follow(self, schedule: list[Turn]) -> list[Running[bytes | No]]:
        """Take the turns, then let whoever is left finish; return those who got an answer."""
        alive = [True] * PROCESSES
        for turn in schedule:
            if turn.dies is not None:
                alive[turn.dies] = False
                for one in self.running[turn.dies :: PROCESSES]:
                    self.hand.crash(one)
            self.hand.clock.now += turn.wait
            self._step(turn.flow)
        for number in range(FLOWS * 1000):
            self._step(number % FLOWS)
        return [one for at, one in enumerate(self.running) if alive[at % PROCESSES]]

    def _step(self, flow: int) -> None:
        if not self.running[flow].ended:
            self.hand.step(self.running[flow])

    def _work(self) -> Flow[Work]:
        """Send a code, unless the provider cannot be reached just now."""
        if self.unreachable > 0:
            self.unreachable -= 1
            yield from pause(0.5)
            return Work(b"unreachable", happened=False)
        self.sent += 1
        yield from fetch(PROVIDER)
        yield from pause(0.5)
        return Work(f"outcome of request {self.sent}".encode())


@settings(max_examples=200, deadline=None)
@given(turns)
def test_in_any_order_and_whoever_dies_the_work_is_done_at_most_once(schedule: list[Turn]) -> None:
    """P2, P9."""
    requests = Requests()
    answered = requests.follow(schedule)
    assert requests.sent <= 1
    assert all(one.ended and one.error is None for one in answered)
    results = {one.result for one in answered}
    assert results <= {b"outcome of request 1", No.LAPSED, No.WINDOW_OVER}


@settings(max_examples=100, deadline=None)
@given(turns.map(lambda found: [turn for turn in found if turn.dies is None and not turn.wait]))
def test_where_nobody_dies_everybody_gets_the_one_outcome(schedule: list[Turn]) -> None:
    """P2."""
    requests = Requests()
    assert {one.result for one in requests.follow(schedule)} == {b"outcome of request 1"}
    assert requests.sent == 1


@settings(max_examples=200, deadline=None)
@given(turns, st.integers(1, 3))
def test_work_that_was_withdrawn_any_number_of_times_still_happens_at_most_once(
    schedule: list[Turn], unreachable: int
) -> None:
    """P9: the code is sent again only if it surely never left."""
    requests = Requests(unreachable)
    answered = requests.follow(schedule)
    assert requests.sent <= 1
    assert all(one.ended and one.error is None for one in answered)
    results = {one.result for one in answered}
    assert results <= {b"outcome of request 1", b"unreachable", No.LAPSED, No.WINDOW_OVER}


@settings(max_examples=100, deadline=None)
@given(turns)
def test_nobody_waits_longer_than_the_lease(schedule: list[Turn]) -> None:
    requests = Requests()
    waited = sum(turn.wait for turn in schedule)
    began = requests.hand.clock.now
    requests.follow(schedule)
    # Each wait of the schedule may stand before a pause of every flow, and no pause is longer.
    assert requests.hand.clock.now - began <= waited + LEASE + 1.0
