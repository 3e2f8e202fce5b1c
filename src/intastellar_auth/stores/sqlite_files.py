"""The files that a SQLite database in WAL mode is made of, and how to tell when one was removed.

It knows the files by what they are and not by their names alone, and nothing of connections.

A cleaner of the temporary folder takes files one by one, by their age, and ``-shm`` looks older
than it is: it is written through memory, which need not move its times. Whoever opens the database
next makes a new one, and from then on processes write one ``-wal`` under two sets of locks: none
sees what the others write, and each is told that a claim is its own
(https://sqlite.org/howtocorrupt.html section 2.4).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TypeAlias

Identity: TypeAlias = tuple[tuple[int, int] | None, ...]
"""Device and inode of the database, its ``-shm`` and its ``-wal``; ``None`` where there is none.

The last two are there as long as anybody has the database open: SQLite removes them itself only
with the last connection.
"""


def identity(path: str) -> Identity:
    """Return which files the names of the database ``path`` stand for now."""
    return _one(path), _one(path + "-shm"), _one(path + "-wal")


def wal_was_removed(path: str, files: Identity) -> bool:
    """Tell whether the ``-wal`` of ``files`` is gone and must be saved, which is still safe.

    Whoever has another ``-shm`` may have written already, under other locks: old pages on top of
    that would damage the database, where to leave them only forgets them.
    """
    database, shm, wal = identity(path)
    alone = database == files[0] and shm in {files[1], None}
    return alone and wal != files[2] and _is_empty(Path(path + "-wal"))


def keep_young(path: str) -> None:
    """Set the times of the files and their folder to now, as far as this user may."""
    for each in (Path(path).parent, path, path + "-shm", path + "-wal"):
        with contextlib.suppress(OSError):
            os.utime(each)


def _is_empty(file: Path) -> bool:
    try:
        return file.stat().st_size == 0
    except OSError:
        return True


def _one(name: str) -> tuple[int, int] | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - each call of a store asks, and a Path is slow
    except OSError:
        return None
    return found.st_dev, found.st_ino
