"""Two people at their browsers, two processes, a provider and a clock, and what is known of all.

The world knows what was done, and says what must follow; it never asks the site what it thinks,
except to tell which session a cookie is of.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from intastellar_auth.core import cookies
from intastellar_auth.core.in_cookie import InCookie
from intastellar_auth.core.in_store import InStore
from tests.flows.stage import (
    SESSION_COOKIE,
    Stage,
    asked_of_provider,
    make_stage,
    set_cookies,
)
from tests.oidc.forge import ISSUER

from .person import Person
from .records import LOGIN_TIMEOUT, Life, SignIn, Told
from .strict import StrictProvider

if TYPE_CHECKING:
    from intastellar_auth.core.messages import Reply
    from intastellar_auth.core.site import Site
    from tests.flows.hand import Hand

REPLAY_WINDOW, REVOCATION_CHECK = 120.0, 30.0
SESSION_IDLE, SESSION_LIFETIME = 3600.0, 14_400.0
AUTHORIZE = f"{ISSUER}/authorize?"
TARGETS = ("/page", "/other?x=1&y=%C3%A4", "/", "/" + "long" * 40)


@dataclass(slots=True)
class World:
    """All of it; ``seen`` counts how often each promise was put to the test."""

    mode: str
    hand: Hand
    stages: list[Stage]
    watcher: Site
    provider: StrictProvider
    people: tuple[Person, ...]
    sign_ins: list[SignIn] = field(default_factory=list)
    lives: dict[str, Life] = field(default_factory=dict)
    rolled: dict[str, float] = field(default_factory=dict)
    ended_sids: dict[str, float] = field(default_factory=dict)
    ended_users: list[tuple[str, float]] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def now(self) -> float:
        """The time."""
        return self.hand.clock.now

    def begin(self, person: Person, stage: Stage, target: str) -> Reply:
        """Start a sign-in, and note it."""
        reply = stage.hand.finish(
            stage.run(person.request(f"/auth/login?{urlencode({'next': target})}"))
        )
        person.keep(_set_cookies(reply))
        self.note_start(person, reply, target, 0)
        return reply

    def note_start(self, person: Person, reply: Reply, target: str, restarts: int) -> None:
        """Note that ``reply`` sends ``person`` to the provider."""
        asked = asked_of_provider(reply)
        self.sign_ins.append(
            SignIn(person, asked["state"], asked["nonce"], target, self.now, restarts)
        )

    def code(self, sign_in: SignIn, how: str) -> str:
        """Return the first code for the attempt, another one, or one of somebody else's."""
        person, provider = sign_in.person, self.provider
        if how == "foreign":
            return provider.grant("mallory", provider.new_sid(), "a nonce of mallory's")
        if how == "another" or not sign_in.codes:
            sign_in.codes.append(provider.grant(person.user, person.sid, sign_in.nonce))
        return sign_in.codes[-1] if how == "another" else sign_in.codes[0]

    def ask(self, sign_in: SignIn, person: Person, how: str, fault: str | None = None) -> Told:
        """Return what is known before ``person`` opens a callback of ``sign_in``."""
        name = cookies.tagged(self.watcher.attempts.prefix, sign_in.state)
        cookie, living = person.held().get(name), self.living(person)
        return Told(sign_in, person, how, self.now, cookie, living, sign_in.fate, fault)

    def url(self, sign_in: SignIn, how: str) -> str:
        """Return the callback that the provider sends the browser to."""
        said = {"error": "access_denied"} if how == "error" else {"code": self.code(sign_in, how)}
        return f"/auth/callback?{urlencode({**said, 'state': sign_in.state})}"

    def hear(self, told: Told, reply: Reply, sent: tuple[str, ...]) -> None:
        """Take note of the answer to a callback, before which the codes in ``sent`` were sent."""
        written = _set_cookies(reply)
        told.person.keep(written)
        self.conclude(told, sent)
        told.at, told.status = self.now, reply.status
        told.location = next((value for key, value in reply.headers if key == "location"), "")
        set_now = set_cookies(reply)
        told.given = self.session_of(set_now.get(SESSION_COOKIE, "").partition(";")[0])
        sign_in = told.sign_in
        name = cookies.tagged(self.watcher.attempts.prefix, sign_in.state)
        if told.given is not None:
            sign_in.receipts.add(told.person.cookies[name][0])
            self._note_life(told, told.given)
        if told.location.startswith(AUTHORIZE):
            target = sign_in.target if told.cookie is not None else sign_in.carried
            self.note_start(told.person, reply, target, sign_in.restarts + 1)

    def conclude(self, told: Told, sent: tuple[str, ...]) -> None:
        """Take note of what has come of an attempt, whether or not anyone hears of it."""
        told.sent = sent
        told.sign_in.sent += sent
        if told.fresh and told.sign_in.fate == "open":
            told.sign_in.fate = self._fate(told)
            told.sign_in.recorded, told.sign_in.recorded_by = told.asked_at, self.now

    def is_banned(self, user: str, sid: str, began: float) -> bool:
        """Return whether a logout has ended a session that began like this before it is there."""
        return sid in self.ended_sids or any(
            user == one and began <= at for one, at in self.ended_users
        )

    def ended_at(self, life: Life) -> float | None:
        """Return when somebody ended a session, ``None`` for a living one."""
        times = [at for user, at in self.ended_users if user == life.user and life.began <= at]
        if life.sid in self.ended_sids:
            times.append(self.ended_sids[life.sid])
        if life.ended is not None:
            times.append(life.ended)
        return min(times, default=None)

    def has_ended(self, sign_in: SignIn) -> bool:
        """Return whether the session that an attempt gave, to whoever heard of it, was ended."""
        if sign_in.session is not None:
            return self.ended_at(self.lives[sign_in.session]) is not None
        grant = self.provider.grants[sign_in.sent[0]]
        return self.is_banned(grant.user, grant.sid, sign_in.started)

    def ends_at(self, value: str, life: Life) -> float:
        """Return when the session in the cookie ``value`` ends by itself."""
        rolled = self.rolled[self._key(value, life)]
        return min(life.created + SESSION_LIFETIME, rolled + SESSION_IDLE)

    def living(self, person: Person) -> Life | None:
        """Return the living session that is in the browser."""
        value = person.held().get(SESSION_COOKIE, "")
        session = self.session_of(value)
        if session is None:
            return None
        life = self.lives[session]
        if self.ended_at(life) is not None or self.now >= self.ends_at(value, life):
            return None
        return life

    def session_of(self, value: str) -> str | None:
        """Return the id of the session that the cookie ``value`` is of."""
        text, keeper = value[1:].encode(), self.watcher.sessions.keeper
        if isinstance(keeper, InCookie):
            session = keeper.at_once(text)
            return None if session is None else session.id
        assert isinstance(keeper, InStore)
        return keeper.signer.unsign(text).decode() if keeper.signer.validate(text) else None

    def note_roll(self, person: Person, life: Life) -> None:
        """Note that the cookie which ``person`` has got goes on from now."""
        value, _ = person.cookies[SESSION_COOKIE]
        self.rolled[self._key(value, life)] = self.now

    def _fate(self, told: Told) -> str:
        if told.how == "error":
            return "failed"
        if told.fault is not None:
            return "open" if told.fault == "cannot be reached" else "lost"
        if told.how == "foreign":
            return "failed"
        assert told.sent, "a callback in time sends its code"
        grant = self.provider.grants[told.sent[0]]
        banned = self.is_banned(grant.user, grant.sid, told.sign_in.started)
        return "dead" if banned else "signed in"

    def _note_life(self, told: Told, session: str) -> None:
        sign_in = told.sign_in
        assert sign_in.sent, "a session is given for a code"
        code = sign_in.sent[0]
        grant = self.provider.grants[code]
        life = self.lives.setdefault(
            session,
            Life(session, grant.user, grant.sid, code, sign_in.started, grant.at or 0.0),
        )
        value, _ = told.person.cookies[SESSION_COOKIE]
        self.rolled.setdefault(self._key(value, life), life.created)

    def _key(self, value: str, life: Life) -> str:
        return value if self.mode == "cookie" else life.id


def make_world(mode: str) -> World:
    """Return a world in which nothing has happened yet."""
    stage = make_stage(
        session_mode=mode,
        keep_tokens=True,
        claims="name",
        replay_window=REPLAY_WINDOW,
        login_timeout=LOGIN_TIMEOUT,
        revocation_check=REVOCATION_CHECK,
        session_idle=SESSION_IDLE,
        session_lifetime=SESSION_LIFETIME,
    )
    hand = stage.hand
    provider = StrictProvider(hand)
    people = tuple(Person(user, hand.clock, provider.new_sid()) for user in ("alice", "bob"))
    stages = [stage, stage.other_process()]
    return World(mode, hand, stages, stage.other_process().site, provider, people)


def _set_cookies(reply: Reply) -> list[str]:
    return [value for key, value in reply.headers if key == "set-cookie"]
