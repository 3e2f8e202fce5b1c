"""Connections to a SQLite file: when one may be opened, kept, and closed.

It knows SQLite's rules about forks, locks and files that go away, and nothing of what is asked.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .sqlite_files import Identity, identity, wal_was_removed

BUSY_TIMEOUT = 5.0
"""Seconds that a call waits for other processes to finish writing."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries
    (key BLOB PRIMARY KEY, value BLOB NOT NULL, expires REAL NOT NULL);
CREATE INDEX IF NOT EXISTS entries_by_expiry ON entries (expires);
"""

_opened: set[Opened] = set()
"""The connections that are open, in use or idle. Like a deque it needs no lock."""

_inherited: list[sqlite3.Connection] = []
"""Connections opened before a fork. Even closing one could undo locks of the parent's."""


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A connection to ``path`` of the process ``pid``, and the files that it was opened with."""

    connection: sqlite3.Connection
    path: str
    files: Identity
    pid: int

    @property
    def usable(self) -> bool:
        """Whether it is this process's, and its files are those that others find."""
        return self.pid == os.getpid() and self.files == identity(self.path)

    def close(self) -> None:
        """Close it, and first save what would go with a ``-wal`` that was removed."""
        if self.pid != os.getpid():
            _inherited.append(self.connection)
            return
        if wal_was_removed(self.path, self.files):
            # Closing would do this only if no other process had the database open.
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.close()
        _opened.discard(self)


def is_busy(error: BaseException) -> bool:
    """Tell whether somebody else is writing, so that the same may succeed later."""
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def connect(path: Path, close_idle: Callable[[], None]) -> Opened:
    """Connect to ``path``, making the file and its table where they are missing.

    ``close_idle`` closes every connection of this process that no call is using. Raises
    ``sqlite3.Error`` or ``OSError``.

    SQLite's own busy timeout does not cover the change to WAL, which fails at once while another
    process makes it: so the whole opening is tried again until the timeout has passed.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT
    name = str(path)
    _let_go_of_removed(name, close_idle, deadline)
    while True:
        _make_file(path)
        # Each connection serves one call at a time, but not always from the same thread.
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # After a power cut the last entries may be missing; the file is never damaged.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA)
        except BaseException as error:
            connection.close()
            if not is_busy(error) or time.monotonic() > deadline:
                raise
        else:
            opened = Opened(connection, name, identity(name), os.getpid())
            _opened.add(opened)
            return opened
        time.sleep(0.01)


def _let_go_of_removed(path: str, close_idle: Callable[[], None], deadline: float) -> None:
    """Wait until this process has no connection to ``path`` left whose files were removed.

    SQLite gives all connections of a process to a database one ``-shm``, in whatever store they
    are: one that is opened too early joins the removed file, and looks as if it had the new one.
    """
    while _holds_removed(path):
        if time.monotonic() > deadline:
            raise TimeoutError(
                "its -wal or -shm was removed, which a call of this process still uses; "
                "if this goes on, restart the process"
            )
        close_idle()
        time.sleep(0.001)


def _holds_removed(path: str) -> bool:
    now = identity(path)
    return any(each.files[0] == now[0] and each.files != now for each in _opened.copy())


def _make_file(path: Path) -> None:
    """Make ``path`` an empty file of mode 0600, if there is nothing yet.

    It is made under another name, closed, and then linked: closing a database file drops every
    lock that this process holds on it (https://sqlite.org/howtocorrupt.html section 2.2), so it
    must never be opened here while another thread may use it.
    """
    if path.exists():
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
