"""The promise, row by row, held against everything that happens.

The rows are those of the table in the README. ``ends``, ``shells`` and ``quiesce`` are not in it:
every flow ends, a shell meets no error but those it handles, and who keeps trying gets there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from intastellar_auth.core import cookies
from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.core.in_store import InStore
from intastellar_auth.core.session import Keeper
from intastellar_auth.core.site import Site
from tests.flows.stage import ORIGIN, SESSION_COOKIE, TOKEN

from .browser import LOGIN_COOKIE, Browser
from .provider import AUTHORIZE, Provider
from .query import parameters, parameters_of
from .visit import Visit
from .world import World

REPLAY_WINDOW: Final = 120.0
LOGIN_TIMEOUT: Final = 600.0
REVOCATION_CHECK: Final = 30.0
STORE_GRACE: Final = 60.0
# A store that has failed is asked again after so many seconds.
_ASK_AGAIN: Final = 3.0


@dataclass(slots=True)
class Call:
    """One call to the provider: what is planned for it, and what it ``came_to`` for its flow."""

    request: Fetch
    plan: str
    deadline: float
    arrived: bool = False
    answer: Answer | None = None
    came_to: str = ""


@dataclass(slots=True)
class SignIn:
    """One attempt to sign in, as an onlooker knows it who sees all but what is sealed.

    ``target`` is the page it was for, ``restarts`` how many before it started it by themselves.
    ``key`` sealed it, ``recorded`` is since when its outcome is on record at least, in seconds, and
    ``signed_out`` says whether its browser has asked for a logout since.
    """

    browser: Browser | None
    target: str
    restarts: int
    started: float
    key: str
    calls: list[Call] = field(default_factory=list)
    recorded: float | None = None
    session: str | None = None
    signed_out: bool = False


@dataclass(slots=True)
class Promises:
    """What is known, and what must hold. ``watcher`` is a site that opens every cookie."""

    world: World
    provider: Provider
    watcher: Callable[[], Site]
    sign_ins: dict[str, SignIn] = field(default_factory=dict)
    refreshes: dict[str, list[Call]] = field(default_factory=dict)
    ended: dict[str, tuple[int, float]] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)

    def sending(self, visit: Visit, call: Call) -> None:
        """P2, P4, P9, P14: what is good for one use is sent once, unless it surely never left."""
        if call.request.url != TOKEN:
            return
        form = parameters((call.request.body or b"").decode())
        if form["grant_type"] == "authorization_code":
            state = self.provider.codes[form["code"]].asked["state"]
            row, before, visit.exchanging = "P9", self.sign_ins[state].calls, state
        else:
            row, before = "P14", self.refreshes.setdefault(form["refresh_token"], [])
        safe = ("ProviderUnreachable",) if row == "P9" else ("ProviderUnreachable", "busy")
        for one in before:
            self.world.hold(row, one.came_to in safe, f"{visit.name} sends the same once more")
        before.append(call)

    def answered(self, visit: Visit, call: Call) -> None:
        """Take note of when the exchange of a code succeeded."""
        if call.request.url == TOKEN and call.answer is not None and call.answer.status == 200:
            visit.exchanged_at = self.world.clock.now

    def unbroken_work_ended(self, visit: Visit) -> None:
        """From here on the outcome of an exchange without faults is on record."""
        if visit.exchanging and visit.exchanged_at and not visit.faults:
            self.sign_ins[visit.exchanging].recorded = visit.exchanged_at

    def replied(self, visit: Visit) -> None:
        """Hold the answer to ``visit`` against every row that it may be of."""
        reply, path = visit.reply, visit.request.path
        assert reply is not None
        self.world.hold("shells", reply.status != 500, f"{visit.name}: an unforeseen error")
        # A callback may be answered as it was when something was wrong.
        if self.world.healthy and path != "/auth/callback":
            self.world.hold("quiesce", reply.status < 500, f"{visit.name} fails with nothing wrong")
        if visit.is_ahead:
            visit.ends = None
            visit.ends_too.clear()
            used = visit.effects or visit.set_cookies
            self.world.hold(
                "P12", not used, f"{visit.name} only looks ahead, and uses something up"
            )
        session = self.given_by(visit)
        self._gives_no_ended_session(visit, session)
        self._admits_no_ended_session(visit)
        if visit.location.startswith(AUTHORIZE):
            self._started(visit)
        if path == "/auth/callback" and not visit.is_ahead:
            self._called_back(visit, session)
        self._signed_out(visit)

    def given_by(self, visit: Visit) -> str | None:
        """Return the id of the session that the answer to ``visit`` gives."""
        if not visit.set_cookies:
            return None
        header = "; ".join(one.partition(";")[0] for one in visit.set_cookies)
        return session_in(header.encode(), self.watcher())

    def target_of(self, url: str) -> str:
        """Return the page that somebody wanted to see when ``url`` was made for them."""
        given = parameters_of(url)
        if "state" in given and given["state"] in self.sign_ins:
            return self.sign_ins[given["state"]].target
        return given.get("next", url.removeprefix(ORIGIN))

    def is_readable(self, visit: Visit) -> bool:
        """Return whether the process that answered ``visit`` has the key of the ``state`` in it."""
        state = parameters(visit.request.query).get("state", "")
        return state not in self.sign_ins or self.sign_ins[state].key in visit.process.keys

    def _started(self, visit: Visit) -> None:
        """P8: by itself, a sign-in starts again once and for the same page."""
        asked = parameters_of(visit.location)
        restarts, target = 0, self.target_of(f"?{visit.request.query}")
        if visit.request.path == "/auth/callback":
            state = parameters(visit.request.query)["state"]
            restarts = self.sign_ins[state].restarts + 1
        self.world.hold("P8", restarts <= 1, f"{visit.name} starts again once more")
        now, key = self.world.clock.now, visit.process.keys[0]
        self.sign_ins[asked["state"]] = SignIn(visit.browser, target, restarts, now, key)

    def _called_back(self, visit: Visit, session: str | None) -> None:
        """P1 to P7, P11."""
        hold = self.world.hold
        sign_in = self.sign_ins[parameters(visit.request.query)["state"]]
        knows = any(LOGIN_COOKIE in cookie.name for cookie in visit.cookies)
        if session is not None:
            own = knows and visit.browser is sign_in.browser
            hold("P7", own, f"{visit.name} gives a session to another browser")
            hold("P2", sign_in.session in (None, session), f"{visit.name} gives a second session")
            sign_in.session = session
        if visit.location and not visit.location.startswith(AUTHORIZE):
            hold("P11", visit.location == sign_in.target, f"{visit.name} leads elsewhere")
        if self._must_answer_again(visit, sign_in):
            self.world.note(visit.name, "must have the outcome that is on record")
            hold("P3", session == sign_in.session is not None, f"{visit.name} gives no session")
            hold("P3", visit.location == sign_in.target, f"{visit.name} gives no redirect")

    def _must_answer_again(self, visit: Visit, sign_in: SignIn) -> bool:
        now = self.world.clock.now
        return (
            sign_in.recorded is not None
            and now < sign_in.recorded + REPLAY_WINDOW
            and not visit.faults
            and sign_in.session not in self.ended
            and sign_in.session not in self.doubtful
            and not sign_in.signed_out
            and visit.browser is sign_in.browser
            and sign_in.key in visit.process.keys
            and self._has_cookie_of(visit, parameters(visit.request.query)["state"])
        )

    def _has_cookie_of(self, visit: Visit, state: str) -> bool:
        site = visit.process.front.site
        name = cookies.tagged(site.attempts.prefix, state)
        return any(cookie.name == name for cookie in visit.cookies)

    def signing_out(self, visit: Visit, session: str | None) -> None:
        """From here on nobody can say whether ``session`` has ended, until ``replied`` can."""
        if session is not None:
            visit.ends = session
            self.doubtful.add(session)
        if visit.request.path != "/auth/logout":
            return
        for state, sign_in in self.sign_ins.items():
            if self._has_cookie_of(visit, state):
                # A logout ends what the callbacks of this browser would give it again (row P6).
                sign_in.signed_out = True
                if sign_in.recorded is not None:
                    visit.ends_too.append(sign_in)
                if sign_in.session is not None:
                    self.doubtful.add(sign_in.session)

    def _signed_out(self, visit: Visit) -> None:
        """A session that could have gone on, and whose end nothing got into the way of."""
        assert visit.reply is not None
        expired = any(
            cookie.name == SESSION_COOKIE and self.world.clock.now >= cookie.ends_at
            for cookie in visit.cookies
        )
        if visit.faults or visit.reply.status >= 400:
            return
        now = self.world.clock.now
        ended = [visit.ends] if visit.ends is not None and not expired else []
        ended += [
            one.session
            for one in visit.ends_too
            if one.session is not None
            and now < (one.recorded or 0.0) + REPLAY_WINDOW
            and one.key in visit.process.keys
        ]
        for session in ended:
            self.ended.setdefault(session, (self.world.event, now))
            self.world.note(visit.name, "has ended a session")

    def _gives_no_ended_session(self, visit: Visit, session: str | None) -> None:
        """P6, P13: not by a callback, nor by a slow request whose answer goes out after that."""
        event, _ = self.ended.get(session or "", (self.world.event, 0.0))
        late = visit.decided > event and not visit.faults
        self.world.hold("P13", not late, f"{visit.name} brings an ended session back")

    def _admits_no_ended_session(self, visit: Visit) -> None:
        """P6, P13: in any process."""
        admitted = visit.admitted
        if admitted is None:
            return
        hold, browser = self.world.hold, visit.browser
        assert browser is not None
        hold("P7", admitted.user.sub == browser.user, f"{visit.name} is taken for another user")
        _, at = self.ended.get(admitted.session.id, (0, float("inf")))
        grace = STORE_GRACE + _ASK_AGAIN if self.world.store_faults else 0.0
        late = visit.asked_at >= at + REVOCATION_CHECK + grace
        hold("P6", not late, f"{visit.name} is admitted with an ended session")
        token, lives = admitted.auth.access_token, admitted.session.id not in self.doubtful
        if self.world.profile.keep_tokens and lives and not self.world.faults:
            _, ends_at = self.provider.access_tokens.get(token or "", (None, 0.0))
            hold("P14", visit.asked_at < ends_at, f"{visit.name} gets no access token")


def session_in(header: bytes, site: Site) -> str | None:
    """Return the id of the session in a ``Cookie`` header, as far as ``site`` has the key."""
    texts = cookies.gather(header, SESSION_COOKIE.encode())
    return next(filter(None, (_session(text, site.sessions.keeper) for text in texts)), None)


def _session(text: bytes, keeper: Keeper) -> str | None:
    if isinstance(keeper, InStore):
        return keeper.signer.unsign(text).decode() if keeper.signer.validate(text) else None
    session = keeper.at_once(text)
    return None if session is None else session.id
