"""A session: what it holds, how long it lasts, and how it travels in a cookie.

The cookie holds all of it, sealed. Its times are inside the seal: ``Max-Age`` is only a hint to the
browser (CVE-2025-46344). Every session has a random id, so that one that was ended can be told
from one that was not although no server keeps a list of the living.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from intastellar_auth.core import cookies
from intastellar_auth.core.seal import Sealer, from_cookie, to_cookie
from intastellar_auth.errors import SealBroken
from intastellar_auth.user import NO_CLAIMS


class Session(NamedTuple):
    """One sign-in of one user. All times are seconds since the epoch.

    ``id`` is ours, ``sid`` the provider's (OpenID Connect Front-Channel Logout section 3).
    ``created`` never moves, ``rolled`` is when it was last held against the list of ended sessions
    and sealed anew. ``began`` is the earliest that the provider can have let the user in, by the
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

    def __repr__(self) -> str:
        """Tell nobody's secrets: a session ends up in tracebacks."""
        return f"Session(iss={self.iss!r})"


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Session).decode


@dataclass(frozen=True, slots=True)
class Sessions:
    """How this site keeps sessions: everything that is decided at start-up.

    ``lifetime`` and ``idle`` are ``SESSION_LIFETIME`` and ``SESSION_IDLE``, ``roll_after`` how long
    after the last roll a session in use is sealed anew; all in seconds.
    """

    name: str
    attributes: cookies.CookieAttributes
    sealer: Sealer
    lifetime: float
    idle: float
    roll_after: float

    def ends_at(self, session: Session) -> float:
        """Return when ``session`` ends if it is not rolled; a roll leaves ``created`` alone."""
        last, idle = session.created + self.lifetime, session.rolled + self.idle
        return min(last, idle)

    def unseal(self, text: bytes, now: float) -> Session | None:
        """Return the session that ``text`` holds, ``None`` if it holds none that is alive."""
        try:
            session = _decode(self.sealer.open(from_cookie(text)))
        except (SealBroken, msgspec.MsgspecError):
            return None
        return session if now < self.ends_at(session) else None

    def find(self, header: bytes, now: float) -> Session | None:
        """Return the living session in the ``Cookie`` header; garbage beside it changes nothing."""
        for text in cookies.gather(header, self.name.encode()):
            session = self.unseal(text, now)
            if session is not None:
                return session
        return None

    def text(self, session: Session) -> str:
        """Return ``session`` sealed."""
        return to_cookie(self.sealer.seal(_encode(session)))

    def set_cookies(self, session: Session, header: bytes, now: float) -> list[str]:
        """Return the ``Set-Cookie`` values that give the browser ``session``.

        ``header`` is what it sent: chunks that are no longer needed are removed (CK-16). Raises
        ``SessionTooLarge``.
        """
        max_age = max(0, int(self.ends_at(session) - now))
        written = cookies.spread(self.name, self.text(session), self.attributes, max_age)
        stale = cookies.clear_chunks(header, self.name, self.attributes, len(written))
        return written + stale

    def clear_cookies(self, header: bytes) -> list[str]:
        """Return the ``Set-Cookie`` values that take the session from the browser."""
        rest = cookies.clear_chunks(header, self.name, self.attributes, 1)
        return [cookies.clear_cookie(self.name, self.attributes), *rest]

    def rolled(self, session: Session, now: float) -> Session:
        """Return ``session`` as it goes on from ``now``."""
        return session._replace(rolled=now)

    def lasts_until(self, session: Session) -> float:
        """Return when the last copy of the cookie of ``session`` ends, however often it rolled."""
        return session.created + self.lifetime


def roll_after(idle: float) -> float:
    """Return the seconds between rolls: a tenth of ``idle``, so that it is true to a tenth.

    Never more than five minutes, and never at every request: a roll costs a seal and a Set-Cookie.
    """
    return min(idle / 10, 300.0)
