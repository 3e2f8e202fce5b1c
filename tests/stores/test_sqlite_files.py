"""A cleaner takes some files of a SQLite store away, and all processes still share all of it."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.stores import SqliteStore, sqlite, sqlite_connection

from .forks import forked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .clock import Clock

REMOVED = [("-shm",), ("-wal",), ("-shm", "-wal")]
LONG_AGO = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that has the store open and does what it is asked."""

    process: subprocess.Popen[str]

    def asked(self, line: str) -> object:
        """Return what the call in ``line`` returned there."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture
def path(sqlite_store: SqliteStore) -> Path:
    return sqlite_store._path


@pytest.fixture
def start(path: Path) -> Iterator[Callable[[str], Worker]]:
    """Return what starts a worker whose values are its name."""
    with ExitStack() as stack:

        def start_one(name: str) -> Worker:
            process = subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, "-W", "error", "-m", f"{__package__}.asked", str(path), name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[__package__.count(".") + 1],
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            stack.callback(process.communicate, timeout=60)
            return Worker(process)

        yield start_one


def remove(path: Path, endings: tuple[str, ...]) -> None:
    for ending in endings:
        Path(f"{path}{ending}").unlink()


@pytest.mark.parametrize(
    ("order", "endings"),
    [
        ("newcomer first", ("-shm",)),
        *itertools.product(["newcomer between", "newcomer last"], REMOVED),
    ],
)
def test_processes_share_every_claim_and_every_entry_after_files_were_removed(
    start: Callable[[str], Worker], path: Path, order: str, endings: tuple[str, ...]
) -> None:
    """P2: a cleaner by age takes ``-shm`` from under a busy site.

    Otherwise whoever comes next makes a new one, and each of two processes is told that a claim is
    its own, and sees no logout of the other's.
    """
    first, second = start("first"), start("second")
    assert first.asked("add before") is True
    assert second.asked("add before") is False
    assert second.asked("put ended") is None
    remove(path, endings)
    newcomer = start("newcomer")
    workers = {
        "newcomer first": [newcomer, first, second],
        "newcomer between": [first, newcomer, second],
        "newcomer last": [first, second, newcomer],
    }[order]
    assert [each.asked("get ended") for each in workers] == ["second"] * 3
    assert [each.asked("add claim") for each in workers] == [True, False, False]
    for number, writer in enumerate(reversed(workers)):
        writer.asked(f"put mine.{number}")
        assert len({each.asked(f"get mine.{number}") for each in workers}) == 1
        assert [each.asked(f"add mine.{number}") for each in workers] == [False] * 3
    assert [each.asked("add before") for each in workers] == [False] * 3


def test_a_removed_wal_is_saved_by_whoever_has_it_open(
    start: Callable[[str], Worker], path: Path
) -> None:
    """A process that has just started cannot reach it, and takes nothing for lost meanwhile."""
    first = start("first")
    assert first.asked("add before") is True
    remove(path, ("-wal",))
    newcomer = start("newcomer")
    assert newcomer.asked("get before") == "unavailable"
    assert newcomer.asked("add before") == "unavailable"
    assert first.asked("get before") == "first"
    assert newcomer.asked("get before") == "first"
    assert newcomer.asked("add claim") is True
    assert first.asked("add claim") is False


def test_where_a_newcomer_finds_the_database_alone_claims_are_shared_from_then_on(
    start: Callable[[str], Worker], path: Path
) -> None:
    """What was in the ``-wal`` is forgotten, as it is when the whole folder is cleaned."""
    first = start("first")
    assert first.asked("add before") is True
    remove(path, ("-shm", "-wal"))
    newcomer = start("newcomer")
    assert newcomer.asked("add claim") is True
    assert first.asked("add claim") is False
    assert first.asked("put ended") is None
    assert newcomer.asked("get ended") == "first"


def test_old_pages_are_not_put_under_a_newcomer_that_began_without_them(
    start: Callable[[str], Worker], sqlite_store: SqliteStore, path: Path
) -> None:
    """It may be writing, under locks that the others do not see: that would damage the database."""
    sqlite_store.put("early", b"value", 600)
    sqlite_store.close()
    first = start("first")
    assert first.asked("put late") is None
    remove(path, ("-shm", "-wal"))
    newcomer = start("newcomer")
    assert [each.asked("get late") for each in (newcomer, first, newcomer)] == [""] * 3


@pytest.mark.parametrize("endings", REMOVED)
def test_all_stores_of_a_process_let_go_of_a_removed_file(
    start: Callable[[str], Worker],
    sqlite_store: SqliteStore,
    path: Path,
    endings: tuple[str, ...],
) -> None:
    """SQLite gives all connections of a process the one ``-shm`` that the first has opened."""
    idle = SqliteStore(path)
    idle.put("of the idle one", b"value", 600)
    sqlite_store.put("key", b"value", 600)
    remove(path, endings)
    assert sqlite_store.get("key") == b"value"
    newcomer = start("newcomer")
    assert newcomer.asked("add claim") is True
    assert not sqlite_store.add("claim", b"ours", 600)
    assert not idle.add("claim", b"ours", 600)
    assert idle.get("of the idle one") == b"value"
    idle.close()


def test_a_call_waits_until_no_other_uses_a_removed_file(
    sqlite_store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_store.put("key", b"value", 600)
    with ExitStack() as other_call:
        other_call.enter_context(sqlite_store._connection())
        remove(path, ("-shm",))
        monkeypatch.setattr(time, "sleep", lambda _: other_call.close())
        assert sqlite_store.get("key") == b"value"
    assert len(sqlite_store._idle) == 1
    assert Path(f"{path}-shm").exists()


def test_a_removed_file_that_stays_in_use_makes_the_store_unavailable(
    sqlite_store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused is better than shared with nobody; a child without the hook can never let go."""
    monkeypatch.setattr(sqlite_connection, "BUSY_TIMEOUT", 0.05)

    def in_child() -> str:
        try:
            sqlite_store.get("key")
        except StoreUnavailable as unavailable:
            return unavailable.detail
        return "available"

    sqlite_store.put("key", b"value", 600)
    with sqlite_store._connection():
        assert forked(in_child) == "available"
        remove(path, ("-shm",))
        with pytest.raises(StoreUnavailable, match="was removed, which a call"):
            sqlite_store.get("key")
        assert "restart the process" in forked(in_child)
    assert sqlite_store.get("key") == b"value"


def test_a_database_that_was_replaced_meanwhile_is_not_waited_for(
    sqlite_store: SqliteStore, path: Path
) -> None:
    sqlite_store.put("key", b"value", 600)
    with sqlite_store._connection():
        remove(path, ("", "-shm", "-wal"))
        assert sqlite_store.add("key", b"value", 600)


@pytest.mark.parametrize("call", ["get", "put"])
def test_a_store_in_use_never_looks_old(
    call: str, sqlite_store: SqliteStore, path: Path, clock: Clock
) -> None:
    """Visitors who only read keep tombstones from a cleaner as well."""

    def old() -> set[str]:
        return {each.name for each in files if each.stat().st_mtime < LONG_AGO + 1}

    def use() -> None:
        if call == "get":
            sqlite_store.get("key")
        else:
            sqlite_store.put("key", b"value", 600)

    sqlite_store.get("key")
    files = [path.parent, *path.parent.iterdir()]
    assert len(files) == 4
    for each in files:
        os.utime(each, (LONG_AGO, LONG_AGO))
    clock.now += sqlite.TOUCH_INTERVAL - 1
    use()
    assert path.name in old()
    assert path.parent.name in old()
    clock.now += 1
    use()
    assert old() == set()


def test_a_file_that_cannot_be_touched_is_used_all_the_same(
    sqlite_store: SqliteStore, path: Path, clock: Clock
) -> None:
    sqlite_store.put("key", b"value", 6000)
    remove(path, ("-shm",))
    clock.now += sqlite.TOUCH_INTERVAL
    assert sqlite_store.get("key") == b"value"
