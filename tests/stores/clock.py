"""A clock that stands still until it is moved."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Clock:
    """Called, it returns ``now``, in seconds."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now
