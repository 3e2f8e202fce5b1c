"""The store of Redis on a cluster, whose keys lie on several nodes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.stores.redis import _named
from tests.support.server import free_port, until

from .redis_server import RedisServer, redis_server
from .test_redis_batches import reads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .hastened import Half

    Opened = Callable[[str], Half]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisServer, RedisServer]]:
    """Run two nodes, each with half of the slots."""
    with ExitStack() as stack:
        nodes = []
        for number in range(2):
            folder = tmp_path_factory.mktemp(f"node{number}")
            options = ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
            options += ["--dir", str(folder)]
            nodes.append(stack.enter_context(redis_server(folder, *options)))
        first, second = nodes
        first.tell("CLUSTER", "ADDSLOTSRANGE", "0", "8191")
        second.tell("CLUSTER", "ADDSLOTSRANGE", "8192", "16383")
        bus = second.tell("CONFIG", "GET", "cluster-port")[1].decode()
        first.tell("CLUSTER", "MEET", "127.0.0.1", str(second.port), bus)

        def complete() -> bool:
            infos = [node.tell("CLUSTER", "INFO") for node in nodes]
            return all(
                b"cluster_state:ok" in info and b"cluster_known_nodes:2" in info for info in infos
            )

        until(complete, "the cluster")
        yield first, second


def test_a_cluster_is_found_by_any_of_its_nodes(
    cluster: tuple[RedisServer, RedisServer], opened: Opened
) -> None:
    for node in cluster:
        node.tell("FLUSHALL")
    store = opened(f"redis+cluster://127.0.0.1:{free_port()},127.0.0.1:{cluster[1].port}")
    for number in range(20):
        key = f"key {number}"
        assert store.add(key, b"value", 60)
        assert not store.add(key, b"value", 60)
        assert store.get(key) == b"value"
    assert all(node.all_keys() for node in cluster)
    assert store.take("key 1") == b"value"
    store.delete("key 2")
    store.put("key 3", b"new", 60)
    assert [store.get(f"key {number}") for number in (1, 2, 3)] == [None, None, b"new"]


def test_many_keys_are_one_round_trip_to_each_node_of_a_cluster(
    cluster: tuple[RedisServer, RedisServer], opened: Opened
) -> None:
    store = opened(f"redis+cluster://127.0.0.1:{cluster[0].port}")
    keys = [f"key {number}" for number in range(20)]
    for key in keys[1:]:
        store.put(key, key.encode(), 60)
    store.delete(keys[0])
    held: list[bytes | None] = [None, *(key.encode() for key in keys[1:])]
    for node in cluster:
        assert reads(node, lambda: store.get_many(keys)) == 1
    assert store.get_many(keys) == held
    assert store.get_many(keys[::-1]) == held[::-1]


def test_an_error_of_one_node_is_no_answer(
    cluster: tuple[RedisServer, RedisServer], opened: Opened
) -> None:
    """CS-11."""
    store = opened(f"redis+cluster://127.0.0.1:{cluster[0].port}")
    keys = [f"key {number}" for number in range(20)]
    for key in keys:
        store.put(key, b"value", 60)
    [name, *_] = cluster[1].all_keys()
    cluster[1].tell("DEL", name.decode())
    cluster[1].tell("RPUSH", name.decode(), "a list")
    with pytest.raises(StoreUnavailable, match="wrong kind of value"):
        store.get_many(keys)
    cluster[1].tell("DEL", name.decode())
    assert store.get_many(keys).count(None) == 1


def test_many_keys_are_found_where_a_slot_has_moved(
    cluster: tuple[RedisServer, RedisServer], opened: Opened
) -> None:
    """The client learns of it by the answer to one of them."""
    first, second = cluster
    for node in cluster:
        node.tell("FLUSHALL")
    store = opened(f"redis+cluster://127.0.0.1:{first.port}")
    keys = [f"key {number}" for number in range(20)]
    assert store.get_many(keys) == [None] * 20
    slots = {key: int(first.tell("CLUSTER", "KEYSLOT", _named(key))) for key in keys}
    moved = next(key for key in keys if slots[key] < 8192)
    give(slots[moved], second, cluster)
    second.tell("SET", _named(moved), f"{'mark':16}value")
    assert store.get_many(keys) == [b"value" if key == moved else None for key in keys]
    second.tell("FLUSHALL")
    give(slots[moved], first, cluster)


def give(slot: int, owner: RedisServer, nodes: tuple[RedisServer, RedisServer]) -> None:
    """Have ``owner`` serve ``slot``, and all of ``nodes`` know it."""
    name = owner.tell("CLUSTER", "MYID").decode()
    for node in (owner, *nodes):
        node.tell("CLUSTER", "SETSLOT", str(slot), "NODE", name)


def test_a_node_named_as_a_single_server_says_that_it_belongs_to_a_cluster(
    cluster: tuple[RedisServer, RedisServer], opened: Opened
) -> None:
    store = opened(f"redis://127.0.0.1:{cluster[0].port}")
    slots = [why_not(store, f"key {number}") for number in range(20)]
    assert None in slots
    assert any("use redis+cluster://" in detail for detail in slots if detail)


def why_not(store: Half, key: str) -> str | None:
    """Return the detail of the error in which reading ``key`` ends, if it does."""
    try:
        store.get(key)
    except StoreUnavailable as error:
        return error.detail
    return None


def test_a_cluster_that_cannot_be_reached_is_unavailable(opened: Opened) -> None:
    port = free_port()
    with pytest.raises(StoreUnavailable, match=str(port)):
        opened(f"redis+cluster://127.0.0.1:{port}").get("key")


def test_a_cluster_that_restarts_is_back_without_a_restart(tmp_path: Path, opened: Opened) -> None:
    port, bus = free_port(), str(free_port())
    store = opened(f"redis+cluster://127.0.0.1:{port}")
    options = ["--cluster-enabled", "yes", "--cluster-port", bus, "--dir", str(tmp_path)]
    with redis_server(tmp_path, *options, port=port) as node:
        node.tell("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        until(lambda: b"cluster_state:ok" in node.tell("CLUSTER", "INFO"), "the cluster")
        assert store.add("key", b"value", 60)
    with pytest.raises(StoreUnavailable):
        store.add("key", b"value", 60)
    with pytest.raises(StoreUnavailable):
        store.get_many(["key", "other"])
    with redis_server(tmp_path, *options, port=port) as node:
        until(lambda: b"cluster_state:ok" in node.tell("CLUSTER", "INFO"), "the cluster")
        assert store.add("key", b"value", 60)
        assert store.get("key") == b"value"
        assert store.get_many(["other", "key"]) == [None, b"value"]
