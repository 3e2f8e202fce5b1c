"""A threaded HTTP server on a free loopback port that answers whatever it is told to."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

Pairs = tuple[tuple[str, str], ...]
"""Names with values, in order and with repetitions."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the server got it; header names are lower case."""

    method: str
    path: str
    query: Pairs
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> Pairs:
        """The fields of a form in the body."""
        return tuple(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: ``wait`` seconds before it starts, ``drip`` seconds between its bytes."""

    status: int
    body: bytes = b""
    headers: Pairs = (("Content-Type", "application/json"),)
    wait: float = 0.0
    drip: float = 0.0


class Server:
    """Answers with ``respond`` from ``start`` to ``stop``, on the same port each time."""

    def __init__(
        self, respond: Callable[[Asked], Answer], tls: ssl.SSLContext | None = None
    ) -> None:
        self._respond = respond
        self._tls = tls
        self._leaving = threading.Event()
        self.port = 0
        self.start()

    def start(self) -> None:
        """Listen. After a ``stop`` the port is the one that was left."""
        self._leaving.clear()
        self._http = _HTTP(("127.0.0.1", self.port), self._handler())
        self.port = self._http.server_port
        if self._tls is not None:
            self._http.socket = self._tls.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Refuse connections from now on; answers that were waiting are cut short."""
        self._leaving.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def base(self) -> str:
        """The server's origin."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Answer one request."""
                url = urlsplit(self.path)
                query = tuple(parse_qsl(url.query, keep_blank_values=True))
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", "0")))
                asked = Asked(self.command, url.path, query, headers, body)
                server._send(self, server._respond(asked))

            do_POST = do_GET  # noqa: N815 (the name http.server looks for)

            def log_message(self, *_args: object) -> None:
                """Stay silent: the test captures all logs of the process."""

        return Handler

    def _send(self, to: BaseHTTPRequestHandler, answer: Answer) -> None:
        self._leaving.wait(answer.wait)
        try:
            to.send_response_only(answer.status)
            for name, value in answer.headers:
                to.send_header(name, value)
            to.send_header("Content-Length", str(len(answer.body)))
            to.end_headers()
            step = 1 if answer.drip else max(1, len(answer.body))
            for at in range(0, len(answer.body), step):
                to.wfile.write(answer.body[at : at + step])
                self._leaving.wait(answer.drip)
        except OSError:
            # The client has seen enough and hung up: that is what a limit looks like from here.
            to.close_connection = True


class _HTTP(ThreadingHTTPServer):
    request_queue_size = 128  # fifty connections at once must not wait for a retransmission


class DeadPort:
    """A loopback port that refuses every connection while this is open."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()
