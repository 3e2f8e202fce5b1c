"""A store that does not answer: it is left in peace for a while, and so is the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from intastellar_auth import log
from intastellar_auth.errors import StoreUnavailable

# Longer than a store may take to say nothing: of all requests only one waits for that at a time.
_ASK_AGAIN = 3.0
# When nobody has asked for so long, what is known of an outage is of no use.
_FORGOTTEN = 10.0


@dataclass(slots=True)
class Outage:
    """What this process knows of its store; ``interval`` is how often the log hears of it.

    All in seconds.
    """

    interval: float
    clock: Callable[[], float]
    ask_again: float = 0.0
    _down: bool = False
    _log_again: float = 0.0

    def may_ask(self) -> bool:
        """Return whether the store is to be asked; while it is down, one asks and others do not."""
        now = self.clock()
        # One that is further ahead was written by a clock that has been set back since.
        if now < self.ask_again <= now + _ASK_AGAIN:
            return False
        if now >= self.ask_again + _FORGOTTEN:
            self._down = False
        if self._down:
            self.ask_again = now + _ASK_AGAIN
        return True

    def began(self, error: StoreUnavailable) -> None:
        """Take note that the store did not answer."""
        now = self.clock()
        self._down, self.ask_again = True, now + _ASK_AGAIN
        if now >= self._log_again:
            self._log_again = now + max(self.interval, _ASK_AGAIN)
            log.event(logging.WARNING, "revocation_not_checked", {"detail": error.detail})

    def over(self) -> None:
        """Take note that the store has answered."""
        self._down, self.ask_again = False, 0.0
