"""Values under unguessable names, each for a limited time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Shelf(Generic[T]):
    """A dictionary whose entries expire. Of all who ``take`` a key, in any thread, one gets it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[float, T]] = {}

    def put(self, key: str, value: T, ttl: float) -> None:
        """Keep ``value`` under ``key`` for ``ttl`` seconds."""
        with self._lock:
            self._drop_expired()
            self._entries[key] = (self._clock() + ttl, value)

    def add(self, key: str, value: T, ttl: float) -> bool:
        """Keep ``value`` for ``ttl`` seconds if ``key`` is free; return whether it was."""
        with self._lock:
            self._drop_expired()
            free = key not in self._entries
            self._entries.setdefault(key, (self._clock() + ttl, value))
            return free

    def get(self, key: str) -> T | None:
        """Return what is under ``key``, ``None`` where nothing is."""
        with self._lock:
            return self._alive(self._entries.get(key))

    def take(self, key: str) -> T | None:
        """Remove what is under ``key`` and return it, ``None`` where nothing is."""
        with self._lock:
            return self._alive(self._entries.pop(key, None))

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._entries.clear()

    def items(self) -> list[tuple[str, T]]:
        """Return what is there now."""
        with self._lock:
            self._drop_expired()
            return [(key, value) for key, (_, value) in self._entries.items()]

    def _alive(self, entry: tuple[float, T] | None) -> T | None:
        return entry[1] if entry is not None and entry[0] > self._clock() else None

    def _drop_expired(self) -> None:
        now = self._clock()
        for key in [key for key, (expires, _) in self._entries.items() if expires <= now]:
            del self._entries[key]
