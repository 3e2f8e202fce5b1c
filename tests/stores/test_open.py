"""Which store an address opens, and what ``auto`` makes of a folder that an attacker prepared."""

from __future__ import annotations

import json
import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intastellar_auth.errors import SettingsError, StoreUnavailable
from intastellar_auth.stores import MemoryStore, SqliteStore, open_store

from .forks import forked

if TYPE_CHECKING:
    from collections.abc import Callable

    from .redis_server import RedisServer

RACERS = 6


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a temporary folder for the system, writable for everyone, with the sticky bit."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def private(temporary: Path) -> Path:
    return temporary / f"intastellar-auth-{os.getuid()}"


def refusal(caplog: pytest.LogCaptureFixture) -> str:
    """Return why ``auto`` ended in memory."""
    with caplog.at_level(logging.WARNING):
        store = open_store("auto")
    assert isinstance(store, MemoryStore)
    [record] = caplog.records
    assert vars(record)["event"] == "store_not_shared"
    assert vars(record)["fields"].keys() == {"because", "advice"}
    assert record.name == "intastellar_auth"
    assert record.levelno == logging.WARNING
    assert "INTASTELLAR_STORE_URL" in record.getMessage()
    return record.getMessage()


def test_memory_warns_that_it_holds_for_one_process(caplog: pytest.LogCaptureFixture) -> None:
    assert isinstance(open_store("memory://"), MemoryStore)
    [record] = caplog.records
    assert "per process only" in record.getMessage()
    assert "INTASTELLAR_STORE_URL is memory://" in record.getMessage()


def test_a_sqlite_address_names_a_file_that_the_first_call_makes(tmp_path: Path) -> None:
    path = tmp_path / "a b%.db"
    store = open_store(f"sqlite://{tmp_path}/a%20b%25.db")
    assert isinstance(store, SqliteStore)
    assert not path.exists()
    store.put("key", b"value", 10)
    store.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "url",
    [
        "",
        "redis://user:hunter2@",
        "redis+file://user:hunter2@host",
        "postgres://user:hunter2@host",
        "AUTO",
        "memory://x",
        "memory:",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite://relative/path.db",
        "sqlite:///a?mode=ro",
        "sqlite:///a#b",
        "sqlite:///a%00b",
        "/var/lib/store.db",
        "postgresql+sqlite:///a",
    ],
)
def test_any_other_address_is_refused_by_the_variables_name(url: str) -> None:
    with pytest.raises(SettingsError, match="INTASTELLAR_STORE_URL") as refused:
        open_store(url)
    assert "hunter2" not in refused.value.detail


@settings(max_examples=200)
@given(rest=st.text(max_size=30))
def test_whatever_follows_sqlite_is_a_path_or_refused(rest: str) -> None:
    try:
        assert isinstance(open_store(f"sqlite:{rest}"), SqliteStore)
    except SettingsError as refused:
        assert "INTASTELLAR_STORE_URL" in refused.detail  # noqa: PT017 - either is right


def test_auto_makes_a_folder_and_a_file_that_only_this_user_can_open(private: Path) -> None:
    store = open_store("auto")
    assert store.shared
    store.put("key", b"value", 10)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in private.iterdir()}
    store.close()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_auto_finds_the_same_store_again(private: Path) -> None:
    first, second = open_store("auto"), open_store("auto")
    first.put("key", b"value", 10)
    assert second.get("key") == b"value"
    assert private.is_dir()
    first.close()
    second.close()


def test_auto_leaves_nothing_open_that_a_fork_could_carry_over(private: Path) -> None:
    def open_files() -> set[str]:
        return {
            os.readlink(link)  # noqa: PTH115 - a link of /proc is text, not a path
            for link in Path("/proc/self/fd").iterdir()
            if link.is_symlink()
        }

    store = open_store("auto")
    assert not any(str(private) in name for name in open_files())
    assert forked(lambda: store.add("key", b"child", 10))
    assert not store.add("key", b"parent", 10)
    store.close()


def test_auto_makes_a_folder_again_that_vanishes_while_it_runs(private: Path) -> None:
    """Cleaners of the temporary folder do that."""
    store = open_store("auto")
    store.put("key", b"value", 10)
    shutil.rmtree(private)
    assert store.get("key") is None
    store.put("key", b"another", 10)
    assert store.get("key") == b"another"
    store.close()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE((private / "store.db").stat().st_mode) == 0o600


def link_to_a_folder(private: Path) -> None:
    target = private.with_name("attackers")
    target.mkdir(mode=0o700)
    private.symlink_to(target)


def link_to_nothing(private: Path) -> None:
    private.symlink_to(private.with_name("nothing"))


def a_file(private: Path) -> None:
    private.write_bytes(b"")


def open_to_a_group(private: Path) -> None:
    private.mkdir()
    private.chmod(0o750)


def open_to_everyone(private: Path) -> None:
    private.mkdir()
    private.chmod(0o701)


@pytest.mark.parametrize(
    "attack", [link_to_a_folder, link_to_nothing, a_file, open_to_a_group, open_to_everyone]
)
def test_auto_refuses_a_folder_that_it_could_not_have_made(
    attack: Callable[[Path], None], private: Path, caplog: pytest.LogCaptureFixture
) -> None:
    attack(private)
    assert str(private) in refusal(caplog)
    assert not list(private.parent.glob("*/store.db"))


@pytest.mark.parametrize(
    "attack", [link_to_a_folder, link_to_nothing, a_file, open_to_a_group, open_to_everyone]
)
def test_auto_refuses_a_folder_that_was_put_in_the_place_of_its_own(
    attack: Callable[[Path], None], private: Path
) -> None:
    store = open_store("auto")
    store.put("key", b"value", 10)
    shutil.rmtree(private)
    attack(private)
    with pytest.raises(StoreUnavailable, match=str(private)):
        store.put("key", b"value", 10)
    assert not list(private.parent.glob("*/*"))


def test_auto_refuses_the_folder_of_another_user(
    temporary: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: ours + 1)
    (temporary / f"intastellar-auth-{ours + 1}").mkdir(mode=0o700)
    assert f"belongs to user {ours}" in refusal(caplog)


def test_auto_refuses_a_temporary_folder_where_anyone_may_rename(
    temporary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    temporary.chmod(0o777)
    assert "sticky" in refusal(caplog)


@pytest.mark.usefixtures("temporary")
def test_auto_is_memory_where_users_have_no_ids(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "getuid")
    assert "no user ids" in refusal(caplog)


def test_auto_is_memory_where_no_temporary_folder_can_be_used(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent/temporary")
    assert "nonexistent" in refusal(caplog)


def test_auto_is_memory_where_the_file_is_no_database(
    private: Path, caplog: pytest.LogCaptureFixture
) -> None:
    private.mkdir(mode=0o700)
    (private / "store.db").write_bytes(b"no database" * 100)
    assert "not a database" in refusal(caplog)


@pytest.mark.parametrize("address", ["auto", "sqlite", "redis"])
def test_processes_that_make_the_store_at_once_share_every_claim(
    address: str, tmp_path: Path, redis_here: RedisServer
) -> None:
    """P2: none of them fails, and each of the 50 keys has one winner."""
    others = {"sqlite": f"sqlite://{tmp_path}/new.db", "redis": redis_here.url}
    url = others.get(address, "auto")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    racers = [
        subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-W", "error", "-m", f"{__package__}.racer", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[__package__.count(".") + 1],
        )
        for _ in range(RACERS)
    ]
    try:
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        results = [json.loads(racer.communicate(timeout=60)[0]) for racer in racers]
    finally:
        for racer in racers:
            racer.kill()
            racer.communicate()
    assert [racer.returncode for racer in racers] == [0] * RACERS
    assert all(shared for shared, _ in results)
    assert sorted(number for _, won in results for number in won) == list(range(50))
