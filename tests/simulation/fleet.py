"""The fleet: which process serves what, what travels between it and the browsers, and what fails.

``step`` lets one thing happen. Everything that happens is decided by the seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import urlencode

from intastellar_auth.core.messages import Request
from intastellar_auth.core.site import Site, make_site
from intastellar_auth.settings import Settings
from tests.flows.stage import NAVIGATION, site_settings

from . import promises as promise
from .browser import Browser, Cookie, Tab
from .outside import HTTP_TIMEOUT, Outside
from .promises import Promises, session_in
from .provider import Grant, Provider
from .visit import Process, Visit, make_process, serve
from .world import World

# SECRET_KEYS: the newest and the one before.
_KEYS_KEPT: Final = 2
# Keys are not made anew more often than the site asks for unknown ones, once in 30 s.
_KEYS_LAST: Final = 60.0
_MOMENT: Final = 0.02
_FREEZES_APART: Final = 300.0


@lru_cache(maxsize=1024)
def _settings(keys: tuple[str, ...], mode: str, keep_tokens: bool, idle: int) -> Settings:
    return site_settings(
        secret_keys=",".join(keys),
        session_mode=mode,
        keep_tokens=keep_tokens,
        session_idle=idle,
        session_lifetime=6 * 3600,
        protected_paths="/members/*",
        claims="name,email",
        http_timeout=HTTP_TIMEOUT,
        replay_window=int(promise.REPLAY_WINDOW),
        login_timeout=int(promise.LOGIN_TIMEOUT),
        revocation_check=int(promise.REVOCATION_CHECK),
        store_grace=int(promise.STORE_GRACE),
    )


def _key(number: int) -> str:
    return f"key number {number} of this site is long enough"


@dataclass(slots=True)
class Fleet:
    """All of it. ``travelling`` are the answers on their way, each with when it arrives."""

    world: World
    provider: Provider = field(init=False)
    promises: Promises = field(init=False)
    outside: Outside = field(init=False)
    processes: list[Process] = field(default_factory=list)
    browsers: list[Browser] = field(default_factory=list)
    travelling: list[tuple[float, Visit]] = field(default_factory=list)
    arrived: list[Visit] = field(default_factory=list)
    lost: list[Visit] = field(default_factory=list)
    keys: tuple[str, ...] = (_key(0),)
    next_keys: list[tuple[str, ...]] = field(default_factory=list)
    visits: int = 0
    newest_key: int = 0
    keys_at: float = 0.0
    provider_key_at: float = 0.0
    _watchers: dict[int, Site] = field(default_factory=dict)

    def __post_init__(self) -> None:
        world, profile = self.world, self.world.profile
        self.provider = Provider(world.clock, world.hold, profile.userinfo)
        self.promises = Promises(world, self.provider, self._watcher)
        self.outside = Outside(world, self.provider, self.promises, self._ended)
        self.processes = [self._process(f"p{n}") for n in range(profile.processes)]
        for number in range(profile.browsers):
            tabs = [Tab(f"b{number}t{at}") for at in range(profile.tabs)]
            self.browsers.append(Browser(f"b{number}", f"user-{number}", tabs))

    def send(
        self,
        browser: Browser | None,
        tab: Tab | None,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        ends: str | None = None,
        copied: list[Cookie] | None = None,
    ) -> Visit:
        """Let a process begin with a request, which is to end the session ``ends``, if any.

        ``tab`` is the one that waits for its answer. With ``copied`` it is from a thief, who sends
        these cookies along and keeps none.
        """
        world, (path, _, query) = self.world, target.partition("?")
        sent = browser.jar.sent(path, world.clock.now) if browser else []
        sent = sent if copied is None else copied
        cookie = "; ".join(f"{one.name}={one.value}" for one in sent)
        given = NAVIGATION | ({"cookie": cookie} if cookie else {}) | dict(headers or {})
        method = given.pop(":method", "GET")
        process = world.chance.choice(self.processes)
        self.visits += 1
        visit = Visit(
            number=self.visits,
            browser=browser,
            tab=tab,
            request=Request(method, path, query, tuple(given.items()), body),
            cookies=sent,
            process=process,
            keeps=copied is None and browser is not None,
            think=world.chance.choice((0.0, 0.0, 0.1, 2.0)),
            began=world.event,
            decided=world.event,
            asked_at=world.clock.now,
            faults=int(world.clock.now < process.faulty_until),
        )
        who = tab.name if tab else browser.name if browser else "the provider"
        world.note(f"{who}:", visit.name, method, path, _short(query), "at", process.name)
        if path == "/auth/logout":
            ends = session_in(visit.header, process.front.site)
        self.promises.signing_out(visit, ends)
        self.outside.start(visit, serve(visit, lambda: self.world.event))
        return visit

    def step(self) -> bool:
        """Let the next thing happen: a flow goes on, or an answer arrives. False if none can."""
        world, now = self.world, self.world.clock.now
        self.outside.let_late_calls_arrive()
        waiting = self.outside.waiting()
        times = [task.wakes_at for task in waiting] + [at for at, _ in self.travelling]
        if not times:
            return False
        world.clock.now = max(now + world.chance.uniform(0.0, _MOMENT), min(times))
        ready = [task for task in waiting if task.wakes_at <= world.clock.now]
        coming = [one for one in self.travelling if one[0] <= world.clock.now]
        at = world.chance.randrange(len(ready) + len(coming))
        if at < len(ready):
            self.outside.step(ready[at])
        else:
            self.travelling.remove(coming[at - len(ready)])
            self._arrive(coming[at - len(ready)][1])
        return True

    def hang_up(self, visit: Visit) -> None:
        """Let the browser give ``visit`` up."""
        self.world.note(visit.name, "is given up")
        self.outside.hang_up(visit)
        self.travelling = [one for one in self.travelling if one[1] is not visit]
        self.lost.append(visit)

    def crash(self, process: Process) -> None:
        """Let ``process`` die, and another take its place with the keys that are current."""
        self.world.note(process.name, "dies")
        gone = [task.visit for task in self.outside.tasks if task.visit.process is process]
        self.lost += gone
        self.world.faults += bool(gone)
        self.outside.crash(process)
        self.processes[self.processes.index(process)] = self._process(process.name)

    def freeze(self, process: Process, seconds: float) -> None:
        """Let ``process`` alone stand still, once in a while."""
        now = self.world.clock.now
        if now >= process.frozen_until + _FREEZES_APART:
            self.world.note(f"{process.name} stands still for {seconds:.0f} s")
            self.outside.fault(process, seconds)
            process.frozen_until = now + seconds

    def change_keys(self) -> None:
        """Take one more step of a change of SECRET_KEYS: one process, or the next list of keys.

        A new key opens everywhere before it seals anywhere, and an old one goes when no sign-in
        that it sealed can be under way.
        """
        behind = [process for process in self.processes if process.keys != self.keys]
        if behind:
            self.crash(behind[0])
            return
        now = self.world.clock.now
        if now < self.keys_at + promise.LOGIN_TIMEOUT:
            return
        self.keys_at = now
        if not self.next_keys:
            self.newest_key += 1
            new, old = _key(self.newest_key), self.keys[0]
            self.next_keys = [(old, new), (new, old)]
        self.keys = self.next_keys.pop(0)
        self.world.note("SECRET_KEYS are now", *(key[11:13] for key in self.keys))

    def change_provider_key(self) -> None:
        """Let the provider sign with another key."""
        if self.world.clock.now >= self.provider_key_at + _KEYS_LAST:
            self.provider_key_at = self.world.clock.now
            self.provider.key += 1
            self.world.note("the provider signs with key", self.provider.key)

    def jump(self, seconds: float) -> None:
        """Let everything stand still for ``seconds``, flows under way included."""
        self.world.note(f"everything stands still for {seconds:.0f} s")
        for process in {
            task.visit.process.name: task.visit.process for task in self.outside.tasks
        }.values():
            self.outside.fault(process)
        self.world.clock.now += seconds

    def sign_out_by_provider(self, grant: Grant) -> None:
        """Let the provider tell the site that the session of ``grant`` has ended."""
        ends = self.promises.sign_ins[grant.asked["state"]].session
        form = urlencode({"logout_token": self.provider.logout_token(grant)}).encode()
        headers = {":method": "POST", "content-type": "application/x-www-form-urlencoded"}
        self.send(None, None, "/auth/backchannel-logout", headers, form, ends=ends)

    def _ended(self, visit: Visit) -> None:
        """The flow of ``visit`` has ended, and its answer is on its way."""
        assert visit.reply is not None
        self.world.note(visit.name, "is answered", visit.reply.status, _short(visit.location))
        self.promises.replied(visit)
        arrives = self.world.clock.now + self.world.chance.uniform(0.0, 0.3)
        self.travelling.append((arrives, visit))

    def _arrive(self, visit: Visit) -> None:
        if self.world.happens("lost answer"):
            self.world.note(visit.name, "loses its answer")
            self.lost.append(visit)
            return
        if visit.keeps and visit.browser is not None:
            visit.browser.jar.keep(visit.set_cookies, self.world.clock.now)
        self.arrived.append(visit)

    def _process(self, name: str) -> Process:
        return make_process(
            name, self.keys, self._settings(self.keys), self.world.clock, self.world.token_bytes
        )

    def _settings(self, keys: tuple[str, ...]) -> Settings:
        profile = self.world.profile
        return _settings(keys, profile.mode, profile.keep_tokens, profile.idle)

    def _watcher(self) -> Site:
        """Return the same site with every key that there ever was."""
        if self.newest_key not in self._watchers:
            every = tuple(map(_key, range(self.newest_key, -1, -1)))
            site = make_site(self._settings(every), clock=self.world.clock)
            self._watchers[self.newest_key] = site
        return self._watchers[self.newest_key]


def _short(text: str) -> str:
    """Return ``text`` as far as a line of a trace has room for it."""
    return text if len(text) <= 60 else f"{text[:60]}…"
