"""Providers that cannot be reached: by address, by certificate, by proxy."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intastellar_auth.drive import http
from intastellar_auth.errors import (
    ProviderTimeout,
    ProviderUnreachable,
)

from .calls import SECRET, SHORT, closed_port, get, post
from .slow import PATIENCE
from .wire import Wire, answering, sending, silent

if TYPE_CHECKING:
    from .authority import Authority
    from .conftest import Client


def test_a_refused_connection_may_be_tried_again(client: Client) -> None:
    """SS-05."""
    with pytest.raises(
        ProviderUnreachable, match=r"^http://127\.0\.0\.1:\d+/token: (Connect|.*refused)"
    ) as error:
        client(post(f"http://127.0.0.1:{closed_port()}/token?{SECRET}"))
    assert SECRET not in error.value.detail


def test_a_name_that_does_not_exist_may_be_tried_again(client: Client) -> None:
    """SS-05."""
    with pytest.raises(
        ProviderUnreachable, match=r"https://provider\.invalid/token: .*nothing was sent"
    ):
        client(get("https://provider.invalid/token"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "token",
        "//host/token",
        "ftp://host/",
        "http://",
        "http:///token",
        "http://[::1",
        "http://host:x/",
        "http://host:0/",
        "http://host:65536/",
        "http://host\n/",
        "http://xn--a.invalid/",
        f"http://{'a' * 70}.invalid/",
        f"http://host:{SECRET}/?{SECRET}",
        "http://host/" + "a" * 70_000,
    ],
)
def test_an_address_that_cannot_be_called_is_unreachable(client: Client, url: str) -> None:
    with pytest.raises(ProviderUnreachable) as refused:
        client(post(url))
    assert SECRET not in refused.value.detail


@settings(max_examples=200, deadline=None)
@given(url=st.text(max_size=20).map(lambda rest: f"http://{rest}"))
def test_any_text_has_a_host_or_is_unreachable(url: str) -> None:
    try:
        assert http._address(url)
    except ProviderUnreachable as refused:
        assert "provider" in refused.detail or "port" in refused.detail  # noqa: PT017 - either


def test_an_app_that_keeps_the_loops_threads_busy_costs_a_call_its_time_and_nothing_else() -> None:
    """SS-05: names are looked up there. Nothing was sent, so the call may be made again."""
    done = threading.Event()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, done.wait, PATIENCE)
        with pytest.raises(ProviderUnreachable, match="nothing was sent"):
            await http.afetch(post(f"http://localhost:{wire.port}/token"), timeout=SHORT)
        assert wire.received == []
        done.set()
        assert await busy
        answer = await http.afetch(post(f"http://localhost:{wire.port}/token"), timeout=PATIENCE)
        assert answer.status == 200

    with Wire(answering(b"{}")) as wire:
        asyncio.run(main())


def test_a_good_certificate_is_accepted(client: Client, authority: Authority) -> None:
    with Wire(answering(b"{}"), tls=authority.server()) as wire:
        assert client(post(wire.url)).status == 200


@pytest.mark.parametrize(
    ("host", "expired", "reason"),
    [("127.0.0.1", True, "certificate has expired"), ("other.example", False, "not valid for")],
)
def test_a_bad_certificate_is_named_and_nothing_is_sent(
    client: Client, authority: Authority, host: str, *, expired: bool, reason: str
) -> None:
    with Wire(answering(), tls=authority.server(host, expired=expired)) as wire:
        with pytest.raises(ProviderUnreachable, match=rf"127\.0\.0\.1:\d+/token: .*{reason}"):
            client(post(wire.url))
        assert wire.received == []


def test_a_certificate_of_an_unknown_authority_is_named(
    client: Client, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with (
        Wire(answering(), tls=authority.server()) as wire,
        pytest.raises(ProviderUnreachable, match="local issuer certificate"),
    ):
        client(post(wire.url))


def test_a_server_that_speaks_no_tls_is_unreachable(client: Client) -> None:
    def unasked(_: Wire, connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Wire(unasked) as wire, pytest.raises(ProviderUnreachable, match="nothing was sent"):
        client(post(f"https://127.0.0.1:{wire.port}/token"))


def test_a_tls_connection_that_breaks_after_sending_may_have_been_acted_on(
    client: Client, authority: Authority
) -> None:
    def behave(wire: Wire, connection: socket.socket) -> None:
        wire.request(connection)
        socket.socket.send(connection, b"not a TLS record at all")

    with Wire(behave, tls=authority.server()) as wire:
        with pytest.raises(ProviderTimeout, match="may have acted"):
            client(post(wire.url))
        assert len(wire.received) == 1


def test_a_certificate_file_that_is_missing_is_said(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent.pem")
    with pytest.raises(ProviderUnreachable, match="No such file"):
        client(post("https://127.0.0.1/"))


def test_the_proxy_of_the_environment_is_used(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DJ-19."""
    with Wire(answering(b"proxied")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert client(get("http://provider.invalid/token")).body == b"proxied"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with Wire(answering(b"direct")) as wire:
            assert client(get(wire.url)).body == b"direct"


def test_a_proxy_that_refuses_the_tunnel_sent_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Wire(sending(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(ProviderUnreachable, match="proxy answered 407"):
            client(post("https://provider.invalid/token"))
    assert SECRET.encode() not in proxy.received[0]


def test_behind_a_tunnel_what_counts_is_the_request_and_not_the_tunnel(
    client: Client, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P9."""
    tls = authority.server()

    def tunnel(wire: Wire, connection: socket.socket) -> None:
        wire.request(connection)
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with tls.wrap_socket(connection, server_side=True) as inner:
            silent(wire, inner)

    with Wire(tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(ProviderTimeout, match="may have acted"):
            client(post("https://127.0.0.1:1/token"), timeout=SHORT)
    assert [each.split()[0] for each in proxy.received] == [b"CONNECT", b"POST"]


@pytest.mark.parametrize(
    "proxy", ["gopher://127.0.0.1:1", "socks5://127.0.0.1:1", "http://[", "x:y"]
)
def test_a_proxy_that_cannot_be_used_sent_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(ProviderUnreachable):
        client(post("http://127.0.0.1/"), timeout=SHORT)
