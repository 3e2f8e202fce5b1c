"""A session: what it holds, how long it lasts, and how it travels in a cookie.

Its times are inside the seal: ``Max-Age`` is only a hint to the browser (CVE-2025-46344). Every
session has a random id, so that one that was ended can be told from one that was not although no
server keeps a list of the living. Whether the cookie holds all of it or no more than its id is the
``Keeper``'s business: ``in_cookie.py`` or ``in_store.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple, Protocol

from intastellar_auth.core import cookies
from intastellar_auth.core.effects import Flow
from intastellar_auth.core.tokens import Kept
from intastellar_auth.user import NO_CLAIMS


class Session(NamedTuple):
    """One sign-in of one user. All times are seconds since the epoch.

    ``id`` is ours, ``sid`` the provider's (OpenID Connect Front-Channel Logout section 3).
    ``created`` never moves, ``rolled`` is when it was last held against the list of ended sessions
    and kept anew. ``began`` is the earliest that the provider can have let the user in, by the
    provider's clock; nought, where nobody knows, is earlier than any logout. ``claims`` are packed:
    ``User`` unpacks them when somebody asks, which most requests do not.

    A tuple, not a dataclass: every new cookie has one, and it opens in half the time.
    """

    id: str
    sub: str
    iss: str
    created: float
    rolled: float
    scopes: tuple[str, ...] = ()
    claims: bytes = NO_CLAIMS
    sid: str | None = None
    auth_time: float | None = None
    began: float = 0.0
    tokens: Kept | None = None

    def __repr__(self) -> str:
        """Tell nobody's secrets: a session ends up in tracebacks."""
        return f"Session(iss={self.iss!r})"

    def with_tokens(self, tokens: Kept | None) -> Session:
        """Return the session with other ``tokens``, and the claims that came with them."""
        claims = tokens.claims if tokens is not None and tokens.claims else self.claims
        return self._replace(tokens=tokens, claims=claims)


class Keeper(Protocol):
    """Where sessions are kept. ``ttl`` is in seconds."""

    @property
    def carries_tokens(self) -> bool:
        """Whether the tokens are in the cookie, so that other tokens need another cookie."""
        ...

    def text(self, session: Session) -> str:
        """Return what the cookie holds of ``session``."""
        ...

    def at_once(self, text: bytes) -> Session | None:
        """Return the session of a cookie's ``text`` if that takes no effect."""
        ...

    def open(self, text: bytes) -> Flow[Session | None]:
        """Return the session of a cookie's ``text``; raises ``StoreUnavailable``."""
        ...

    def check(self, session: Session) -> Flow[Session | None]:
        """Return ``session`` as it is kept now, ``None`` if it has ended.

        One question to the store; raises ``StoreUnavailable``.
        """
        ...

    def keep(self, session: Session, ttl: float) -> Flow[None]:
        """Keep ``session``, but for its tokens, for ``ttl``; raises ``StoreUnavailable``."""
        ...

    def keep_tokens(self, session: Session, ttl: float) -> Flow[None]:
        """Keep the tokens of ``session`` for ``ttl``; raises ``StoreUnavailable``."""
        ...

    def drop(self, session: Session) -> Flow[None]:
        """Keep ``session`` no longer; raises ``StoreUnavailable``."""
        ...


@dataclass(frozen=True, slots=True)
class Sessions:
    """How this site keeps sessions: everything that is decided at start-up.

    ``lifetime`` and ``idle`` are ``SESSION_LIFETIME`` and ``SESSION_IDLE``, ``roll_after`` how long
    after the last roll a session in use is kept anew; all in seconds.
    """

    name: str
    attributes: cookies.CookieAttributes
    keeper: Keeper
    lifetime: float
    idle: float
    roll_after: float

    def ends_at(self, session: Session) -> float:
        """Return when ``session`` ends if it is not rolled; a roll leaves ``created`` alone."""
        last, idle = session.created + self.lifetime, session.rolled + self.idle
        return min(last, idle)

    def at_once(self, text: bytes, now: float) -> Session | None:
        """Return the living session of ``text``, as far as the text alone tells."""
        session = self.keeper.at_once(text)
        return session if session is not None and now < self.ends_at(session) else None

    def open(self, text: bytes, now: float) -> Flow[Session | None]:
        """Return the living session of ``text``, if any; raises ``StoreUnavailable``."""
        session = yield from self.keeper.open(text)
        return session if session is not None and now < self.ends_at(session) else None

    def find(self, header: bytes, now: float) -> Flow[Session | None]:
        """Return the living session in the ``Cookie`` header; garbage beside it changes nothing.

        Raises ``StoreUnavailable``.
        """
        return next(iter((yield from self.find_all(header, now))), None)

    def find_all(self, header: bytes, now: float) -> Flow[list[Session]]:
        """Return each living session in the ``Cookie`` header; raises ``StoreUnavailable``.

        There are two where the site has moved its cookie to another domain.
        """
        found: list[Session] = []
        for text in cookies.gather(header, self.name.encode()):
            session = yield from self.open(text, now)
            if session is not None:
                found.append(session)
        return found

    def set_cookies(self, session: Session, header: bytes, now: float) -> list[str]:
        """Return the ``Set-Cookie`` values that give the browser ``session``.

        ``header`` is what it sent: chunks that are no longer needed are removed (CK-16). Raises
        ``SessionTooLarge``.
        """
        # Rounded up: it is the sealed time that ends a session, and a nought would take it away.
        max_age = max(0, ceil(self.ends_at(session) - now))
        text = self.keeper.text(session)
        written = cookies.spread(self.name, text, self.attributes, max_age)
        stale = cookies.clear_chunks(header, self.name, self.attributes, len(written))
        return written + stale

    def clear_cookies(self, header: bytes) -> list[str]:
        """Return the ``Set-Cookie`` values that take the session from the browser."""
        rest = cookies.clear_chunks(header, self.name, self.attributes, 1)
        return [cookies.clear_cookie(self.name, self.attributes), *rest]

    def begin(self, session: Session, now: float) -> Flow[None]:
        """Keep a new ``session``; raises ``StoreUnavailable``."""
        if session.tokens is not None:
            yield from self.keep_tokens(session, now)
        yield from self.keeper.keep(session, self.ends_at(session) - now)

    def keep_tokens(self, session: Session, now: float) -> Flow[None]:
        """Keep the tokens of ``session`` until its last day; raises ``StoreUnavailable``."""
        yield from self.keeper.keep_tokens(session, self.lasts_until(session) - now)

    def rolled(self, session: Session, now: float) -> Flow[Session]:
        """Return ``session`` as it goes on from ``now``; raises ``StoreUnavailable``."""
        session = session._replace(rolled=now)
        yield from self.keeper.keep(session, self.ends_at(session) - now)
        return session

    def lasts_until(self, session: Session) -> float:
        """Return when the last copy of the cookie of ``session`` ends, however often it rolled."""
        return session.created + self.lifetime


def roll_after(idle: float) -> float:
    """Return the seconds between rolls: a tenth of ``idle``, so that it is true to a tenth.

    Never more than five minutes, and never at every request: a roll costs a seal and a Set-Cookie.
    """
    return min(idle / 10, 300.0)
