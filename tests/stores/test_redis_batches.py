"""Many keys are read from Redis in one round trip, and no error of one is taken for an answer."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import redis

from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.stores import redis_client
from intastellar_auth.stores.redis import _named
from tests.support.server import until

from .redis_server import RedisServer, redis_server
from .swallower import swallower

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .hastened import Half

    Opened = Callable[[str], Half]

KEYS = ["one", "two", "three"]
VALUES: list[bytes | None] = [b"1", b"2", b"3"]


def filled(store: Half) -> Half:
    """Return ``store`` with a value under each of ``KEYS``."""
    for key, value in zip(KEYS, VALUES, strict=True):
        store.put(key, value or b"", 60)
    return store


def reads(server: RedisServer, call: Callable[[], object]) -> int:
    """Return how often ``server`` has read from a connection for ``call``.

    Of several times the fewest: another connection that ends in between is a read, too.
    """
    with closing(redis.Redis("127.0.0.1", server.port, protocol=2)) as client:

        def total() -> int:
            return int(client.info("stats")["total_reads_processed"])

        def once() -> int:
            before = total()
            call()
            return total() - before - 1  # that of the second question

        return min(once() for _ in range(5))


def test_many_keys_are_one_round_trip(redis_here: RedisServer, opened: Opened) -> None:
    store = filled(opened(redis_here.url))
    assert reads(redis_here, lambda: store.get_many(KEYS)) == 1
    assert reads(redis_here, lambda: [store.get(key) for key in KEYS]) == len(KEYS)


def test_many_keys_need_no_other_right_than_one(tmp_path: Path, opened: Opened) -> None:
    with redis_server(tmp_path) as server:
        rights = ("~intastellar-auth:*", "-@all", "+get", "+set", "+getdel", "+del")
        server.tell("ACL", "SETUSER", "bob", "on", ">password", *rights)
        store = filled(opened(f"redis://bob:password@127.0.0.1:{server.port}"))
        assert store.get_many(KEYS) == VALUES
        server.tell("ACL", "SETUSER", "bob", "-get")
        with pytest.raises(StoreUnavailable, match="needs GET"):
            store.get_many(KEYS)


@pytest.mark.parametrize("broken", KEYS)
def test_an_error_of_one_key_is_no_answer_and_disturbs_no_other(
    redis_here: RedisServer, opened: Opened, broken: str
) -> None:
    """CS-11: it would be taken for a session that nobody has ended."""
    store = filled(opened(redis_here.url))
    redis_here.tell("DEL", _named(broken))
    redis_here.tell("RPUSH", _named(broken), "a list")
    with pytest.raises(StoreUnavailable, match="wrong kind of value") as refused:
        store.get_many(KEYS)
    assert _named(broken) not in refused.value.detail
    others = [key for key in KEYS if key != broken]
    assert store.get_many(others) == [store.get(key) for key in others]
    assert store.get_many([*others, "never"])[-1] is None


def test_many_keys_are_asked_for_again_where_the_answer_is_lost(
    redis_here: RedisServer, opened: Opened
) -> None:
    with swallower(redis_here.port) as line:
        store = filled(opened(f"redis://127.0.0.1:{line.port}"))
        line.lose("GET")
        assert store.get_many(KEYS) == VALUES
        assert line.swallow == []
        line.lose("GET", "GET")
        with pytest.raises(StoreUnavailable):
            store.get_many(KEYS)
        assert store.get_many(KEYS) == VALUES
        store.close()


def test_many_keys_are_read_from_a_server_that_is_back(
    redis_here: RedisServer, opened: Opened
) -> None:
    store = filled(opened(redis_here.url))
    redis_here.tell("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert store.get_many(KEYS) == VALUES


def test_late_answers_to_many_keys_are_nobodys(
    redis_here: RedisServer, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "TIMEOUT", 0.2)
    store = filled(opened(redis_here.url))
    redis_here.tell("CLIENT", "PAUSE", "1000")
    with pytest.raises(StoreUnavailable):
        store.get_many(KEYS)
    until(redis_here.answers, "the end of the pause")
    assert store.get_many(["three", "never", "one"]) == [b"3", None, b"1"]
