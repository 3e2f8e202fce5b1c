"""A store in this process's memory: for one process, for tests, and where nothing better works."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from threading import Lock

_stores: weakref.WeakSet[MemoryStore] = weakref.WeakSet()


class MemoryStore:
    """A dictionary whose entries expire and whose size is bounded.

    ``clock`` returns the time in seconds. When ``max_entries`` are held and none has expired, the
    entry that would expire soonest makes room.
    """

    instant = True
    shared = False

    def __init__(
        self, *, clock: Callable[[], float] = time.time, max_entries: int = 100_000
    ) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._entries: dict[str, tuple[float, bytes]] = {}
        # All entries by time of expiry. One that was overwritten or removed leaves its old time
        # behind; it no longer matches the dictionary and is skipped. This also holds in a process
        # forked in the middle of a write.
        self._expiries: list[tuple[float, str]] = []
        self._lock = Lock()
        _stores.add(self)

    def get(self, key: str) -> bytes | None:
        """Return the value under ``key``, ``None`` where there is none or it has expired."""
        with self._lock:
            return self._alive(key)

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return what ``get`` would for each of ``keys``, in their order."""
        with self._lock:
            return [self._alive(key) for key in keys]

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Write ``value`` under ``key``, whether or not it is there, for ``ttl`` seconds."""
        with self._lock:
            self._write(key, value, ttl)

    def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Write ``value`` if ``key`` is free or expired; return whether it was."""
        with self._lock:
            if self._alive(key) is not None:
                return False
            self._write(key, value, ttl)
            return True

    def take(self, key: str) -> bytes | None:
        """Return the value under ``key`` and remove it."""
        with self._lock:
            value = self._alive(key)
            self._entries.pop(key, None)
            return value

    def delete(self, key: str) -> None:
        """Remove ``key``, if it is there."""
        with self._lock:
            self._entries.pop(key, None)

    def close(self) -> None:
        """Do nothing: the entries live as long as the store."""

    def _alive(self, key: str) -> bytes | None:
        expires, value = self._entries.get(key, (float("-inf"), b""))
        return value if expires > self._clock() else None

    def _write(self, key: str, value: bytes, ttl: float) -> None:
        now = self._clock()
        self._entries.pop(key, None)
        # Room is made before the write, so that an entry never makes room for itself: a claim that
        # goes at once would let the next one claim, too.
        self._make_room(now)
        self._entries[key] = (now + ttl, value)
        heappush(self._expiries, (now + ttl, key))

    def _make_room(self, now: float) -> None:
        while self._expiries and (
            self._expiries[0][0] <= now or len(self._entries) >= self._max_entries
        ):
            expires, key = heappop(self._expiries)
            if self._entries.get(key, (None,))[0] == expires:
                del self._entries[key]
        if len(self._expiries) > 2 * len(self._entries) + 1000:
            # A key written again and again must not grow the list without bound.
            self._expiries = [(expires, key) for key, (expires, _) in self._entries.items()]
            heapify(self._expiries)

    def _renew_lock(self) -> None:
        self._lock = Lock()


def _after_fork_in_child() -> None:
    # Another thread of the parent may have held the lock; in the child nobody would release it.
    for store in list(_stores):
        store._renew_lock()  # noqa: SLF001 - the hook is a part of the class


# Where there is no such function (Windows), there is no fork either.
getattr(os, "register_at_fork", dict)(after_in_child=_after_fork_in_child)
