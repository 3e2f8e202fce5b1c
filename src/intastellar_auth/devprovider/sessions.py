"""Single sign-on: who is signed in at the provider, in which browser, and at which clients."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from intastellar_auth.devprovider.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

_LIFETIME: Final = 8 * 3600.0


@dataclass(frozen=True, slots=True)
class Session:
    """One browser's session. ``sid`` is told to clients; ``cookie`` opens the session and is not.

    ``offline`` are the clients that this user has let act while they are away.
    """

    sub: str
    auth_time: int
    sid: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    clients: frozenset[str] = frozenset()
    offline: frozenset[str] = frozenset()


class Sessions:
    """The sessions by cookie."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._shelf: Shelf[Session] = Shelf(clock)

    def get(self, cookie: str | None) -> Session | None:
        """Return the session that ``cookie`` opens."""
        return self._shelf.get(cookie) if cookie else None

    def sign_in(self, sub: str, before: Session | None) -> Session:
        """Return a session for ``sub`` with a new cookie, so that none planted before is worth it.

        The same user signing in again stays in the session that the clients know.
        """
        auth_time = int(self._clock())
        if before is not None:
            self.end(before)
        if before is not None and before.sub == sub:
            session = replace(before, auth_time=auth_time, cookie=secrets.token_urlsafe(32))
        else:
            session = Session(sub, auth_time)
        self._shelf.put(session.cookie, session, _LIFETIME)
        return session

    def join(self, session: Session, client_id: str, *, offline: bool) -> None:
        """Note that ``client_id`` takes part in ``session``, and whether it has offline access."""
        joined = replace(session, clients=session.clients | {client_id})
        if offline:
            joined = replace(joined, offline=joined.offline | {client_id})
        self._shelf.put(session.cookie, joined, _LIFETIME)

    def end(self, session: Session) -> None:
        """End ``session``."""
        self._shelf.take(session.cookie)

    def of(self, sub: str) -> list[Session]:
        """Return all sessions of ``sub``."""
        return [session for _, session in self._shelf.items() if session.sub == sub]

    def clear(self) -> None:
        """End all, silently."""
        self._shelf.clear()
