"""Run the provider as a server. This file alone needs uvicorn."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import uvicorn

from intastellar_auth.devprovider.loopback import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def listen(host: str, port: int) -> socket.socket:
    """Return a socket for ``host``; port 0 takes a free one.

    Raises ``ValueError`` for a host that others can reach, ``OSError`` where it cannot listen.
    """
    if not is_loopback(host):
        raise ValueError(
            f"--host: {host!r} is not loopback. The development provider lets anyone in as anyone:"
            " use 127.0.0.1, ::1 or localhost"
        )
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    # localhost may be both; clients that find nobody on ::1 go on to 127.0.0.1.
    family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    # Named as TCP, asyncio switches Nagle's algorithm off; else each answer waits for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def issuer_of(host: str, listener: socket.socket) -> str:
    """Return the issuer for ``host`` as the user said it and the port that was got."""
    name = host.strip("[]")
    return f"http://{f'[{name}]' if ':' in name else name}:{listener.getsockname()[1]}"


def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Answer on ``listener`` until a signal ends the process.

    There is no access log: its lines would hold codes and states.
    """
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])
