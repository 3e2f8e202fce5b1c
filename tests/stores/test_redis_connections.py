"""The connections of the store of Redis: few, bounded, and none that crosses a fork."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.stores import redis_client, redis_loop, redis_process
from intastellar_auth.stores.redis import RedisStore
from tests.support.server import until

from .forks import forked
from .redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .hastened import Half

    Opened = Callable[[str], Half]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (redis_client, redis_process, redis_loop):
        monkeypatch.setattr(module, "CONNECTIONS", 2)


@pytest.mark.usefixtures("narrow")
def test_waiting_for_a_connection_is_bounded_and_ends_with_the_load(
    redis_here: RedisServer, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "TIMEOUT", 5.0)
    for module in (redis_process, redis_loop):
        monkeypatch.setattr(module, "PATIENCE", 0.2)
    store = opened(redis_here.url)
    store.put("key", b"value", 100)
    with ThreadPoolExecutor(4) as pool:
        with redis_here.frozen():
            waiting = [pool.submit(store.get, "key") for _ in range(4)]
            until(lambda: sum(each.done() for each in waiting) == 2, "two that found no place")
        details = [str(each.exception()) for each in waiting if each.exception()]
    assert len(details) == 2
    assert all("connections of this process are in use" in detail for detail in details)
    assert store.get("key") == b"value"
    assert redis_here.clients() <= 2


@pytest.mark.usefixtures("narrow")
def test_many_threads_share_few_connections(redis_here: RedisServer, opened: Opened) -> None:
    store = opened(redis_here.url)
    with ThreadPoolExecutor(8) as pool:
        for number in range(100):
            pool.submit(store.put, str(number), str(number).encode(), 100)
        got = list(pool.map(lambda number: store.get(str(number)) or b"", range(100)))
    assert {int(value) for value in got if value} <= set(range(100))
    assert all(value in (b"", str(number).encode()) for number, value in enumerate(got))
    assert redis_here.clients() <= 2


def test_no_connection_crosses_a_fork(redis_store: RedisStore, redis_here: RedisServer) -> None:
    redis_store.put("key", b"value", 100)

    def in_child() -> tuple[bytes | None, int]:
        return redis_store.take("key"), redis_here.clients()

    assert forked(in_child) == (b"value", 2)
    assert redis_store.get("key") is None
    assert redis_store.add("key", b"value", 100)


def test_a_fork_while_all_connections_are_in_use_does_not_stop_the_child(
    redis_store: RedisStore,
) -> None:
    redis_store.put("key", b"value", 100)
    places = redis_store._process._here.places
    taken = 0
    while places.acquire(blocking=False):
        taken += 1
    assert taken == redis_client.CONNECTIONS
    assert forked(lambda: redis_store.get("key")) == b"value"
    for _ in range(taken):
        places.release()


def test_a_closed_store_leaves_no_connection(opened: Opened, redis_here: RedisServer) -> None:
    store = opened(redis_here.url)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store.get, "abcdefgh"))
    assert redis_here.clients()
    store.close()
    until(lambda: redis_here.clients() == 0, "the end of the connections")


def test_threads_that_come_first_at_once_end_with_one_client(
    redis_store: RedisStore, redis_here: RedisServer
) -> None:
    start = threading.Barrier(8)

    def claim() -> bool:
        start.wait()
        return redis_store.add("key", b"mine", 100)

    with ThreadPoolExecutor(8) as pool:
        assert [each.result() for each in [pool.submit(claim) for _ in range(8)]].count(True) == 1
    client = redis_store._process._here.client
    redis_store.get("key")
    assert redis_store._process._here.client is client
    assert redis_here.clients() <= 8
