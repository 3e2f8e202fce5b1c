"""Calls that take too long, on real sockets: they end in time, and nothing goes on after them."""

from __future__ import annotations

import socket
import threading
import time
from threading import Event, Thread
from typing import TYPE_CHECKING

import anyio
import pytest

from intastellar_auth.drive import http
from intastellar_auth.errors import (
    ProviderTimeout,
    ProviderUnreachable,
)
from tests.support.server import until

from .calls import HEAD, LATE, SHORT, get, post
from .wire import Wire, dripping, silent, unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Client


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
