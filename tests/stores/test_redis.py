"""What the store of Redis promises beyond the contract: a server that fails, and is back."""

from __future__ import annotations

import logging
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import redis

from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.stores import redis_client
from intastellar_auth.stores.redis import PREFIX, RedisStore
from intastellar_auth.stores.redis_url import parse
from tests.support.server import free_port, until

from .redis_server import RedisServer, redis_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .hastened import Half

    Opened = Callable[[str], Half]


def refusal(call: Callable[[], object]) -> str:
    """Return the detail of the error that ``call`` ends in."""
    with pytest.raises(StoreUnavailable) as refused:
        call()
    assert refused.value.__suppress_context__
    return refused.value.detail


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_client, "TIMEOUT", 0.2)


def test_a_key_is_under_the_prefix_and_tells_nothing(
    redis_store: RedisStore, redis_here: RedisServer
) -> None:
    """SS-09, AD-05."""
    redis_store.put("ended sub alice\r\nFLUSHALL\r\n", b"sealed", 10)
    [key] = redis_here.all_keys()
    assert re.fullmatch(f"{PREFIX}[0-9a-f]{{64}}", key.decode())


@pytest.mark.parametrize("ttl", [30.0004, 86_400.25])
def test_every_entry_expires(opened: Opened, redis_here: RedisServer, ttl: float) -> None:
    """SS-09."""
    store = opened(redis_here.url)
    store.put("put", b"value", ttl)
    store.add("added", b"value", ttl)
    left = [redis_here.tell("PTTL", key.decode()) for key in redis_here.all_keys()]
    assert len(left) == 2
    assert all((ttl - 20) * 1000 < each <= ttl * 1000 + 1 for each in left)


def test_a_time_below_a_millisecond_is_one(opened: Opened, redis_here: RedisServer) -> None:
    """The server would refuse none at all."""
    store = opened(redis_here.url)
    store.put("put", b"value", 0.0001)
    assert store.add("added", b"value", 0)


def test_nothing_is_connected_before_the_first_call(opened: Opened) -> None:
    opened(f"redis://127.0.0.1:{free_port()}")


def test_a_server_that_is_killed_is_unavailable_and_back_without_a_restart(
    tmp_path: Path, opened: Opened
) -> None:
    port = free_port()
    store = opened(f"redis://127.0.0.1:{port}")
    with redis_server(tmp_path, port=port) as server:
        store.put("key", b"value", 10)
        server.server.process.kill()
        server.server.process.wait()
        for call in (
            lambda: store.get("key"),
            lambda: store.get_many(["key", "other"]),
            lambda: store.put("key", b"", 10),
            lambda: store.add("key", b"", 10),
            lambda: store.take("key"),
            lambda: store.delete("key"),
        ):
            assert f"127.0.0.1:{port}" in refusal(call)
    with redis_server(tmp_path, port=port):
        store.delete("key")
        assert store.take("key") is None
        assert store.add("key", b"value", 10)
        assert store.get("key") == b"value"


def test_commands_under_way_on_a_server_that_is_killed_all_end(
    tmp_path: Path, opened: Opened
) -> None:
    with redis_server(tmp_path) as server, ThreadPoolExecutor(8) as pool:
        store = opened(server.url)
        store.get("key")
        server.tell("CLIENT", "PAUSE", "60000", "WRITE")
        waiting = [pool.submit(store.put, key, b"value", 10) for key in "abcdefgh"]
        until(lambda: server.tell("INFO", "clients")["blocked_clients"] == 8, "all commands")
        server.server.process.kill()
        assert all(isinstance(each.exception(), StoreUnavailable) for each in waiting)


def test_connections_of_before_a_restart_are_replaced_without_an_error(
    tmp_path: Path, opened: Opened
) -> None:
    """Also those of a server that came back before anybody noticed."""
    port = free_port()
    store = opened(f"redis://127.0.0.1:{port}")
    calls: tuple[Callable[[], object], ...] = (
        lambda: store.take("key"),
        lambda: store.delete("key"),
        lambda: store.get("key"),
        lambda: store.add("key", b"value", 10),
    )
    for call in calls:
        with redis_server(tmp_path, port=port):
            store.put("key", b"value", 10)
        with redis_server(tmp_path, port=port):
            assert call() in (None, True)


@pytest.mark.usefixtures("impatient")
def test_a_server_that_does_not_answer_is_given_up_and_its_late_answer_is_nobodys(
    redis_here: RedisServer, opened: Opened
) -> None:
    store = opened(redis_here.url)
    store.put("theirs", b"theirs", 100)
    redis_here.tell("CLIENT", "PAUSE", "1000")
    for call in (lambda: store.get("theirs"), lambda: store.add("new", b"", 100)):
        assert "127.0.0.1" in refusal(call)
    until(redis_here.answers, "the end of the pause")
    assert store.get("ours") is None
    assert store.get("theirs") == b"theirs"
    assert store.add("ours", b"ours", 100)
    assert not store.add("ours", b"ours", 100)


@pytest.mark.usefixtures("impatient")
def test_a_server_that_takes_a_connection_and_says_nothing_is_given_up(
    opened: Opened, redis_here: RedisServer
) -> None:
    store = opened(redis_here.url)
    with redis_here.frozen():
        assert "127.0.0.1" in refusal(lambda: store.get("key"))
    assert store.add("key", b"value", 10)


def test_a_full_server_is_unavailable_and_says_what_to_raise(
    tmp_path: Path, opened: Opened
) -> None:
    with redis_server(tmp_path, "--maxmemory", "1", "--maxmemory-policy", "noeviction") as server:
        store = opened(server.url)
        assert "maxmemory" in refusal(lambda: store.add("key", b"value", 10))
        assert "maxmemory" in refusal(lambda: store.put("key", b"value", 10))
        server.tell("CONFIG", "SET", "maxmemory", "0")
        assert store.add("key", b"value", 10)


SECRET = "hunter2-MARK"


def test_a_wrong_password_is_unavailable_and_shown_nowhere(
    tmp_path: Path, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    """TM-05."""
    caplog.set_level(logging.DEBUG)
    with redis_server(tmp_path, password="another") as server:
        for user in ("", "bob"):
            url = f"redis://{user}:{SECRET}@127.0.0.1:{server.port}"
            store = opened(url)
            detail = refusal(lambda store=store: store.get("key"))  # type: ignore[misc]  # bound
            assert "INTASTELLAR_STORE_URL" in detail
            assert not [text for text in (detail, repr(store), caplog.text) if SECRET in text]
            assert SECRET not in repr(parse(url))
        assert "INTASTELLAR_STORE_URL" in refusal(
            lambda: opened(f"redis://127.0.0.1:{server.port}").get("key")
        )
        right = opened(f"redis://:another@127.0.0.1:{server.port}")
        assert right.add("key", b"value", 10)
        server.tell("ACL", "SETUSER", "bob", "on", f">{SECRET}", "~*", "+@all", "-getdel")
        bob = opened(f"redis://bob:{SECRET}@127.0.0.1:{server.port}/1")
        assert bob.add("key", b"value", 10)
        assert "GETDEL" in refusal(lambda: bob.take("key"))


def test_words_of_the_server_that_quote_the_password_are_left_out() -> None:
    """TM-05: a proxy that does not know AUTH may say what it was sent."""
    url = parse(f"redis://:{SECRET}@h")
    error = redis.ResponseError(f"whatever is AUTH {SECRET}")
    assert redis_client.explain(url, error) == (
        "the Redis store at h:6379 (INTASTELLAR_STORE_URL): ResponseError"
    )
    error = redis.ResponseError(f"unknown command 'AUTH', with args: {SECRET}")
    assert redis_client.explain(url, error) == (
        "the Redis store at h:6379 (INTASTELLAR_STORE_URL): unknown command 'AUTH' "
        "(it must be Redis 6.2, Valkey 7.2, or newer)"
    )


def test_a_server_without_a_command_is_too_old(tmp_path: Path, opened: Opened) -> None:
    with redis_server(tmp_path, "--rename-command", "GETDEL", "") as server:
        store = opened(server.url)
        assert "Redis 6.2" in refusal(lambda: store.take("key"))


def test_a_database_is_one_of_its_own(redis_here: RedisServer, opened: Opened) -> None:
    first, second = opened(f"{redis_here.url}/0"), opened(f"{redis_here.url}/3")
    assert first.add("key", b"first", 10)
    assert second.add("key", b"second", 10)


def test_a_server_that_speaks_something_else_is_unavailable(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def answer() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(1000)
                line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        pool.submit(answer)
        port = listener.getsockname()[1]
        assert "Protocol Error" in refusal(lambda: opened(f"redis://127.0.0.1:{port}").get("key"))


@pytest.mark.parametrize("host", ["redis.invalid", "a..b"])
def test_a_name_that_is_none_is_unavailable(opened: Opened, host: str) -> None:
    assert host in refusal(lambda: opened(f"redis://{host}").get("key"))


def test_a_replica_is_unavailable_for_writes_and_works_once_it_is_the_primary(
    redis_here: RedisServer, tmp_path: Path, opened: Opened
) -> None:
    with redis_server(tmp_path, "--replicaof", "127.0.0.1", str(redis_here.port)) as replica:
        store = opened(replica.url)
        assert "replica" in refusal(lambda: store.add("key", b"value", 10))
        replica.tell("REPLICAOF", "NO", "ONE")
        assert store.add("key", b"value", 10)
