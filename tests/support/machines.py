"""Two machines: the site in two network namespaces, which share nothing but what they can reach.

    python -m tests.support.machines PORT WORKERS

Each has a loopback of its own, where its uvicorn and nothing else is; the provider and the Redis of
the settings are reached through what carries connections over, by Unix sockets, which know no
namespaces. In front, on ``PORT``, connections go to the two in turn, as a balancer sends them. The
kernel must let us make namespaces: as root, or as a user where it allows user namespaces.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import struct
import sys
import tempfile
from contextlib import suppress
from itertools import cycle
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
    Connect = Callable[[], Awaitable[Streams]]
    Carry = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_MACHINES = ("one", "two")
_SET_FLAGS = 0x8914  # SIOCSIFFLAGS of netdevice(7)
_IS_UP = 0x1


async def balance(port: int, workers: int) -> None:
    """Run both machines, and carry connections to them in turn, until SIGTERM."""
    with tempfile.TemporaryDirectory() as folder:
        for elsewhere in _elsewhere():
            await _serve_unix(f"{folder}/{elsewhere}", to_port(elsewhere))
        started = [await _start(folder, name, port, workers) for name in _MACHINES]
        turns = cycle([to_unix(f"{folder}/{name}") for name in _MACHINES])
        for name in _MACHINES:
            await _until_there(f"{folder}/{name}")

        def in_turn() -> Awaitable[Streams]:
            return next(turns)()

        front = await asyncio.start_server(_carrying(in_turn), "127.0.0.1", port)
        async with front:
            await _sigterm()
        for machine in started:
            machine.terminate()
        for machine in started:
            await machine.wait()


async def machine(folder: str, name: str, port: int, workers: int) -> None:
    """Be one of the machines, in its namespace, until SIGTERM."""
    _raise_loopback()
    for elsewhere in _elsewhere():
        carry = _carrying(to_unix(f"{folder}/{elsewhere}"))
        await asyncio.start_server(carry, "127.0.0.1", elsewhere)
    uvicorn = ["-m", "uvicorn", "tests.support.site_app:app"]
    options = ["--port", str(port), "--workers", str(workers)]
    site = await asyncio.create_subprocess_exec(sys.executable, *uvicorn, *options)
    await _until_open(port)
    await _serve_unix(f"{folder}/{name}", to_port(port))
    await _sigterm()
    site.terminate()
    await site.wait()


def to_port(port: int) -> Connect:
    """Return what connects to ``port`` of this namespace."""
    return lambda: asyncio.open_connection("127.0.0.1", port)


def to_unix(path: str) -> Connect:
    """Return what connects to the Unix socket at ``path``."""
    return lambda: asyncio.open_unix_connection(path)


def _elsewhere() -> Iterator[int]:
    """Yield the ports of what both machines have to reach."""
    for name in ("INTASTELLAR_ISSUER", "INTASTELLAR_STORE_URL"):
        yield urlsplit(os.environ[name]).port or 0


async def _start(folder: str, name: str, port: int, workers: int) -> asyncio.subprocess.Process:
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    there = [sys.executable, "-m", "tests.support.machines", str(port), str(workers), folder, name]
    return await asyncio.create_subprocess_exec("unshare", "--net", *mapped, *there)


async def _serve_unix(path: str, connect: Connect) -> None:
    await asyncio.start_unix_server(_carrying(connect), path)


def _carrying(
    connect: Connect,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whoever is not there refuses, and so do we.
        with suppress(OSError):
            there, back = await connect()
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        writer.close()

    return carry


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    writer.close()


async def _until_there(path: str) -> None:
    while not os.path.exists(path):  # noqa: ASYNC110, ASYNC240, PTH110  another process makes it
        await asyncio.sleep(0.01)


async def _until_open(port: int) -> None:
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.01)


async def _sigterm() -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()


def _raise_loopback() -> None:
    """A new namespace has one that is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, _SET_FLAGS, struct.pack("16sH22x", b"lo", _IS_UP))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        asyncio.run(balance(int(sys.argv[1]), int(sys.argv[2])))
    else:
        port, workers, folder, name = sys.argv[1:]
        asyncio.run(machine(folder, name, int(port), int(workers)))
