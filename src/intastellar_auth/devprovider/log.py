"""What happened at which endpoint, for tests to read. It never holds a code, token or secret."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from intastellar_auth.devprovider.jsons import Json

COUNTS: Final = (
    "token_requests",
    "answers_unheard",
    "code_reuses",
    "refresh_reuses",
    "grants_revoked",
    "revocations",
)
_KEPT: Final = 10_000


class Log:
    """The last events and a few counts.

    ``token_requests`` reached the token endpoint; ``answers_unheard`` are those of the slow ones
    whose client had hung up before there was an answer; ``code_reuses`` and ``refresh_reuses``
    presented a spent code or refresh token; ``grants_revoked`` families of tokens were revoked for
    that; ``revocations`` tokens were revoked by their client (RFC 7009).
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._events: deque[dict[str, Json]] = deque(maxlen=_KEPT)
        self._counts: dict[str, int] = dict.fromkeys(COUNTS, 0)

    def write(self, endpoint: str, client_id: str | None, outcome: str) -> None:
        """Note that ``endpoint`` was asked by ``client_id`` (a registered one) with ``outcome``."""
        with self._lock:
            self._events.append(
                {
                    "endpoint": endpoint,
                    "client_id": client_id,
                    "outcome": outcome,
                    "time": self._clock(),
                }
            )

    def count(self, name: str) -> None:
        """Add one to the count ``name``."""
        with self._lock:
            self._counts[name] += 1

    @property
    def events(self) -> list[dict[str, Json]]:
        """The events, oldest first."""
        with self._lock:
            return list(self._events)

    @property
    def counts(self) -> dict[str, int]:
        """The counts by name."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Start from nothing."""
        with self._lock:
            self._events.clear()
            self._counts = dict.fromkeys(COUNTS, 0)
