"""What people, browsers, processes and the provider can do, in any order.

Every rule says which of the two processes answers, so that each step may meet the one that knows
nothing of the step before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from intastellar_auth.core.attempt import MAX_ATTEMPTS
from tests.flows.stage import SESSION_COOKIE

from . import deeds, visits
from .person import LOGIN_PREFIX
from .records import LOGIN_TIMEOUT
from .strict import FAULTS, TOKEN_LIFETIME
from .world import (
    REPLAY_WINDOW,
    REVOCATION_CHECK,
    SESSION_IDLE,
    SESSION_LIFETIME,
    TARGETS,
    make_world,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

# Reduced to what there is when a rule runs; small numbers are the newest.
picks = st.integers(0, 6)
people = st.integers(0, 1)
processes = st.integers(0, 1)
turns = st.lists(st.booleans(), max_size=30)
hows = st.sampled_from(["first", "first", "first", "another", "another", "foreign", "error"])
AHEAD = ({"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"}, {"x-moz": "prefetch"})
# Long enough that work which was withdrawn may be tried again, and that no two things that happen
# one after the other happen at once.
_TICK = 1.5
_ROLL = 300.0
# What ends after so many seconds; a token is due for a refresh a minute before its end.
_SHORT = (REVOCATION_CHECK, REPLAY_WINDOW, TOKEN_LIFETIME - 60, TOKEN_LIFETIME, LOGIN_TIMEOUT)
_CORNERS = (*_SHORT, *_SHORT, SESSION_IDLE, SESSION_LIFETIME)


def newest(things: Sequence[T], pick: int) -> T:
    """Return one of ``things``."""
    return things[-1 - pick % len(things)]


class BrowserMachine(RuleBasedStateMachine):
    """One world, in one ``mode``; subclasses say in which."""

    mode: ClassVar[str] = "cookie"
    steps: ClassVar[int] = 0
    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.world = make_world(self.mode)
        self.slow: list[visits.Visit] = []

    def teardown(self) -> None:
        """Add what this run has seen to what all have seen."""
        BrowserMachine.seen += self.world.seen

    @property
    def _has_sign_in(self) -> bool:
        return bool(self.world.sign_ins)

    @rule(who=people, process=processes, page=st.sampled_from(TARGETS))
    def start(self, who: int, process: int, page: str) -> None:
        """Open a tab, and start a sign-in in it."""
        person = self.world.people[who]
        self.world.begin(person, self.world.stages[process], page)
        # CB-24: they must not pile up until a server refuses the header.
        assert person.login_cookies <= MAX_ATTEMPTS

    @rule(who=people, process=processes, page=st.sampled_from(TARGETS))
    def sign_in(self, who: int, process: int, page: str) -> None:
        """Start, and come back at once."""
        self.start(who, process, page)
        self.call_back(0, 1 - process, "first")

    @rule(who=people, process=processes, how=st.sampled_from(["foreign", "error"]))
    def sign_in_in_vain(self, who: int, process: int, how: str) -> None:
        """Start, and come back with somebody else's code, or with an error."""
        self.start(who, process, "/page")
        self.call_back(0, 1 - process, how)

    @precondition(lambda self: self._has_sign_in)
    @rule(pick=picks, process=processes, how=hows)
    def call_back(self, pick: int, process: int, how: str) -> None:
        """Come back from the provider, for the first time or once more."""
        sign_in = newest(self.world.sign_ins, pick)
        deeds.call_back(self.world, sign_in, sign_in.person, process, how)

    @precondition(lambda self: self._has_sign_in)
    @rule(pick=picks, process=processes, how=hows, fault=st.sampled_from(FAULTS))
    def call_back_in_vain(self, pick: int, process: int, how: str, fault: str) -> None:
        """Come back while the provider has trouble with codes."""
        sign_in = newest(self.world.sign_ins, pick)
        deeds.call_back(self.world, sign_in, sign_in.person, process, how, fault=fault)

    @precondition(lambda self: self._has_sign_in)
    @rule(pick=picks, process=processes, how=hows)
    def call_back_elsewhere(self, pick: int, process: int, how: str) -> None:
        """Open the callback in the other browser."""
        sign_in = newest(self.world.sign_ins, pick)
        (other,) = (one for one in self.world.people if one is not sign_in.person)
        deeds.call_back(self.world, sign_in, other, process, how)

    @precondition(lambda self: self._has_sign_in)
    @rule(pick=picks, order=turns, codes=st.tuples(hows, hows))
    def call_back_twice_at_once(self, pick: int, order: list[bool], codes: tuple[str, str]) -> None:
        """Two callbacks, in two processes, whose steps come in any order."""
        ours = ["first" if how in ("foreign", "error") else how for how in codes]
        deeds.call_back_twice(self.world, newest(self.world.sign_ins, pick), ours, order)

    @precondition(lambda self: self._has_sign_in)
    @rule(pick=picks, process=processes)
    def hang_up(self, pick: int, process: int) -> None:
        """Close the browser's connection in the middle of the exchange; it goes on."""
        sign_in, hand = newest(self.world.sign_ins, pick), self.world.hand
        with deeds.half_way(self.world, sign_in, process, None) as running:
            if not running.ended:
                hand.hang_up(running)
                hand.finish(running)

    @precondition(lambda self: self._has_sign_in)
    @rule(pick=picks, process=processes, arrived=st.booleans())
    def die(self, pick: int, process: int, arrived: bool) -> None:
        """Let the process die over the exchange, before or after the code has arrived."""
        sign_in, hand = newest(self.world.sign_ins, pick), self.world.hand
        with deeds.half_way(self.world, sign_in, process, "died") as running:
            if arrived and not running.ended:
                hand.step(running)
            hand.crash(running)
        self.restart(process)

    @rule(pick=picks, process=processes, who=people, how=st.sampled_from(AHEAD), head=st.booleans())
    def look_ahead(
        self, pick: int, process: int, who: int, how: dict[str, str], head: bool
    ) -> None:
        """P12: a prefetch, a prerender or a HEAD uses nothing up, and sets nothing."""
        world = self.world
        targets = ["/auth/login?next=/page", "/auth/logout"]
        targets += [world.url(sign_in, "first") for sign_in in world.sign_ins]
        request = world.people[who].request(newest(targets, pick), {} if head else how)
        deeds.look_ahead(world, process, replace(request, method="HEAD") if head else request)

    @rule(who=people, process=processes)
    def visit(self, who: int, process: int) -> None:
        """Go to a page of the app."""
        visit = visits.come_in(self.world, self.world.stages[process], self.world.people[who])
        visits.admit(self.world, visit)
        visits.go_out(self.world, visit)

    @rule(who=people, order=turns)
    def visit_twice_at_once(self, who: int, order: list[bool]) -> None:
        """P14: two requests, in two processes, that find at once that it is time to refresh."""
        world, person = self.world, self.world.people[who]
        pair = [visits.come_in(world, stage, person) for stage in world.stages]
        deeds.take_turns(
            world.hand, [one.running for one in pair if one.running is not None], order
        )
        before = sum(world.provider.sent.values())
        for one in pair:
            visits.admit(world, one)
            visits.go_out(world, one)
        assert sum(world.provider.sent.values()) == before

    @rule(who=people, order=turns)
    def refresh_twice_at_once(self, who: int, order: list[bool]) -> None:
        """P14: the same, when it is sure to be time."""
        if self.world.living(self.world.people[who]) is None:
            self.sign_in(who, 0, "/page")
        self.world.hand.clock.now += TOKEN_LIFETIME
        self.visit_twice_at_once(who, order)

    @rule(who=people, process=processes)
    def visit_slowly(self, who: int, process: int) -> None:
        """P13: a request comes in whose answer goes out later."""
        visit = visits.come_in(self.world, self.world.stages[process], self.world.people[who])
        visits.admit(self.world, visit)
        self.slow.append(visit)

    @precondition(lambda self: self.slow)
    @rule(pick=picks)
    def answer_slowly(self, pick: int) -> None:
        """P13: its answer goes out."""
        visit = newest(self.slow, pick)
        self.slow.remove(visit)
        visits.go_out(self.world, visit)

    @rule(who=people, process=processes, by_provider=st.booleans())
    def log_out_meanwhile(self, who: int, process: int, by_provider: bool) -> None:
        """P13: a logout overtakes a request whose answer would carry a roll."""
        self.world.hand.clock.now += _ROLL
        self.visit_slowly(who, process)
        end = self.provider_ends_user if by_provider else self.log_out
        end(who, 1 - process)
        self.answer_slowly(0)

    @rule(who=people, process=processes)
    def log_out(self, who: int, process: int) -> None:
        """Log out; the provider's session ends too."""
        deeds.log_out(self.world, self.world.people[who], process)

    @precondition(lambda self: self.world.lives)
    @rule(pick=picks, process=processes, with_sub=st.booleans())
    def provider_ends_sid(self, pick: int, process: int, with_sub: bool) -> None:
        """The provider ends one of its sessions, and says so."""
        world, life = self.world, newest(list(self.world.lives.values()), pick)
        deeds.backchannel(self.world, process, sid=life.sid, sub=life.user if with_sub else None)
        world.ended_sids.setdefault(life.sid, world.now)
        for person in world.people:
            if person.sid == life.sid:
                person.sid = world.provider.new_sid()

    @rule(who=people, process=processes)
    def provider_ends_user(self, who: int, process: int) -> None:
        """The provider ends all sessions of a user, and says so."""
        world, person = self.world, self.world.people[who]
        deeds.backchannel(self.world, process, sid=None, sub=person.user)
        world.ended_users.append((person.user, world.now))
        person.sid = world.provider.new_sid()

    @rule(who=people, what=st.sampled_from([LOGIN_PREFIX, SESSION_COOKIE, ""]))
    def lose_cookies(self, who: int, what: str) -> None:
        """The browser loses its login cookies, its session, or everything."""
        person = self.world.people[who]
        if what == SESSION_COOKIE:
            person.lose_session()
        else:
            person.lose(what)

    @rule(who=people)
    def copy_cookies(self, who: int) -> None:
        """Somebody copies the cookies."""
        self.world.people[who].copy = self.world.people[who].held()

    @precondition(lambda self: any(person.copy for person in self.world.people))
    @rule(who=people)
    def bring_back_copy(self, who: int) -> None:
        """The copy is used."""
        self.world.people[who].bring_back()

    @rule(process=processes)
    def restart(self, process: int) -> None:
        """A process starts anew, and remembers nothing."""
        self.world.stages[process] = self.world.stages[process].other_process()

    @rule(length=st.sampled_from(_CORNERS), pick=picks, by=st.sampled_from([-2.0, 0.0, 2.0]))
    def wait(self, length: float, pick: int, by: float) -> None:
        """Let time pass until just before, at or just after something ends."""
        world = self.world
        since = [at for one in world.sign_ins for at in (one.started, one.recorded)]
        since += [life.created for life in world.lives.values()]
        since += world.rolled.values()
        since += [end - TOKEN_LIFETIME for end in world.provider.ends.values()]
        times = sorted({at + length + by for at in since if at + length + by > world.now})
        world.hand.clock.now = times[pick % len(times)] if times else world.now + length

    @rule(who=people, process=processes, length=st.sampled_from(_SHORT))
    def rest(self, who: int, process: int, length: float) -> None:
        """Let a while pass, and go on: tokens are due for a refresh, cookies for a roll."""
        self.world.hand.clock.now += length
        self.visit(who, process)

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        """P9, P14: a code and a refresh token are good for one use, and get no other."""
        BrowserMachine.steps += 1
        assert self.world.provider.broken == []
        self.world.hand.done.clear()
        self.world.hand.clock.now += _TICK


class ServerMachine(BrowserMachine):
    """The same, with sessions in the store."""

    mode = "server"
