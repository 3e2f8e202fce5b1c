"""What takes its time: a store that a test lets go, and a flow that holds a lock meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel

from intastellar_auth.core.effects import Flow, pause
from intastellar_auth.drive.concurrent import Outside
from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.stores import MemoryStore

PATIENCE = 10.0
"""Seconds after which something that does not happen fails the test."""

SOON = 0.05
"""Seconds of a timeout that is to strike."""


class SlowStore(MemoryStore):
    """A store that notes its threads, and answers for ``slow`` only once it is let go."""

    def __init__(self, *, instant: bool = False) -> None:
        super().__init__()
        self.instant = instant
        self.threads: set[int] = set()
        self.entered, self.let_go = threading.Event(), threading.Event()

    def get(self, key: str) -> bytes | None:
        """Return what is there; ``down`` and ``broken`` fail, each in its way."""
        self.threads.add(threading.get_ident())
        if key == "down":
            raise StoreUnavailable("the store is down")
        if key == "broken":
            raise ZeroDivisionError("a mistake of ours")
        if key == "slow":
            self.entered.set()
            assert self.let_go.wait(PATIENCE)
        return super().get(key)


class Held:
    """A flow that holds a lock while it waits for an hour."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def flow(self) -> Flow[None]:
        """Take the lock, and wait."""
        with self.lock:
            yield from pause(3600.0)

    async def is_held(self) -> None:
        """Return when the flow has begun to wait."""
        while not self.lock.locked():
            await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()


def on_asyncio(main: Callable[[], Awaitable[None]]) -> None:
    """Run ``main`` where a task can be cancelled natively."""
    anyio.run(main, backend="asyncio")


def outside(store: MemoryStore) -> Outside:
    """Return a driver on ``store``."""
    return Outside(store, http_timeout=PATIENCE)
