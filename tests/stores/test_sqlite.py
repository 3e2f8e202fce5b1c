"""What the SQLite store promises beyond the contract: forks, locks, and a file that goes away."""

from __future__ import annotations

import gc
import os
import sqlite3
import stat
import time
import weakref
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.stores import SqliteStore, sqlite, sqlite_connection

from .forks import forked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .clock import Clock


@pytest.fixture
def path(sqlite_store: SqliteStore) -> Path:
    return sqlite_store._path


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a connection of somebody else's to the same file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_connection, "BUSY_TIMEOUT", 0.05)


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])


def test_the_file_says_neither_keys_nor_more_than_the_value(
    sqlite_store: SqliteStore, path: Path
) -> None:
    sqlite_store.put("ended sub alice", b"sealed", 10)
    sqlite_store.close()
    assert b"alice" not in path.read_bytes()


def test_a_file_of_the_owners_keeps_its_mode(sqlite_store: SqliteStore, path: Path) -> None:
    path.touch()
    path.chmod(0o640)
    assert sqlite_store.add("key", b"value", 10)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_opening_leaves_no_other_file_behind(sqlite_store: SqliteStore, path: Path) -> None:
    sqlite_store.put("key", b"value", 10)
    sqlite_store.close()
    assert list(path.parent.iterdir()) == [path]


def test_a_file_made_by_another_process_meanwhile_is_taken_as_it_is(
    sqlite_store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def too_late(source: str, target: Path) -> None:
        target.touch()
        link(source, target)

    monkeypatch.setattr(os, "link", too_late)
    assert sqlite_store.add("key", b"value", 10)
    assert [each.name for each in path.parent.glob(".*")] == []


def test_opening_waits_for_another_process_that_is_making_the_file(
    sqlite_store: SqliteStore, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own timeout does not cover the change to WAL."""
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(time, "sleep", lambda _: other.execute("COMMIT"))
    assert sqlite_store.add("key", b"value", 10)
    assert not other.in_transaction


@pytest.mark.usefixtures("impatient")
def test_opening_gives_up_when_the_time_is_over(
    sqlite_store: SqliteStore, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        sqlite_store.get("key")
    other.execute("ROLLBACK")
    assert sqlite_store.get("key") is None


@pytest.mark.usefixtures("impatient")
def test_a_store_that_is_locked_for_too_long_is_unavailable_and_recovers(
    sqlite_store: SqliteStore, path: Path
) -> None:
    sqlite_store.put("key", b"value", 10)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for call in (
            lambda: sqlite_store.put("key", b"new", 10),
            lambda: sqlite_store.add("new", b"", 10),
            lambda: sqlite_store.take("key"),
            lambda: sqlite_store.delete("key"),
        ):
            with pytest.raises(StoreUnavailable, match="locked") as refused:
                call()
            assert str(path) in refused.value.detail
        assert sqlite_store.get("key") == b"value"
    assert sqlite_store.take("key") == b"value"


def test_a_deleted_file_is_made_again(sqlite_store: SqliteStore, path: Path) -> None:
    sqlite_store.put("key", b"value", 10)
    for each in path.parent.iterdir():
        each.unlink()
    assert sqlite_store.get("key") is None
    assert sqlite_store.add("key", b"value", 10)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_deleted_and_remade_file_is_shared_with_those_who_remade_it(
    sqlite_store: SqliteStore, path: Path
) -> None:
    sqlite_store.put("key", b"value", 10)
    for each in path.parent.iterdir():
        each.unlink()
    second = SqliteStore(path, clock=sqlite_store._clock)
    assert second.add("claim", b"theirs", 10)
    assert not sqlite_store.add("claim", b"ours", 10)
    second.close()


def test_a_file_that_lost_its_table_is_made_whole(
    sqlite_store: SqliteStore, other: sqlite3.Connection
) -> None:
    sqlite_store.put("key", b"value", 10)
    other.execute("DROP TABLE entries")
    assert sqlite_store.add("key", b"value", 10)


def test_a_file_that_is_no_database_is_unavailable(sqlite_store: SqliteStore, path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreUnavailable, match="not a database"):
        sqlite_store.add("key", b"value", 10)


def test_a_damaged_database_is_unavailable(sqlite_store: SqliteStore, path: Path) -> None:
    sqlite_store.put("key", b"value" * 1000, 10)
    sqlite_store.close()
    with path.open("r+b") as file:
        file.seek(1024)
        file.write(b"\xff" * (path.stat().st_size - 1024))
    with pytest.raises(StoreUnavailable, match=r"malformed|schema"):
        sqlite_store.get("key")


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "missing" / "store.db")
    with pytest.raises(StoreUnavailable, match="missing"):
        store.get("key")


def test_a_folder_in_the_place_of_the_file_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open"):
        SqliteStore(tmp_path).get("key")


def test_an_interrupted_call_leaves_no_transaction_open(
    sqlite_store: SqliteStore, other: sqlite3.Connection
) -> None:
    """P10: a greenlet may be killed anywhere."""

    def killed(connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sqlite_store._run(killed)
    other.execute("PRAGMA busy_timeout = 0")
    other.execute("BEGIN IMMEDIATE")


def test_expired_entries_are_removed_by_a_later_write(
    sqlite_store: SqliteStore, path: Path, clock: Clock
) -> None:
    """SS-09."""
    for number in range(10):
        sqlite_store.put(f"old {number}", b"value", 1)
    clock.now += sqlite.SWEEP_INTERVAL - 1
    sqlite_store.add("too early", b"value", 1000)
    assert count(path) == 11
    clock.now += 1
    sqlite_store.add("in time", b"value", 1000)
    assert count(path) == 2


def test_one_sweep_is_limited_and_the_next_write_goes_on(
    sqlite_store: SqliteStore, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "SWEEP_LIMIT", 3)
    for number in range(5):
        sqlite_store.put(f"old {number}", b"value", 1)
    clock.now += sqlite.SWEEP_INTERVAL
    sqlite_store.put("first", b"value", 1000)
    assert count(path) == 3
    sqlite_store.put("second", b"value", 1000)
    assert count(path) == 2


def test_a_clock_that_was_set_back_does_not_stop_the_sweeps(
    sqlite_store: SqliteStore, path: Path, clock: Clock
) -> None:
    clock.now -= 1_000
    sqlite_store.put("old", b"value", 1)
    clock.now += sqlite.SWEEP_INTERVAL
    sqlite_store.put("new", b"value", 1000)
    assert count(path) == 1


def test_idle_connections_are_few(sqlite_store: SqliteStore) -> None:
    with ExitStack() as in_use:
        for _ in range(sqlite.MAX_IDLE + 3):
            in_use.enter_context(sqlite_store._connection())
    assert len(sqlite_store._idle) == sqlite.MAX_IDLE


def test_no_idle_connection_crosses_a_fork(sqlite_store: SqliteStore) -> None:
    sqlite_store.put("key", b"value", 10)
    assert sqlite_store._idle
    assert forked(lambda: len(sqlite_store._idle)) == 0
    assert sqlite_store.get("key") == b"value"


def test_a_server_that_forks_past_python_does_not_share_a_connection(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server in C may fork without the hook: the parent's connection is left as it is."""
    sqlite_store.put("key", b"value", 10)
    [parents] = sqlite_store._idle
    monkeypatch.setattr(sqlite, "_stores", weakref.WeakSet())

    def in_child() -> tuple[bytes | None, bool, bool]:
        value = sqlite_store.take("key")
        kept = any(each is parents.connection for each in sqlite_connection._inherited)
        return value, kept, parents.connection.total_changes > 0

    assert forked(in_child) == (b"value", True, True)
    assert sqlite_store.get("key") is None
    assert list(sqlite_store._idle) == [parents]


def test_a_connection_in_use_during_a_fork_stays_the_parents(sqlite_store: SqliteStore) -> None:
    with sqlite_store._connection() as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert forked(lambda: sqlite_store.get("key")) is None
        connection.execute("ROLLBACK")
    assert sqlite_store.add("key", b"value", 10)


def test_a_store_that_nobody_uses_closes_its_connections(path: Path) -> None:
    store = SqliteStore(path)
    store.get("key")
    [idle] = store._idle
    del store
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        idle.connection.execute("SELECT 1")
