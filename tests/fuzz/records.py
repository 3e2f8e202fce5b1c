"""What an onlooker knows of an attempt, of a session, and of one callback."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intastellar_auth.core.site import Site

    from .person import Person

LOGIN_TIMEOUT = 600.0
# A longer path does not travel in the state.
_CARRIED = 110


@dataclass(slots=True, eq=False)
class SignIn:
    """One attempt. ``fate`` is what came of it: open, signed in, dead, failed or lost.

    Its outcome was recorded at ``recorded`` or later, at ``recorded_by`` at the latest.
    """

    person: Person
    state: str
    nonce: str
    target: str
    started: float
    restarts: int
    codes: list[str] = field(default_factory=list)
    receipts: set[str] = field(default_factory=set)
    sent: list[str] = field(default_factory=list)
    fate: str = "open"
    recorded: float = 0.0
    recorded_by: float = 0.0
    session: str | None = None

    @property
    def carried(self) -> str:
        """Where the state alone leads."""
        return self.target if len(self.target) <= _CARRIED else "/"


@dataclass(slots=True, eq=False)
class Life:
    """One session, from ``created`` until somebody ``ended`` it, in the process of ``ended_by``."""

    id: str
    user: str
    sid: str
    code: str
    began: float
    created: float
    ended: float | None = None
    ended_by: Site | None = None


@dataclass(slots=True)
class Told:
    """One callback: what the browser had when it ``asked_at``, and what it was told ``at``."""

    sign_in: SignIn
    person: Person
    how: str
    asked_at: float
    cookie: str | None
    living: Life | None
    was: str
    fault: str | None
    at: float = 0.0
    sent: tuple[str, ...] = ()
    location: str = ""
    status: int = 0
    given: str | None = None

    @property
    def receipt(self) -> bool:
        """Whether the cookie is one that cannot finish the attempt any more."""
        return self.cookie in self.sign_in.receipts

    @property
    def in_time(self) -> bool:
        """Whether the attempt could be finished with the cookie."""
        open_cookie = self.cookie is not None and not self.receipt
        return open_cookie and self.asked_at < self.sign_in.started + LOGIN_TIMEOUT

    @property
    def fresh(self) -> bool:
        """Whether this callback is the one that finishes the attempt."""
        return self.in_time and self.was == "open"
