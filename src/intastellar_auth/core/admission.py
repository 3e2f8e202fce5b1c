"""Who a request is from. The hot path of the package: every request to the app comes through here.

A cookie that was opened is remembered by its bytes, with the user it gave and with when that must
next be looked into. Only what opened is remembered, so strangers cannot fill the memory; and where
opening it was all there was to it, only when it comes again, so that those who come once push out
nobody who stays. A session
is held against the list of ended ones when it is rolled, and otherwise at most ``REVOCATION_CHECK``
seconds apart in each process; a cookie that was sealed within that time was held against it then.
"""

from __future__ import annotations

import logging
from array import array
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from intastellar_auth import log
from intastellar_auth.core import cookies
from intastellar_auth.core.effects import Flow
from intastellar_auth.core.ended import has_ended
from intastellar_auth.core.outage import Outage
from intastellar_auth.core.session import Session, Sessions
from intastellar_auth.errors import SessionTooLarge, StoreUnavailable
from intastellar_auth.user import Auth, User

_MOST_REMEMBERED = 4096
_MOST_ENDED = 4096
_NO_MARKS = bytes(8 * _MOST_REMEMBERED)


def _as_it_is(session: Session) -> Flow[Session]:
    yield from ()
    return session


@dataclass(slots=True)
class Admitted:
    """A signed-in request's user, good ``until`` a time; its cookie is due anew at ``roll_at``.

    ``text`` is what the cookie held, ``checked`` when its session was last held against the list of
    ended ones. Not frozen, though nobody changes one: it is made for every new cookie, and a frozen
    one takes four times as long.
    """

    user: User
    auth: Auth
    session: Session
    text: bytes = field(repr=False)
    checked: float
    until: float
    roll_at: float


class Standing(NamedTuple):
    """A session as a connection that stays open knows it: ``checked`` last, and good ``until``."""

    session: Session
    checked: float
    until: float


@dataclass(frozen=True, slots=True)
class Admissions:
    """What this process remembers. ``interval`` is ``REVOCATION_CHECK``, ``grace`` ``STORE_GRACE``.

    Both in seconds.
    """

    sessions: Sessions
    interval: float
    grace: float
    outage: Outage
    _needle: bytes
    # Ordered, to let the oldest go: a plain dict looks past every entry it ever let go of.
    _remembered: OrderedDict[bytes, Admitted] = field(default_factory=OrderedDict, repr=False)
    _ended: OrderedDict[str, None] = field(default_factory=OrderedDict, repr=False)
    # Marks of what was opened lately. Where two share a place, the later one has it.
    _seen: array[int] = field(default_factory=lambda: array("q", _NO_MARKS), repr=False)

    def at_once(self, header: bytes, now: float) -> Admitted | None:
        """Return who sent ``header`` where that takes no question to the store.

        A remembered cookie costs one look into a dictionary, a new one is opened. What is not so
        simple (chunks, twins, a check or a refresh that is due) is for ``admit``.
        """
        needle = self._needle
        start = header.find(needle)
        if start == -1 or (start and not header.endswith(b"; ", 0, start)):
            return None
        end = header.find(b";", start)
        text = header[start + len(needle) : end] if end != -1 else header[start + len(needle) :]
        admitted = self._remembered.get(text)
        if admitted is not None:
            # A clock that was set back would keep it for as long as it was ahead.
            return admitted if admitted.checked <= now < admitted.until else None
        session = self.sessions.at_once(text, now)
        if session is None or session.id in self._ended:
            return None
        if not 0 <= now - session.rolled < self.interval:
            return None
        if session.tokens is not None and session.tokens.is_due(now):
            return None
        until = session.rolled + self.interval
        admitted = self._admitted(text, session, session.rolled, until, now)
        # Python keys its hash anew in each process: nobody outside can aim at another's place.
        mark = hash(text)
        place = mark % _MOST_REMEMBERED
        if self._seen[place] == mark:
            self._remember(admitted)
        else:
            self._seen[place] = mark
        return admitted

    def admit(self, header: bytes, now: float) -> Flow[Admitted | None]:
        """Return who sent ``header``, ``None`` for nobody who is signed in.

        Raises ``StoreUnavailable`` where only the store could tell, and cannot be asked.
        """
        for text in cookies.gather(header, self.sessions.name.encode()):
            known = self._remembered.get(text)
            if known is not None and now >= self.sessions.ends_at(known.session):
                # In the store it may go on: its cookie is the same text when it has been rolled.
                known = None
            session = known.session if known else (yield from self._opened(text, now))
            if session is None:
                continue
            checked = max(session.rolled, known.checked) if known else session.rolled
            if not 0 <= now - checked < self.interval:
                session, checked = yield from self._checked(session, checked, now)
            if session is not None and session.id not in self._ended:
                until = max(checked + self.interval, self.outage.ask_again)
                admitted = self._remember(self._admitted(text, session, checked, until, now))
                if known is not None and self.sessions.keeper.carries_tokens:
                    admitted.roll_at = min(admitted.roll_at, known.roll_at)
                return admitted
        return None

    def renewed(self, admitted: Admitted, session: Session, now: float) -> Admitted:
        """Return ``admitted`` with the tokens of ``session``, for this request and the next ones.

        The cookie that came may be sent again: a page asks for many things at once.
        """
        until = max(admitted.checked + self.interval, self.outage.ask_again)
        renewed = self._admitted(admitted.text, session, admitted.checked, until, now)
        if self.sessions.keeper.carries_tokens and renewed.auth != admitted.auth:
            # Each answer to it carries the new one, until the browser has got one of them.
            renewed.roll_at = now
        return self._remember(renewed)

    def still(self, session: Session, checked: float, now: float) -> Flow[Standing | None]:
        """Return how ``session`` stands by now, ``None`` if it has ended; ``checked`` as above.

        For a connection that outlives its request. The browser may have a newer cookie, so how long
        it is since the older one was used says nothing: where the store keeps the session it knows,
        and otherwise only ``SESSION_LIFETIME`` and a logout end it. Raises ``StoreUnavailable``.
        """
        last = self.sessions.lasts_until(session)
        if now >= last:
            return None
        found: Session | None = session
        if not 0 <= now - checked < self.interval:
            found, checked = yield from self._checked(session, checked, now)
        if found is None or found.id in self._ended:
            return None
        until = max(checked + self.interval, self.outage.ask_again)
        return Standing(found, checked, min(until, last))

    def roll(
        self,
        session: Session,
        header: bytes,
        now: float,
        newest: Callable[[Session], Flow[Session]] = _as_it_is,
    ) -> Flow[list[str]]:
        """Return the ``Set-Cookie`` values with which ``session`` goes on from ``now``.

        Asked for when the answer goes out, not when the request comes in: a logout in between must
        stand, and ``newest`` tells which tokens the session has by now (row P13). Without the store
        the cookie stays as it is.
        """
        # One that has run out under a slow request stays so: what is known of its end, and of its
        # tokens, is kept no longer than it could live.
        if now >= self.sessions.ends_at(session) or not self.outage.may_ask():
            return []
        try:
            if session.id in self._ended or (yield from has_ended(session)):
                self.forget(session.id)
                return []
            rolled = yield from self.sessions.rolled((yield from newest(session)), now)
            self.outage.over()
            return self.sessions.set_cookies(rolled, header, now)
        except StoreUnavailable as error:
            self.outage.began(error)
        except SessionTooLarge as error:
            # Of tokens that have grown. The browser's older ones lead to them all the same.
            log.event(logging.ERROR, "session_not_written", {"detail": error.detail})
        return []

    def forget(self, session_id: str) -> None:
        """Let the session go at once in this process; the store tells the others."""
        if len(self._ended) >= _MOST_ENDED:
            self._ended.popitem(last=False)
        self._ended[session_id] = None
        for text, admitted in self._all():
            if admitted.session.id == session_id:
                self._remembered.pop(text, None)

    def _all(self) -> list[tuple[bytes, Admitted]]:
        while True:
            # The items are taken one by one, and a collection in between may run a finalizer that
            # lets another thread remember something: then they are taken once more.
            with suppress(RuntimeError):
                return list(self._remembered.items())

    def _opened(self, text: bytes, now: float) -> Flow[Session | None]:
        try:
            return (yield from self.sessions.open(text, now))
        except StoreUnavailable as error:
            self.outage.began(error)
            raise

    def _checked(
        self, session: Session, checked: float, now: float
    ) -> Flow[tuple[Session | None, float]]:
        """Return ``session`` as the store has it, and when it was last asked; ``None`` if it ended.

        A store that cannot be asked signs nobody out, for a while: it is asked again soon. Raises
        ``StoreUnavailable`` when that while is over.
        """
        if self.outage.may_ask():
            try:
                found = yield from self.sessions.keeper.check(session)
            except StoreUnavailable as error:
                self.outage.began(error)
            else:
                self.outage.over()
                if found is None:
                    self.forget(session.id)
                return found, now
        # By the time it is now: a process can stand still while it asks.
        if self.outage.clock() - checked >= self.interval + self.grace:
            raise StoreUnavailable("the store has not answered for longer than STORE_GRACE")
        return session, checked

    def _admitted(
        self, text: bytes, session: Session, checked: float, until: float, now: float
    ) -> Admitted:
        tokens = session.tokens
        if tokens is None:
            auth = _auth(session.scopes)
        else:
            auth = Auth(("authenticated", *tokens.scope), tokens.good(now))
            until = min(until, tokens.unchanged_until(now))
        return Admitted(
            user=User(session.sub, session.iss, session.claims, session.sid, session.auth_time),
            auth=auth,
            session=session,
            text=text,
            checked=checked,
            until=min(until, self.sessions.ends_at(session)),
            roll_at=session.rolled + self.sessions.roll_after,
        )

    def _remember(self, admitted: Admitted) -> Admitted:
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        self._remembered[admitted.text] = admitted
        return admitted


@lru_cache(maxsize=64)
def _auth(scopes: tuple[str, ...]) -> Auth:
    """Most users of a site were granted the same."""
    return Auth(("authenticated", *scopes))


def make_admissions(
    sessions: Sessions, interval: float, grace: float, clock: Callable[[], float]
) -> Admissions:
    """Return an empty memory for ``sessions``; ``interval`` and ``grace`` are in seconds."""
    return Admissions(
        sessions, interval, grace, Outage(interval, clock), sessions.name.encode() + b"=1"
    )
