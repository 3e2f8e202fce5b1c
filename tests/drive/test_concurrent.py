"""The async driver, on asyncio and on trio: what it performs, and what a cancellation leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

import anyio
import anyio.to_thread
import pytest

from intastellar_auth.core.effects import (
    Answer,
    Fetch,
    Flow,
    add,
    delete,
    fetch,
    get,
    get_many,
    pause,
    put,
    take,
    unbroken,
)
from intastellar_auth.errors import ProviderUnreachable, StoreUnavailable

from .slow import PATIENCE, SOON, Held, SlowStore, on_asyncio, outside
from .wire import Wire, answering

Backend: TypeAlias = Callable[[Callable[[], Awaitable[None]]], None]


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return partial(anyio.run, backend=request.param)


@pytest.mark.parametrize("instant", [True, False])
def test_every_effect_is_performed(backend: Backend, *, instant: bool) -> None:
    def flow(url: str) -> Flow[list[object]]:
        yield from put("a", b"1", 60.0)
        seen: list[object] = [(yield from get("a")), (yield from add("a", b"2", 60.0))]
        seen += [(yield from add("b", b"3", 60.0)), (yield from take("b")), (yield from take("b"))]
        yield from delete("a")
        yield from pause(0.001)
        seen.append((yield from get("a")))
        yield from put("c", b"4", 60.0)
        seen += yield from get_many("c", "a")
        return [*seen, (yield from unbroken(fetch(Fetch("GET", url))))]

    async def main() -> None:
        result = await outside(store).run(flow(wire.url))
        assert result[:-1] == [b"1", False, True, b"3", None, None, b"4", None]
        assert result[-1] == Answer(200, "application/json", b"{}")

    store = SlowStore(instant=instant)
    with Wire(answering(b"{}", "Content-Type: application/json")) as wire:
        backend(main)
    assert (store.threads == {threading.get_ident()}) is instant
    assert store.threads


def test_a_slow_store_does_not_hold_up_the_event_loop(backend: Backend) -> None:
    store = SlowStore()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(outside(store).run, get("slow"))
            # The store waits for what this very loop does next.
            await anyio.to_thread.run_sync(store.entered.wait, PATIENCE)
            assert await outside(store).run(get("other")) is None
            store.let_go.set()

    backend(main)


def test_an_error_of_ours_is_thrown_into_the_flow(backend: Backend) -> None:
    def flow() -> Flow[list[str]]:
        told: list[str] = []
        for what in (
            get("down"),
            fetch(Fetch("GET", "http://127.0.0.1:1/")),
            unbroken(get("down")),
        ):
            try:
                yield from what
            except (StoreUnavailable, ProviderUnreachable) as error:
                told.append(type(error).__name__)
        return told

    async def main() -> None:
        told = await outside(SlowStore()).run(flow())
        assert told == ["StoreUnavailable", "ProviderUnreachable", "StoreUnavailable"]

    backend(main)


@pytest.mark.parametrize("ask", [get, lambda key: unbroken(get(key))], ids=["broken", "unbroken"])
def test_an_error_that_nobody_foresaw_is_thrown_into_the_flow_too(
    backend: Backend, ask: Callable[[str], Flow[object]]
) -> None:
    """CS-11: the last resort is in the flow, and must hear of it."""

    def flow() -> Flow[str]:
        with pytest.raises(ZeroDivisionError):
            yield from ask("broken")
        return "a page"

    async def main() -> None:
        assert await outside(SlowStore()).run(flow()) == "a page"

    backend(main)


def test_an_error_that_the_flow_does_not_catch_is_the_callers(backend: Backend) -> None:
    async def main() -> None:
        with pytest.raises(StoreUnavailable):
            await outside(SlowStore()).run(get("down"))

    backend(main)


def test_a_flow_that_is_cancelled_lets_go_of_its_locks(backend: Backend) -> None:
    held = Held()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(outside(SlowStore()).run, held.flow())
            await held.is_held()
            tasks.cancel_scope.cancel()
        assert not held.lock.locked()
        with pytest.raises(TimeoutError):
            with anyio.fail_after(SOON):
                await outside(SlowStore()).run(held.flow())
        assert not held.lock.locked()

    backend(main)


def test_a_flow_whose_task_is_cancelled_lets_go_of_its_locks() -> None:
    held = Held()

    async def main() -> None:
        task = asyncio.create_task(outside(SlowStore()).run(held.flow()))
        await held.is_held()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not held.lock.locked()

    on_asyncio(main)
