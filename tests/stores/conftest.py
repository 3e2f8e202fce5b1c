"""Each kind of store, empty, with a clock that a test moves by hand."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.stores import MemoryStore, SqliteStore, Store, open_store
from intastellar_auth.stores.redis import RedisStore
from intastellar_auth.stores.redis_url import parse

from .clock import Clock
from .hastened import Half, Hastened, OnALoop
from .redis_server import RedisServer, redis_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite_store(tmp_path: Path, clock: Clock) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "store.db", clock=clock)
    yield store
    store.close()


@pytest.fixture(scope="package")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run one server for all tests that only read and write."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_here(shared_redis: RedisServer) -> RedisServer:
    """Return that server, empty."""
    shared_redis.tell("FLUSHALL")
    return shared_redis


@pytest.fixture
def redis_store(redis_here: RedisServer) -> Iterator[RedisStore]:
    store = RedisStore(parse(redis_here.url))
    yield store
    store.close()


@pytest.fixture(params=["blocking", "on asyncio"])
def opened(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Half]]:
    """Return what opens a store of Redis by its address: both halves in turn."""
    with ExitStack() as stack:

        def open_half(url: str) -> Half:
            store = open_store(url)
            assert isinstance(store, RedisStore)
            half: Half = (
                store if request.param == "blocking" else stack.enter_context(OnALoop(store))
            )
            stack.callback(half.close)
            return half

        yield open_half


@pytest.fixture(params=["memory", "sqlite", "redis", "redis on asyncio"])
def store(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Store]:
    """Return each kind in turn: the promises of ``Store`` hold for every kind."""
    match request.param:
        case "memory":
            yield MemoryStore(clock=clock)
        case "sqlite":
            yield request.getfixturevalue("sqlite_store")
        case kind:
            server = request.getfixturevalue("redis_here")
            redis_store = request.getfixturevalue("redis_store")
            if kind == "redis":
                yield Hastened(redis_store, server, clock)
            else:
                with OnALoop(redis_store) as on_a_loop:
                    yield Hastened(on_a_loop, server, clock)
