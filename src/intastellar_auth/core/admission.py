"""Who a request is from. The hot path of the package: every request to the app comes through here.

A cookie that was opened is remembered by its bytes, with the user it gave and with when that must
next be looked into. Only what opened is remembered, so strangers cannot fill the memory. A session
is held against the list of ended ones when it is rolled, and otherwise at most ``REVOCATION_CHECK``
seconds apart in each process; a cookie that was sealed within that time was held against it then.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache

from intastellar_auth import log
from intastellar_auth.core import cookies
from intastellar_auth.core.effects import Flow
from intastellar_auth.core.ended import has_ended
from intastellar_auth.core.session import Session, Sessions
from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.user import Auth, User

_MOST_REMEMBERED = 4096
_MOST_ENDED = 4096


@dataclass(slots=True)
class Admitted:
    """A signed-in request's user, good ``until`` a time; its cookie is due anew at ``roll_at``.

    Not frozen, though nobody changes one: it is made for every new cookie, and a frozen one takes
    four times as long.
    """

    user: User
    auth: Auth
    session: Session
    checked: float
    until: float
    roll_at: float


@dataclass(frozen=True, slots=True)
class Admissions:
    """What this process remembers. ``interval`` is ``REVOCATION_CHECK`` in seconds."""

    sessions: Sessions
    interval: float
    _needle: bytes
    # Ordered, to let the oldest go: a plain dict looks past every entry it ever let go of.
    _remembered: OrderedDict[bytes, Admitted] = field(default_factory=OrderedDict)
    _ended: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def at_once(self, header: bytes, now: float) -> Admitted | None:
        """Return who sent ``header`` where that takes no question to the store.

        A remembered cookie costs one look into a dictionary, a new one is opened. What is not so
        simple (chunks, twins, a check that is due) is for ``admit``.
        """
        needle = self._needle
        start = header.find(needle)
        if start == -1 or (start and not header.endswith(b"; ", 0, start)):
            return None
        end = header.find(b";", start)
        text = header[start + len(needle) : end] if end != -1 else header[start + len(needle) :]
        admitted = self._remembered.get(text)
        if admitted is not None:
            return admitted if now < admitted.until else None
        session = self.sessions.unseal(text, now)
        if session is None or now - session.rolled >= self.interval or session.id in self._ended:
            return None
        return self._remember(text, session, session.rolled)

    def admit(self, header: bytes, now: float) -> Flow[Admitted | None]:
        """Return who sent ``header``, ``None`` for nobody who is signed in."""
        for text in cookies.gather(header, self.sessions.name.encode()):
            known = self._remembered.get(text)
            session = known.session if known else self.sessions.unseal(text, now)
            if session is None or now >= self.sessions.ends_at(session):
                continue
            checked = max(session.rolled, known.checked if known else 0.0)
            if now - checked >= self.interval:
                if (yield from self._has_ended(session)):
                    continue
                checked = now
            if session.id not in self._ended:
                return self._remember(text, session, checked)
        return None

    def roll(self, session: Session, header: bytes, now: float) -> Flow[list[str]]:
        """Return the ``Set-Cookie`` values with which ``session`` goes on from ``now``.

        Asked for when the answer goes out, not when the request comes in: a logout in between must
        stand (row P13). Without the store the cookie stays as it is.
        """
        try:
            ended = yield from has_ended(session)
        except StoreUnavailable:
            return []
        if ended or session.id in self._ended:
            self.forget(session.id)
            return []
        rolled = self.sessions.rolled(session, now)
        return self.sessions.set_cookies(rolled, header, now)

    def forget(self, session_id: str) -> None:
        """Let the session go at once in this process; the store tells the others."""
        if len(self._ended) >= _MOST_ENDED:
            self._ended.popitem(last=False)
        self._ended[session_id] = None
        for text, admitted in list(self._remembered.items()):
            if admitted.session.id == session_id:
                self._remembered.pop(text, None)

    def _has_ended(self, session: Session) -> Flow[bool]:
        """A store that cannot be asked signs nobody out: it is asked again the next time."""
        try:
            ended = yield from has_ended(session)
        except StoreUnavailable as error:
            log.event(logging.WARNING, "revocation_not_checked", {"detail": error.detail})
            return False
        if ended:
            self.forget(session.id)
        return ended

    def _remember(self, text: bytes, session: Session, checked: float) -> Admitted:
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        admitted = Admitted(
            user=User(session.sub, session.iss, session.claims),
            auth=_auth(session.scopes),
            session=session,
            checked=checked,
            until=min(checked + self.interval, self.sessions.ends_at(session)),
            roll_at=session.rolled + self.sessions.roll_after,
        )
        self._remembered[text] = admitted
        return admitted


@lru_cache(maxsize=64)
def _auth(scopes: tuple[str, ...]) -> Auth:
    """Most users of a site were granted the same."""
    return Auth(("authenticated", *scopes))


def make_admissions(sessions: Sessions, interval: float) -> Admissions:
    """Return an empty memory for ``sessions``."""
    return Admissions(sessions, interval, sessions.name.encode() + b"=1")
