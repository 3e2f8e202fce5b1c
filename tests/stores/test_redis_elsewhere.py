"""The store of Redis by other ways than one plain connection: TLS, Sentinel, a cluster, gevent."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.errors import SettingsError, StoreUnavailable
from intastellar_auth.stores import open_store
from tests.drive.authority import Authority
from tests.support.server import TESTS, free_port, until

from .redis_server import RedisServer, redis_sentinel, redis_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .hastened import Half

    Opened = Callable[[str], Half]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Authority]]:
    """Run a server with a certificate for 127.0.0.1; return its port and who issued it."""
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder)
    authority.server()
    pem = str(folder / "server.pem")
    port = free_port()
    options = ["--tls-port", str(port), "--tls-cert-file", pem, "--tls-key-file", pem]
    options += ["--tls-ca-cert-file", str(authority.file), "--tls-auth-clients", "no"]
    with redis_server(folder, *options):
        yield port, authority


def test_a_certificate_is_checked(certified: tuple[int, Authority], opened: Opened) -> None:
    port, authority = certified
    trusted = opened(f"rediss://127.0.0.1:{port}?ssl_ca_certs={authority.file}")
    trusted.delete("checked")
    assert trusted.add("checked", b"value", 10)
    assert trusted.get("checked") == b"value"
    with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        opened(f"rediss://127.0.0.1:{port}").get("key")
    with pytest.raises(StoreUnavailable, match=r"No such file|missing\.pem"):
        opened(f"rediss://127.0.0.1:{port}?ssl_ca_certs=/missing.pem").get("key")


def test_a_name_is_checked_unless_the_address_says_otherwise(
    certified: tuple[int, Authority], opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    port, authority = certified
    url = f"rediss://localhost:{port}?ssl_ca_certs={authority.file}"
    with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        opened(url).get("key")
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        assert opened(f"{url}&ssl_check_hostname=false").get("key") is None
        assert opened(f"rediss://localhost:{port}?ssl_cert_reqs=none").get("key") is None
    assert [vars(record)["event"] for record in caplog.records] == ["redis_not_verified"] * 2


def test_a_plain_call_to_a_port_with_tls_is_unavailable(
    certified: tuple[int, Authority], opened: Opened
) -> None:
    with pytest.raises(StoreUnavailable, match=f":{certified[0]}"):
        opened(f"redis://127.0.0.1:{certified[0]}").get("key")


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
    with redis_server(tmp_path, *options, port=port) as node:
        until(lambda: b"cluster_state:ok" in node.tell("CLUSTER", "INFO"), "the cluster")
        assert store.add("key", b"value", 60)
        assert store.get("key") == b"value"


def test_the_primary_that_a_sentinel_names_is_used_and_so_is_its_successor(
    tmp_path: Path, opened: Opened
) -> None:
    port = free_port()
    with ExitStack() as stack:
        old = stack.enter_context(redis_server(tmp_path))
        replica_of = ["--replicaof", "127.0.0.1", str(old.port)]
        new = stack.enter_context(redis_server(tmp_path, *replica_of))
        until(lambda: replication(new)["master_link_status"] == "up", "the copy")
        watching = stack.enter_context(redis_sentinel(tmp_path, old.port, port=port))
        until(lambda: watching.tell("INFO", "sentinel")["master0"]["slaves"] == 1, "the replica")

        store = opened(f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{port}/site")
        assert store.add("key", b"value", 60)
        until(new.all_keys, "the copy of the claim")
        old.server.process.kill()
        old.server.process.wait()
        with pytest.raises(StoreUnavailable):
            store.add("key", b"value", 60)
        until(lambda: answers(store), "the successor")
        assert replication(new)["role"] == "master"
        assert store.get("key") == b"value"
        assert not store.add("key", b"value", 60)
        assert store.add("new", b"value", 60)


def replication(server: RedisServer) -> dict[str, object]:
    """Return what a server says of itself as a primary or a replica."""
    said: dict[str, object] = server.tell("INFO", "replication")
    return said


def answers(store: Half) -> bool:
    """Return whether ``store`` can be written to."""
    try:
        store.put("probe", b"", 60)
    except StoreUnavailable:
        return False
    return True


def test_a_sentinel_that_knows_no_such_service_is_unavailable(
    tmp_path: Path, opened: Opened, redis_here: RedisServer
) -> None:
    with redis_sentinel(tmp_path, redis_here.port, password="hunter2-right") as watching:
        for password in ("hunter2-wrong", "hunter2-right"):
            address = f"127.0.0.1:{watching.port}/other?sentinel_password={password}"
            with pytest.raises(StoreUnavailable) as refused:
                opened(f"redis+sentinel://{address}").get("key")
            assert "no Sentinel that can be reached names a primary" in refused.value.detail
            assert password not in refused.value.detail


@pytest.mark.parametrize("url", ["redis://:hunter2@", "redis://hunter2@host", "rediss://h/hunter2"])
def test_an_address_that_is_none_is_refused_by_the_variables_name(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^INTASTELLAR_STORE_URL ") as refused:
        open_store(url)
    assert "hunter2" not in refused.value.detail


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra; the address may be right."""
    for name in [name for name in sys.modules if re.match(r"redis(\.|$)|.*stores\.redis$", name)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(SettingsError, match="INTASTELLAR_STORE_URL") as refused:
        open_store("redis://:hunter2@localhost")
    assert "pip install 'intastellar-auth[redis]'" in refused.value.detail
    assert "hunter2" not in refused.value.detail


def test_greenlets_share_the_store_and_a_killed_one_leaves_nothing_behind(
    redis_here: RedisServer,
) -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-m", f"{__package__}.greenlets", redis_here.url],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
