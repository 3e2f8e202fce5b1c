"""Answers that are too large, encoded, broken off, or no HTTP at all."""

from __future__ import annotations

import gzip
import socket
import struct
import traceback
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intastellar_auth.core.effects import Answer
from intastellar_auth.drive import http
from intastellar_auth.drive.call import Call
from intastellar_auth.errors import (
    AnswerInvalid,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
)

from .calls import HEAD, SECRET, get, post
from .wire import Wire, answering, sending, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Client


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
        with pytest.raises(ProviderTimeout, match=r"127\.0\.0\.1.*: .*may have acted"):
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
