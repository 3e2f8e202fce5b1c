"""What the HTTP client does with each kind of provider, on real sockets."""

from __future__ import annotations

import gzip
import logging
import socket
import struct
import threading
import time
import traceback
from threading import Event, Thread
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.drive import http
from intastellar_auth.drive.call import Call
from intastellar_auth.errors import (
    AnswerInvalid,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
)
from tests.support.server import until

from .wire import Wire, answering, dripping, sending, silent, unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .authority import Authority
    from .conftest import Client

SHORT = 0.5
"""Seconds that a call may take where it is to run out of time."""

LATE = 2.5
"""Seconds beyond ``SHORT`` that a busy machine may need."""

SECRET = "hunter2-secret"

POST = (("authorization", f"Basic {SECRET}"), ("content-type", "application/json"))


def post(url: str) -> Fetch:
    return Fetch("POST", url, POST, f"code={SECRET}".encode())


def get(url: str) -> Fetch:
    return Fetch("GET", url)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_the_answer_is_returned_as_it_came(client: Client) -> None:
    header = "Content-Type: Application/JSON; charset=utf-8"
    with Wire(answering(b'{"a":1}', header, status="400 Bad Request")) as wire:
        assert client(post(wire.url)) == Answer(400, "application/json", b'{"a":1}')


@pytest.mark.parametrize(
    ("header", "media_type"),
    [("X: y", ""), ("Content-Type:", ""), ("Content-Type: text/HTML ;a=b", "text/html")],
)
def test_the_media_type_is_lower_case_and_bare(
    client: Client, header: str, media_type: str
) -> None:
    with Wire(answering(b"<html>", header)) as wire:
        assert client(get(wire.url)) == Answer(200, media_type, b"<html>")


def test_the_request_is_sent_as_it_is_and_asks_for_no_encoding(client: Client) -> None:
    """SS-03."""
    with Wire(answering()) as wire:
        client(post(wire.url + "?a=b"))
    head, _, body = wire.received[0].partition(b"\r\n\r\n")
    start, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
    assert start == "POST /token?a=b HTTP/1.1"
    assert body == f"code={SECRET}".encode()
    assert headers["authorization"] == f"Basic {SECRET}"
    assert headers["accept-encoding"] == "identity"
    assert headers["connection"] == "close"
    assert headers["user-agent"] == "intastellar-auth"
    assert len(headers) == len(lines)


def test_a_cookie_of_the_provider_is_never_sent_back(client: Client) -> None:
    """TK-13."""
    with Wire(answering(b"{}", "Set-Cookie: op=1; Path=/")) as wire:
        client(get(wire.url))
        client(get(wire.url))
    assert wire.connections == 2
    assert not any(b"cookie" in each.lower() for each in wire.received)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_an_answer_and_is_not_followed(client: Client, status: str) -> None:
    """TK-03, SS-01."""
    with Wire(answering()) as other:
        redirect = answering(b"", f"Location: {other.url}?token={SECRET}", status=status)
        with Wire(redirect) as wire:
            assert client(post(wire.url)).status == int(status[:3])
    assert other.connections == 0


def test_credentials_of_netrc_are_not_sent(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DJ-19."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login alice password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with Wire(answering()) as wire:
        client(get(wire.url))
    assert b"authorization" not in wire.received[0].lower()


def test_a_refused_connection_may_be_tried_again(client: Client) -> None:
    """SS-05."""
    with pytest.raises(ProviderUnreachable, match=r"127\.0\.0\.1: .*connect|Connect|refused"):
        client(post(f"http://127.0.0.1:{closed_port()}/token?{SECRET}"))


def test_a_name_that_does_not_exist_may_be_tried_again(client: Client) -> None:
    """SS-05."""
    with pytest.raises(ProviderUnreachable, match=r"provider\.invalid: .*nothing was sent"):
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
        assert http._host(url)
    except ProviderUnreachable as refused:
        assert "provider" in refused.detail or "port" in refused.detail  # noqa: PT017 - either


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n"


@pytest.mark.parametrize(
    "behave",
    [
        silent,
        dripping(b"", b"H"),
        dripping(HEAD, b"x"),
        dripping(HEAD + b"\r\n", b"x"),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        dripping(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ],
    ids=["silent", "status line", "header", "body", "chunks", "hints"],
)
def test_a_slow_provider_is_left_in_time_and_may_have_acted(
    client: Client, behave: Callable[[Wire, socket.socket], None]
) -> None:
    """SS-01, SS-05, P9: one limit for all, however many bytes drip in."""
    with Wire(behave) as wire:
        began = time.monotonic()
        with pytest.raises(ProviderTimeout, match=r"within 0\.5 s .*may have acted"):
            client(post(wire.url), timeout=SHORT)
        assert time.monotonic() - began < SHORT + LATE
        until(lambda: len(wire.received) == 1, "the request")


def test_a_handshake_that_hangs_sent_nothing(client: Client) -> None:
    """SS-05."""
    with Wire(unread) as wire:
        began = time.monotonic()
        with pytest.raises(ProviderUnreachable, match=r"within 0\.5 s .*nothing was sent"):
            client(post(f"https://127.0.0.1:{wire.port}/token"), timeout=SHORT)
        assert time.monotonic() - began < SHORT + LATE


def test_a_resolver_that_hangs_is_left_in_time_and_nothing_is_sent_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """P9: what was called unreachable must not reach the provider after all."""
    release = Event()
    resolve = socket.getaddrinfo

    def slow(host: str, port: int, *rest: int) -> object:
        release.wait(10)
        return resolve(host, port, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    before = set(threading.enumerate())
    with Wire(silent) as wire:
        with pytest.raises(ProviderUnreachable, match="nothing was sent"):
            http.fetch(post(wire.url), timeout=SHORT)
        [worker] = set(threading.enumerate()) - before - set(wire._threads)
        release.set()
        worker.join(10)
        assert not worker.is_alive()
        until(lambda: wire.connections == 1, "the connection that was begun")
    assert wire.received == []


def test_a_blocking_call_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with Wire(dripping(b"", b"H")) as wire:
        with pytest.raises(ProviderTimeout):
            http.fetch(post(wire.url), timeout=SHORT)
        for worker in set(threading.enumerate()) - before - set(wire._threads):
            worker.join(5)
            assert not worker.is_alive()


def test_a_machine_without_room_for_a_thread_sends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", full)
    with pytest.raises(ProviderUnreachable, match="no thread"):
        http.fetch(post("http://127.0.0.1/"), timeout=SHORT)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_whoever_cancels_a_call_ends_it(backend: str) -> None:
    asked = Event()

    def behave(wire: Wire, connection: socket.socket) -> None:
        wire.request(connection)
        asked.set()
        unread(wire, connection)

    async def cancelled(url: str) -> bool:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: http.afetch(get(url), timeout=10))
            while not asked.is_set():  # noqa: ASYNC110 - set by a thread
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        return group.cancel_scope.cancelled_caught

    with Wire(behave) as wire:
        assert anyio.run(cancelled, wire.url, backend=backend)


def test_an_answer_of_just_the_limit_is_taken(client: Client) -> None:
    with Wire(answering(b"x" * http.MAX_ANSWER)) as wire:
        assert len(client(get(wire.url)).body) == http.MAX_ANSWER


@pytest.mark.parametrize(
    "behave",
    [
        answering(b"x" * (http.MAX_ANSWER + 1)),
        answering(b"x" * 10_000_000),
        sending(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_000_000),
        sending(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"10000\r\n%b\r\n" % (b"x" * 0x10000) * 100,
        ),
    ],
    ids=["one byte", "ten million", "no length", "chunks"],
)
def test_an_answer_beyond_the_limit_is_refused_while_it_comes(
    client: Client, behave: Callable[[Wire, socket.socket], None]
) -> None:
    """SS-01, SS-03."""
    with Wire(behave) as wire, pytest.raises(AnswerInvalid, match="larger than 1048576 bytes"):
        client(get(wire.url))


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "zstd", "gzip, gzip", "x"])
def test_an_encoded_answer_is_refused_and_not_decoded(client: Client, coding: str) -> None:
    """SS-03: a bomb."""
    bomb = gzip.compress(b"\0" * 50_000_000)
    with (
        Wire(answering(bomb, f"Content-Encoding: {coding}")) as wire,
        pytest.raises(AnswerInvalid, match="encoded"),
    ):
        client(get(wire.url))


@pytest.mark.parametrize("coding", ["identity", " Identity ", ""])
def test_an_answer_that_says_it_is_not_encoded_is_taken(client: Client, coding: str) -> None:
    with Wire(answering(b"{}", f"Content-Encoding: {coding}")) as wire:
        assert client(get(wire.url)).body == b"{}"


def reset(wire: Wire, connection: socket.socket) -> None:
    wire.request(connection)
    connection.sendall(HEAD + b"\r\nhalf")
    # A linger of zero seconds makes the close a reset.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "behave",
    [
        reset,
        sending(),
        sending(b"HTTP/1.1 200 OK\r\nContent-"),
        sending(HEAD + b"\r\nhalf"),
        sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n"),
        sending(b"\x15\x03\x01\x00\x02\x02P garbage\r\n\r\n"),
        sending(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n"),
    ],
    ids=["reset", "nothing", "half head", "half body", "chunk", "garbage", "head"],
)
def test_a_connection_that_breaks_after_sending_may_have_been_acted_on(
    client: Client, behave: Callable[[Wire, socket.socket], None]
) -> None:
    """P9."""
    with Wire(behave) as wire:
        with pytest.raises(ProviderTimeout, match=r"127\.0\.0\.1: .*may have acted"):
            client(post(wire.url))
        assert len(wire.received) == 1


@pytest.fixture(scope="module")
def parrot() -> Iterator[Wire]:
    with Wire(silent) as wire:
        yield wire


@settings(max_examples=150, deadline=None)
@given(
    answer=st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=100).map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest),
        st.lists(
            st.tuples(
                st.sampled_from(
                    [b"Location", b"Set-Cookie", b"Content-Type", b"Content-Encoding", b"Expires"]
                ),
                st.binary(max_size=20),
            ),
            max_size=4,
        ).map(
            lambda lines: (
                b"HTTP/1.1 302 \xff\r\n"
                + b"".join(b"%b: %b\r\n" % line for line in lines)
                + b"\r\n"
            )
        ),
    )
)
def test_no_bytes_of_a_provider_raise_anything_but_a_provider_error(
    parrot: Wire, answer: bytes
) -> None:
    parrot.behave = sending(answer)
    try:
        assert isinstance(http.fetch(get(parrot.url), timeout=5), Answer)
    except ProviderError as refused:
        assert "127.0.0.1" in refused.detail  # noqa: PT017 - either is right


def all_errors(root: type[Exception]) -> list[type[Exception]]:
    return [root, *(each for child in root.__subclasses__() for each in all_errors(child))]


@pytest.mark.parametrize(
    "kind",
    [*all_errors(httpx.HTTPError), *all_errors(httpx.StreamError), httpx.InvalidURL],
)
def test_no_exception_of_httpx_escapes_or_is_quoted(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    Exception.__init__(error, SECRET)
    call = Call("host")
    call.begin()
    with pytest.raises(ProviderTimeout) as refused, http._translated(call):
        raise error
    if kind is not httpx.ProxyError:
        assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_a_step_that_is_not_known_counts_as_sent() -> None:
    """P9: a later HTTP library must not make us send a code twice."""
    call = Call("host")
    call.begin()
    assert isinstance(call.failed(OSError()), ProviderTimeout)
    call.note("connection.connect_tcp.started", {})
    assert isinstance(call.failed(OSError()), ProviderUnreachable)
    call.note("http3.send.started", {})
    assert isinstance(call.failed(OSError()), ProviderTimeout)


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
        with pytest.raises(ProviderUnreachable, match=rf"127\.0\.0\.1: .*{reason}"):
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


@pytest.mark.parametrize("value", [f"{SECRET}\r\nX: y", f"é {SECRET}", f"{SECRET}\0"])
def test_a_header_that_cannot_be_sent_is_not_quoted(client: Client, value: str) -> None:
    with Wire(answering()) as wire:
        with pytest.raises(ProviderError) as refused:
            client(Fetch("GET", wire.url, (("authorization", value),)))
        assert SECRET not in "".join(traceback.format_exception(refused.value))
        assert wire.received == []


def test_no_secret_reaches_a_log_even_at_its_most_talkative(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), Wire(answering(SECRET.encode())) as wire:
        client(post(wire.url))
    assert any(record.name == "httpx" for record in caplog.records)
    assert SECRET not in caplog.text
