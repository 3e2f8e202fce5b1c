"""What every store promises, whichever it is."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intastellar_auth.stores import MemoryStore, SqliteStore, Store
from intastellar_auth.stores.redis import RedisStore
from intastellar_auth.stores.redis_url import parse

from .clock import Clock
from .hastened import Hastened, OnALoop

if TYPE_CHECKING:
    from collections.abc import Callable

    from .redis_server import RedisServer

THREADS = 8


def at_once(work: Callable[[], object]) -> list[object]:
    start = Barrier(THREADS)

    def one() -> object:
        start.wait()
        return work()

    with ThreadPoolExecutor(THREADS) as pool:
        return [each.result() for each in [pool.submit(one) for _ in range(THREADS)]]


def test_a_written_value_is_read_until_its_time_is_over(store: Store, clock: Clock) -> None:
    """SS-09."""
    store.put("key", b"value", 10)
    clock.now += 9.9
    assert store.get("key") == b"value"
    clock.now += 0.1
    assert store.get("key") is None


def test_a_key_that_was_never_written_holds_nothing(store: Store) -> None:
    assert store.get("key") is None
    assert store.take("key") is None
    store.delete("key")


def test_put_replaces_the_value_and_its_time(store: Store, clock: Clock) -> None:
    store.put("key", b"old", 10)
    clock.now += 5
    store.put("key", b"new", 10)
    clock.now += 9
    assert store.get("key") == b"new"


def test_add_writes_only_where_nothing_is(store: Store) -> None:
    assert store.add("key", b"first", 10)
    assert not store.add("key", b"second", 10)
    assert store.get("key") == b"first"


def test_an_expired_claim_can_be_claimed_again(store: Store, clock: Clock) -> None:
    assert store.add("key", b"first", 10)
    clock.now += 10
    assert store.add("key", b"second", 10)
    assert store.get("key") == b"second"


def test_a_deleted_or_taken_claim_can_be_claimed_again(store: Store) -> None:
    store.put("key", b"first", 10)
    store.delete("key")
    assert store.add("key", b"second", 10)
    assert store.take("key") == b"second"
    assert store.add("key", b"third", 10)


def test_take_gives_the_value_once(store: Store) -> None:
    store.put("key", b"value", 10)
    assert store.take("key") == b"value"
    assert store.take("key") is None
    assert store.get("key") is None


def test_an_expired_value_cannot_be_taken(store: Store, clock: Clock) -> None:
    store.put("key", b"value", 10)
    clock.now += 10
    assert store.take("key") is None


def test_many_values_come_in_the_order_of_their_keys(store: Store, clock: Clock) -> None:
    store.put("a", b"1", 10)
    store.put("b", b"2", 10)
    store.put("gone", b"3", 5)
    store.put("empty", b"", 10)
    store.put("nobody asks", b"4", 10)
    clock.now += 5
    assert store.get_many(["b", "gone", "never", "a", "empty"]) == [b"2", None, None, b"1", b""]
    assert store.get_many(("a", "b")) == [b"1", b"2"]


def test_a_key_that_is_asked_for_twice_is_answered_twice(store: Store) -> None:
    store.put("a", b"1", 10)
    assert store.get_many(["a", "never", "a", "never"]) == [b"1", None, b"1", None]


def test_no_keys_have_no_values(store: Store) -> None:
    assert store.get_many([]) == []


def test_many_values_are_read_and_not_removed(store: Store) -> None:
    store.put("a", b"1", 10)
    for _ in range(2):
        assert store.get_many(["a"]) == [b"1"]


def test_as_many_values_as_anybody_asks_for_are_read_at_once(store: Store) -> None:
    store.put("999", b"value", 10)
    assert store.get_many([str(number) for number in range(1000)]) == [None] * 999 + [b"value"]


@pytest.mark.parametrize("key", ["", "é\n\0;'--", "\ud800", "k" * 1_000_000])
def test_any_text_is_a_key(store: Store, key: str) -> None:
    """SS-09, AD-05: a key may be made of what a visitor sent."""
    assert store.add(key, b"value", 10)
    assert store.get(key) == b"value"
    assert store.get(key + "x") is None
    assert store.get_many([key + "x", key]) == [None, b"value"]


@pytest.mark.parametrize("value", [b"", b"\0\xff", b"v" * 100_000])
def test_any_bytes_are_a_value(store: Store, value: bytes) -> None:
    store.put("key", value, 10)
    assert store.get("key") == value


def test_of_many_threads_that_claim_one_wins(store: Store) -> None:
    """P2."""
    for key in "abcdefgh":
        assert at_once(partial(store.add, key, b"mine", 10)).count(True) == 1


def test_of_many_threads_that_take_one_gets_it(store: Store) -> None:
    for key in "abcdefgh":
        store.put(key, b"value", 10)
        assert at_once(partial(store.take, key)).count(b"value") == 1


def test_a_closed_store_opens_again_when_it_is_used(store: Store) -> None:
    store.put("key", b"value", 10)
    store.close()
    assert store.get("key") == b"value"


def test_a_memory_store_is_instant_and_the_others_are_shared(
    sqlite_store: SqliteStore, redis_store: RedisStore
) -> None:
    memory = MemoryStore()
    assert (memory.instant, memory.shared) == (True, False)
    assert (sqlite_store.instant, sqlite_store.shared) == (False, True)
    assert (redis_store.instant, redis_store.shared) == (False, True)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["get", "get many", "put", "add", "take", "delete", "wait"]),
        st.sampled_from(["a", "b"]),
        st.binary(max_size=3),
        st.sampled_from([1.0, 5.0]),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_all_stores_do_what_a_dictionary_with_times_would(
    shared_redis: RedisServer, steps: list[tuple[str, str, bytes, float]]
) -> None:
    clock, remote = Clock(), RedisStore(parse(shared_redis.url))
    with tempfile.TemporaryDirectory() as folder, OnALoop(remote) as on_a_loop:
        file = SqliteStore(Path(folder) / "store.db", clock=clock)
        blocking, asynchronous = (
            Hastened(each, shared_redis, clock) for each in (remote, on_a_loop)
        )
        for store in (MemoryStore(clock=clock), file, blocking, asynchronous):
            shared_redis.tell("FLUSHALL")
            model: dict[str, tuple[bytes, float]] = {}
            for step, key, value, seconds in steps:
                held, until = model.get(key, (None, 0.0))
                alive = held if until > clock.now else None
                match step:
                    case "get":
                        assert store.get(key) == alive
                    case "get many":
                        alive_ones = {
                            name: kept for name, (kept, end) in model.items() if end > clock.now
                        }
                        asked = [key, "a", "b", "never"]
                        assert store.get_many(asked) == [alive_ones.get(name) for name in asked]
                    case "put":
                        store.put(key, value, seconds)
                        model[key] = (value, clock.now + seconds)
                    case "add":
                        assert store.add(key, value, seconds) == (alive is None)
                        if alive is None:
                            model[key] = (value, clock.now + seconds)
                    case "take":
                        assert store.take(key) == alive
                        model.pop(key, None)
                    case "delete":
                        store.delete(key)
                        model.pop(key, None)
                    case _:
                        clock.now += seconds
        file.close()
    remote.close()
