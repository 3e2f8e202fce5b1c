"""One process of a site: what it remembers of who is signed in, and the store that all share."""

from __future__ import annotations

from dataclasses import dataclass, field

from intastellar_auth.core.admission import Admissions, Admitted, make_admissions
from intastellar_auth.core.cookies import CookieAttributes
from intastellar_auth.core.effects import GetMany
from intastellar_auth.core.ended import end_session
from intastellar_auth.core.in_cookie import InCookie
from intastellar_auth.core.seal import make_sealer
from intastellar_auth.core.session import Session, Sessions
from intastellar_auth.user import pack_claims

from .hand import Hand, make_token_bytes

INTERVAL, IDLE, LIFETIME = 30.0, 3600.0, 86400.0
CHECK = [GetMany]
"""What holding a session against the list of ended ones takes: one question."""


@dataclass(slots=True)
class Process:
    """One process of a site; ``hand`` is the store that all of them share."""

    hand: Hand = field(default_factory=Hand)
    interval: float = INTERVAL
    grace: float = 0.0
    name: str = "__Host-intastellar"
    sessions: Sessions = field(init=False)
    admissions: Admissions = field(init=False)

    def __post_init__(self) -> None:
        self.sessions = Sessions(
            name=self.name,
            attributes=CookieAttributes(),
            keeper=InCookie(make_sealer([b"a key"], ["session"], make_token_bytes())),
            lifetime=LIFETIME,
            idle=IDLE,
            roll_after=IDLE / 10,
        )
        self.admissions = make_admissions(self.sessions, self.interval, self.grace, self.hand.clock)

    def session(self, name: str = "s-1", **claims: object) -> Session:
        """Return a session that begins now."""
        now = self.hand.clock.now
        iss = "https://accounts.example"
        return Session(name, "alice", iss, now, now, ("openid",), pack_claims(claims), began=now)

    def header(self, session: Session) -> bytes:
        """Return the ``Cookie`` header of a browser that has ``session``."""
        written = self.sessions.set_cookies(session, b"", self.hand.clock.now)
        return "; ".join(one.partition(";")[0] for one in written).encode()

    def at_once(self, header: bytes) -> Admitted | None:
        """Return who ``header`` is from, as far as that takes no effect."""
        return self.admissions.at_once(header, self.hand.clock.now)

    def remembered(self, header: bytes) -> Admitted:
        """Return who ``header`` is from, when it has come often enough to be remembered."""
        self.at_once(header)
        admitted = self.at_once(header)
        assert admitted is not None
        assert admitted is self.at_once(header)
        return admitted

    def admit(self, header: bytes) -> Admitted | None:
        """Return who ``header`` is from."""
        return self.hand.play(self.admissions.admit(header, self.hand.clock.now))

    def end(self, session: Session) -> None:
        """Write the session's tombstone, as another process would."""
        self.hand.play(end_session(session, LIFETIME))
        self.hand.done.clear()
