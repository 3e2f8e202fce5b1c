"""A store in one SQLite file, shared by all processes of a machine.

It keeps connections between calls, and knows nothing about what is stored.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from intastellar_auth.errors import StoreUnavailable

from .sqlite_connection import Opened, connect, is_busy
from .sqlite_files import keep_young

T = TypeVar("T")

SWEEP_INTERVAL = 60.0
"""Seconds between two removals of expired entries by one process."""

TOUCH_INTERVAL = 60.0
"""Seconds between two times that one process makes the files look young to a cleaner."""

SWEEP_LIMIT = 500
"""Entries that one sweep removes at most, so that no request pays for all of them."""

MAX_IDLE = 8
"""Connections that are kept open between calls."""

_stores: weakref.WeakSet[SqliteStore] = weakref.WeakSet()


class SqliteStore:
    """A table of expiring entries in the file ``path``, which is made on the first call.

    ``clock`` returns the time in seconds; it must be the wall clock, the one that all processes
    agree on. ``prepare`` is called before the file is opened, each time: it makes what the file
    needs, or raises ``OSError``. A connection serves one call at a time and never outlives a fork.
    """

    instant = False
    shared = True

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.time,
        prepare: Callable[[], object] = lambda: None,
    ) -> None:
        self._path = path
        self._prepare = prepare
        self._clock = clock
        self._swept = self._touched = clock()
        # A deque needs no lock (its ends are atomic), so none can be held across a fork.
        self._idle: deque[Opened] = deque()
        weakref.finalize(self, _close_all, self._idle)
        _stores.add(self)

    def get(self, key: str) -> bytes | None:
        """Return the value under ``key``, ``None`` where there is none or it has expired."""
        return self.get_many((key,))[0]

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return what ``get`` would for each of ``keys``, in their order."""
        return self._run(lambda connection: self._alive(connection, keys))

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Write ``value`` under ``key``, whether or not it is there, for ``ttl`` seconds."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO entries (key, value, expires) VALUES (?, ?, ?)",
                (_hashed(key), value, self._clock() + ttl),
            )
            self._sweep(connection)

        self._run(write)

    def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Write ``value`` if ``key`` is free or expired; return whether it was."""

        def claim(connection: sqlite3.Connection) -> bool:
            now = self._clock()
            # One statement, so that nobody comes between the look and the write.
            won = connection.execute(
                "INSERT INTO entries (key, value, expires) VALUES (?, ?, ?) ON CONFLICT (key) "
                "DO UPDATE SET value = excluded.value, expires = excluded.expires "
                "WHERE entries.expires <= ?",
                (_hashed(key), value, now + ttl, now),
            ).rowcount
            self._sweep(connection)
            return won == 1

        return self._run(claim)

    def take(self, key: str) -> bytes | None:
        """Return the value under ``key`` and remove it."""

        def remove(connection: sqlite3.Connection) -> bytes | None:
            # DELETE ... RETURNING would be one statement, but needs SQLite 3.35.
            connection.execute("BEGIN IMMEDIATE")
            [value] = self._alive(connection, (key,))
            connection.execute("DELETE FROM entries WHERE key = ?", (_hashed(key),))
            connection.execute("COMMIT")
            return value

        return self._run(remove)

    def delete(self, key: str) -> None:
        """Remove ``key``, if it is there."""
        self._run(
            lambda connection: connection.execute(
                "DELETE FROM entries WHERE key = ?", (_hashed(key),)
            )
        )

    def close(self) -> None:
        """Close the connections that no call is using; a later call opens one again."""
        _close_all(self._idle)

    def _alive(self, connection: sqlite3.Connection, keys: Sequence[str]) -> list[bytes | None]:
        """One statement, so that all values are of one moment."""
        names = [_hashed(key) for key in keys]
        places = ",".join("?" * len(names))
        rows = connection.execute(
            f"SELECT key, value FROM entries WHERE key IN ({places}) AND expires > ?",  # noqa: S608  question marks alone
            (*names, self._clock()),
        )
        found: dict[bytes, bytes] = dict(rows)
        return [found.get(name) for name in names]

    def _sweep(self, connection: sqlite3.Connection) -> None:
        now = self._clock()
        if 0 <= now - self._swept < SWEEP_INTERVAL:
            return
        # The caller's own write is done: it must not be reported as failed because of this.
        with contextlib.suppress(sqlite3.Error):
            removed = connection.execute(
                "DELETE FROM entries WHERE key IN "
                "(SELECT key FROM entries WHERE expires <= ? LIMIT ?)",
                (now, SWEEP_LIMIT),
            ).rowcount
            if removed < SWEEP_LIMIT:
                self._swept = now

    def _touch(self) -> None:
        # Reading counts: tombstones must outlast a cleaner where nobody signs in for days.
        now = self._clock()
        if not 0 <= now - self._touched < TOUCH_INTERVAL:
            self._touched = now
            keep_young(str(self._path))

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._touch()
        try:
            try:
                with self._connection() as connection:
                    return work(connection)
            except sqlite3.Error as error:
                if is_busy(error):
                    raise
                # The file may have been deleted, emptied or replaced under us. A claim that was
                # written after all is refused the second time, which is the safe side.
                self.close()
                with self._connection() as connection:
                    return work(connection)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(
                f"the SQLite store {self._path} (INTASTELLAR_STORE_URL): {error}"
            ) from error

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        opened = self._idle_one() or self._open()
        try:
            yield opened.connection
        except BaseException:
            # Whatever interrupted it, a transaction may be open: closing rolls it back.
            opened.close()
            raise
        self._idle.append(opened)
        if len(self._idle) > MAX_IDLE:
            self._idle.popleft().close()

    def _open(self) -> Opened:
        self._prepare()
        return connect(self._path, _close_idle)

    def _idle_one(self) -> Opened | None:
        with contextlib.suppress(IndexError):
            while True:
                opened = self._idle.pop()
                if opened.usable:
                    return opened
                opened.close()
        return None


def _hashed(key: str) -> bytes:
    # Whatever a key is made of, the file holds 32 bytes that do not tell (a key may name a user).
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


def _close_all(idle: deque[Opened]) -> None:
    with contextlib.suppress(IndexError):
        while True:
            idle.pop().close()


def _close_idle() -> None:
    for store in list(_stores):
        store.close()


# Where there is no such function (Windows), there is no fork either.
getattr(os, "register_at_fork", dict)(before=_close_idle)
