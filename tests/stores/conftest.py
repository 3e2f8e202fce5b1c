"""Each kind of store, empty, with a clock that a test moves by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from intastellar_auth.stores import MemoryStore, SqliteStore, Store

from .clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite_store(tmp_path: Path, clock: Clock) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "store.db", clock=clock)
    yield store
    store.close()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, sqlite_store: SqliteStore, clock: Clock) -> Store:
    """Return each kind in turn: the promises of ``Store`` hold for every kind."""
    return MemoryStore(clock=clock) if request.param == "memory" else sqlite_store
