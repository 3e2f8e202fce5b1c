"""Run a flow without blocking, on asyncio and on trio.

The only file that awaits on a flow's behalf; ``blocking.py`` is its counterpart for WSGI.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar, assert_never, cast

import anyio
import anyio.lowlevel
import anyio.to_thread

from intastellar_auth import log
from intastellar_auth.core.effects import (
    Add,
    Delete,
    Effect,
    Fetch,
    Flow,
    Get,
    GetMany,
    Pause,
    Put,
    Take,
    Unbroken,
)
from intastellar_auth.drive.ask import Question, ask, ask_async
from intastellar_auth.drive.http import afetch
from intastellar_auth.stores import AsyncStore, Store

T = TypeVar("T")

# Threads of our own: an app that uses up its own ones must not hold up a question to the store. The
# names of hosts, however, are looked up in the event loop's own threads, as asyncio and trio do it.
_STORE_THREADS = 16
_store_threads = anyio.lowlevel.RunVar[anyio.CapacityLimiter]("intastellar_auth_store_threads")


@dataclass(frozen=True, slots=True)
class Outside:
    """What effects are performed on; ``http_timeout`` is in seconds."""

    store: Store
    http_timeout: float
    _running: set[asyncio.Task[Any]] = field(default_factory=set)

    async def run(self, flow: Flow[T]) -> T:
        """Return what ``flow`` returns, performing what it asks for on the way."""
        try:
            effect = next(flow)
            while True:
                try:
                    answer = await self._perform(effect)
                except Exception as error:  # noqa: BLE001  a flow is told of any, foreseen or not
                    effect = flow.throw(error)
                else:
                    effect = flow.send(answer)
        except StopIteration as stop:
            return cast("T", stop.value)
        finally:
            # A request that is given up half-way lets go of what its flow holds.
            flow.close()

    async def drain(self) -> None:
        """Wait for the work that outlived its request, and let go of the store's connections.

        A server that stops does this first. What another event loop of this process is at, or has
        left undone, is nothing to wait for: this one would not hear of its end.
        """
        if not _on_asyncio():
            return
        loop = asyncio.get_running_loop()
        while mine := [task for task in tuple(self._running) if task.get_loop() is loop]:
            await asyncio.wait(mine)
        if isinstance(self.store, AsyncStore):
            await self.store.aclose()

    async def _perform(self, effect: Effect) -> object:
        match effect:
            case Fetch():
                return await afetch(effect, timeout=self.http_timeout)
            case Get() | GetMany() | Put() | Add() | Take() | Delete():
                return await self._ask(effect)
            case Pause(seconds):
                await anyio.sleep(seconds)
                return None
            case Unbroken(flow):
                return await self._unbroken(self.run(flow))
            case _:
                assert_never(effect)

    async def _ask(self, question: Question) -> object:
        if self.store.instant:
            return ask(self.store, question)
        if isinstance(self.store, AsyncStore) and _on_asyncio():
            return await ask_async(self.store, question)
        return await anyio.to_thread.run_sync(ask, self.store, question, limiter=_limiter())

    async def _unbroken(self, work: Coroutine[Any, Any, T]) -> T:
        """Await ``work``, which ends by itself even if whoever awaits it is cancelled (row P10).

        On asyncio a task of its own: an anyio shield does not stop a native ``task.cancel()``.
        """
        if not _on_asyncio():
            with anyio.CancelScope(shield=True):
                return await work
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # Whoever waited is told too, if they still wait; the log is told in any case.
            log.event(logging.DEBUG, "unbroken_work_failed", {"kind": type(error).__name__})


def _on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _limiter() -> anyio.CapacityLimiter:
    try:
        return _store_threads.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_STORE_THREADS)
        _store_threads.set(limiter)
        return limiter
