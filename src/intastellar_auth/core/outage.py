"""A store that does not answer: it is left in peace for a moment, and so is the log."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from intastellar_auth import log
from intastellar_auth.errors import StoreUnavailable

# A request that asks a dead store waits for it: only one in so many seconds should.
_ASK_AGAIN = 1.0


@dataclass(slots=True)
class Outage:
    """What this process knows of its store; ``interval`` is how often the log hears of it.

    All in seconds.
    """

    interval: float
    ask_again: float = 0.0
    _log_again: float = 0.0

    def heed(self, now: float) -> None:
        """Raise ``StoreUnavailable`` if the store did not answer a moment ago."""
        if now < self.ask_again:
            raise StoreUnavailable("the store did not answer a moment ago")

    def note(self, error: StoreUnavailable, now: float) -> None:
        """Take note that the store was not to be asked at ``now``."""
        if now < self.ask_again:
            return
        self.ask_again = now + _ASK_AGAIN
        if now >= self._log_again:
            self._log_again = now + max(self.interval, _ASK_AGAIN)
            log.event(logging.WARNING, "revocation_not_checked", {"detail": error.detail})
