"""One client for each event loop of asyncio. It is made at the loop's first command.

It knows event loops and cancellation; it does not know what is said.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field

import redis

from intastellar_auth.stores.redis_client import (
    CONNECTIONS,
    FAILURES,
    connect_async,
    disconnect,
)
from intastellar_auth.stores.redis_commands import AsyncClient, Batch, Command, answer_of_async
from intastellar_auth.stores.redis_process import BROKEN, IN_USE, PATIENCE
from intastellar_auth.stores.redis_url import RedisUrl

_inherited: list[object] = []
"""Event loops of a parent process: to close their connections would disturb the parent's."""


def _places() -> asyncio.Semaphore:
    return asyncio.Semaphore(CONNECTIONS)


@dataclass(slots=True)
class _Held:
    """A client, and how many commands are under way on it."""

    client: AsyncClient
    users: int = 0

    async def close(self) -> None:
        with suppress(*FAILURES):
            await disconnect(self.client)


@dataclass(slots=True, eq=False)
class _Here:
    """What belongs to one event loop."""

    url: RedisUrl
    held: _Held | None = None
    ended: bool = False
    pid: int = field(default_factory=os.getpid)
    places: asyncio.Semaphore = field(default_factory=_places)
    tasks: set[asyncio.Task[object]] = field(default_factory=set)
    guard: AsyncGenerator[None, None] = field(init=False)

    def __post_init__(self) -> None:
        self.guard = _until_the_loop_ends(self)

    async def say(self, said: Command | Batch) -> object:
        try:
            async with asyncio.timeout(PATIENCE):
                await self.places.acquire()
        except TimeoutError:
            raise redis.TimeoutError(IN_USE) from None
        try:
            held = self.held
            if held is None:
                held = self.held = _Held(await connect_async(self.url))
            return await self._answer(held, said)
        finally:
            self.places.release()

    async def _answer(self, held: _Held, said: Command | Batch) -> object:
        held.users += 1
        try:
            return await answer_of_async(held.client, said)
        except BROKEN:
            if self.held is held:
                self.held = None
            raise
        finally:
            held.users -= 1
            if held is not self.held and not held.users:
                await held.close()

    def done(self, task: asyncio.Task[object]) -> None:
        self.tasks.discard(task)
        if not task.cancelled():
            task.exception()  # Whoever asked may be gone, and asyncio would report it as lost.

    async def leave(self) -> None:
        self.ended = True
        if self.tasks:
            await asyncio.wait(self.tasks)
        held, self.held = self.held, None
        if held is not None:
            await held.close()


async def _until_the_loop_ends(here: _Here) -> AsyncGenerator[None, None]:
    """Whoever closes an event loop closes its asynchronous generators first, and so this one."""
    try:
        yield
    finally:
        await here.leave()


class LoopClients:
    """The clients for ``url`` of all event loops, each for its own loop alone."""

    def __init__(self, url: RedisUrl) -> None:
        self._url = url
        self._loops: dict[asyncio.AbstractEventLoop, _Here] = {}

    async def say(self, said: Command | Batch) -> object:
        """Return the answer to a command, or those to a batch; raises what redis-py does.

        It runs to its end even if whoever waits for it goes away: a connection that is left in the
        middle of an answer must never serve another visitor.
        """
        here = await self._running()
        task = asyncio.get_running_loop().create_task(here.say(said))
        here.tasks.add(task)
        task.add_done_callback(here.done)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Close the running loop's client, once what is under way has ended."""
        here = self._loops.pop(asyncio.get_running_loop(), None)
        if here is not None:
            await here.guard.aclose()

    async def _running(self) -> _Here:
        loop = asyncio.get_running_loop()
        here = self._loops.get(loop)
        if here is None or here.ended or here.pid != os.getpid():
            self._forget()
            here = self._loops[loop] = _Here(self._url)
            await anext(here.guard)  # It does not wait: from now on the loop knows the generator.
        return here

    def _forget(self) -> None:
        """Forget the loops that are no more."""
        for loop, here in list(self._loops.items()):
            if here.pid != os.getpid():
                _inherited.append(here)
            if here.ended or loop.is_closed() or here.pid != os.getpid():
                self._loops.pop(loop, None)
