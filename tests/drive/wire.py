"""A server on a real socket that does to each connection exactly what a test says."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

PATIENCE = 10.0
"""Seconds after which a connection that does not end counts as stuck."""


class Wire:
    """Listens on 127.0.0.1 while it is entered; ``behave`` gets each connection.

    ``received`` holds the first bytes of each connection that ``behave`` read with ``request``,
    ``connections`` how many there were. ``over`` is set when the test is done with the server.
    """

    def __init__(
        self, behave: Callable[[Wire, socket.socket], None], *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.behave = behave
        self.received: list[bytes] = []
        self.connections = 0
        self.over = Event()
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [Thread(target=self._accept)]

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """Its address, with a path."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/token"

    def __enter__(self) -> Self:
        """Begin to accept."""
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and see every connection end: a client that keeps one open fails the test."""
        self.over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a connection was left open"

    def request(self, connection: socket.socket) -> bytes:
        """Read one request, head and body, and note it; empty where the client went away."""
        data = b""
        while b"\r\n\r\n" not in data and (more := connection.recv(65536)):
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(body) < length and (more := connection.recv(65536)):
            data += more
            body += more
        if data:
            self.received.append(data)
        return data

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        with ExitStack() as line, suppress(OSError):
            line.callback(connection.close)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                line.callback(connection.close)
            self.behave(self, connection)


def answering(
    body: bytes = b"{}", *headers: str, status: str = "200 OK"
) -> Callable[[Wire, socket.socket], None]:
    """Return a behaviour: read the request, send this answer whole."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]

    def behave(wire: Wire, connection: socket.socket) -> None:
        if wire.request(connection):
            connection.sendall("\r\n".join(head).encode("latin-1") + body)

    return behave


def sending(*pieces: bytes) -> Callable[[Wire, socket.socket], None]:
    """Return a behaviour: read the request, send these bytes, close."""

    def behave(wire: Wire, connection: socket.socket) -> None:
        wire.request(connection)
        for piece in pieces:
            connection.sendall(piece)

    return behave


def dripping(at_once: bytes, drop: bytes) -> Callable[[Wire, socket.socket], None]:
    """Return a behaviour: read the request, send ``at_once``, then ``drop`` again and again.

    Each drop comes well within any limit for a single read.
    """

    def behave(wire: Wire, connection: socket.socket) -> None:
        wire.request(connection)
        connection.sendall(at_once)
        while not wire.over.wait(0.1):
            connection.sendall(drop)

    return behave


def silent(wire: Wire, connection: socket.socket) -> None:
    """Read what comes, answer nothing, until the client goes away."""
    while wire.request(connection):
        pass


def unread(_: Wire, connection: socket.socket) -> None:
    """Wait until the client goes away, whatever it sends."""
    while connection.recv(65536):
        pass
