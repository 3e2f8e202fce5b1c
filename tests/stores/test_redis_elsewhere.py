"""The store of Redis by other ways than one plain connection: TLS, Sentinel, gevent."""

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
from tests.support.commands import UNMEASURED
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
    assert "pip install './intastellar-auth[redis]'" in refused.value.detail
    assert "hunter2" not in refused.value.detail


def test_greenlets_share_the_store_and_a_killed_one_leaves_nothing_behind(
    redis_here: RedisServer,
) -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [*UNMEASURED, sys.executable, "-m", f"{__package__}.greenlets", redis_here.url],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
