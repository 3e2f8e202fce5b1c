"""One request of a browser, from its cookies to its answer, as a process serves it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from intastellar_auth.core.admission import Admitted
from intastellar_auth.core.effects import Flow, pause
from intastellar_auth.core.front import Front, make_front
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.navigation import is_prefetch
from intastellar_auth.core.site import make_site
from intastellar_auth.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from intastellar_auth.settings import Settings

    from .browser import Browser, Cookie, Tab
    from .promises import SignIn


@dataclass(slots=True)
class Process:
    """One process of the site: nothing but its memory, and the keys that it was started with.

    Until ``faulty_until``, in seconds, its requests may feel what has gone wrong for another, and
    until ``frozen_until`` nothing in it goes on.
    """

    name: str
    keys: tuple[str, ...]
    front: Front
    faulty_until: float = 0.0
    frozen_until: float = 0.0


@dataclass(slots=True)
class Visit:
    """A request and what came of it, whose cookies the browser ``keeps`` or does not.

    ``began`` and ``decided`` are events: when it came, and when somebody last began to decide
    whether its answer gives a session. ``asked_at`` is when its admission was asked for, in
    seconds. ``ends`` is the id of the session that it is to end, ``ends_too`` the sign-ins that are
    to give theirs no more. ``is_ahead`` says whether the browser only looks ahead (row P12).
    ``faults`` counts what went wrong on its way, ``effects`` what was performed for it.
    """

    number: int
    browser: Browser | None
    tab: Tab | None
    request: Request
    cookies: list[Cookie]
    process: Process
    keeps: bool
    think: float
    began: int
    decided: int
    asked_at: float
    faults: int = 0
    effects: int = 0
    ends: str | None = None
    ends_too: list[SignIn] = field(default_factory=list)
    exchanging: str | None = None
    exchanged_at: float | None = None
    is_ahead: bool = field(init=False)
    reply: Reply | None = None
    admitted: Admitted | None = None
    set_cookies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.is_ahead = is_prefetch(self.request) or self.request.method == "HEAD"

    @property
    def name(self) -> str:
        """What it is called in a trace."""
        return f"v{self.number}"

    @property
    def header(self) -> bytes:
        """The ``Cookie`` header."""
        return self.request.cookie_header.encode("latin-1")

    @property
    def location(self) -> str:
        """Where the answer leads, nowhere where it is no redirect."""
        headers = self.reply.headers if self.reply else ()
        return next((value for name, value in headers if name == "location"), "")


def make_process(
    name: str,
    keys: tuple[str, ...],
    settings: Settings,
    clock: Callable[[], float],
    token_bytes: Callable[[int], bytes],
) -> Process:
    """Return a process that has just been started."""
    return Process(
        name, keys, make_front(make_site(settings, clock=clock, token_bytes=token_bytes))
    )


def serve(visit: Visit, events: Callable[[], int]) -> Flow[None]:
    """Do what both shells do with a request, the app in the middle; ``events`` counts events."""
    front, request = visit.process.front, visit.request
    site = front.site
    if front.may_answer(request.path, request.query):
        visit.reply = yield from front.answer(request)
        if visit.reply is not None:
            visit.set_cookies = [
                value for name, value in visit.reply.headers if name == "set-cookie"
            ]
            return
    unsure = None
    visit.asked_at = site.clock()
    admitted = site.admissions.at_once(visit.header, visit.asked_at)
    if admitted is None:
        try:
            admitted = yield from front.admit(visit.header)
        except StoreUnavailable as error:
            unsure = error
    if admitted is None and site.rules.needs_user(request.path):
        visit.reply = front.refuse(request, request.path, unsure)
        return
    visit.admitted = admitted
    yield from pause(visit.think)
    if admitted is not None and site.clock() >= admitted.roll_at:
        visit.decided = events()
        visit.set_cookies = yield from front.roll(admitted.session, visit.header)
    visit.reply = Reply(200)
