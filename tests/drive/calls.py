"""What the tests of the HTTP client call with."""

from __future__ import annotations

import socket

from intastellar_auth.core.effects import Fetch

SHORT = 0.5
"""Seconds that a call may take where it is to run out of time."""

LATE = 2.5
"""Seconds beyond ``SHORT`` that a busy machine may need."""

SECRET = "hunter2-secret"

POST = (("authorization", f"Basic {SECRET}"), ("content-type", "application/json"))

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n"
"""The beginning of an answer that is longer than what comes of it."""


def post(url: str) -> Fetch:
    """Return a request that must not be sent twice."""
    return Fetch("POST", url, POST, f"code={SECRET}".encode())


def get(url: str) -> Fetch:
    """Return a request that may be."""
    return Fetch("GET", url)


def closed_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
