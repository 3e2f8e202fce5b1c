"""Unbroken work: it ends by itself, however the request that asked for it is given up (P10)."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from intastellar_auth.core.effects import Flow, get, pause, put, unbroken
from intastellar_auth.drive.concurrent import Outside

from .slow import PATIENCE, SOON, Held, SlowStore, on_asyncio, outside


def slow_work() -> Flow[bytes]:
    """Do what takes a while, and leave a trace of it."""
    yield from get("slow")
    yield from put("done", b"all of it", 60.0)
    return b"result"


def in_a_request() -> Flow[bytes]:
    """Have that done, unbroken, on behalf of a request."""
    return (yield from unbroken(slow_work()))


async def cancelled_natively(running: Outside) -> None:
    """Cancel the request's task, as servers and middleware do."""
    task = asyncio.create_task(running.run(in_a_request()))
    store = running.store
    assert isinstance(store, SlowStore)
    await anyio.to_thread.run_sync(store.entered.wait, PATIENCE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def out_of_time(running: Outside) -> None:
    """Let the request run into a timeout of asyncio's."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SOON):
            await running.run(in_a_request())


async def out_of_anyios_time(running: Outside) -> None:
    """Let the request run into a timeout of anyio's."""
    with pytest.raises(TimeoutError):
        with anyio.fail_after(SOON):
            await running.run(in_a_request())


@pytest.mark.parametrize("give_up", [cancelled_natively, out_of_time, out_of_anyios_time])
def test_unbroken_work_outlives_its_request_and_is_waited_for_at_shutdown(
    give_up: Callable[[Outside], Awaitable[None]],
) -> None:
    """P10."""
    store = SlowStore()

    async def main() -> None:
        running = outside(store)
        await give_up(running)
        assert store.get("done") is None
        draining = asyncio.create_task(running.drain())
        await anyio.lowlevel.checkpoint()
        assert not draining.done()
        store.let_go.set()
        await draining
        assert store.get("done") == b"all of it"
        await running.drain()

    on_asyncio(main)


def test_a_loop_that_stops_does_not_wait_for_the_work_of_another() -> None:
    """Two servers in one process, each in a thread: neither would hear of the other's end."""
    store = SlowStore()
    running = outside(store)
    other = threading.Thread(target=asyncio.run, args=(running.run(in_a_request()),))
    other.start()
    try:
        assert store.entered.wait(PATIENCE)

        async def main() -> None:
            async with asyncio.timeout(PATIENCE):
                await running.drain()

        on_asyncio(main)
        assert store.get("done") is None
    finally:
        store.let_go.set()
        other.join(PATIENCE)
    assert store.get("done") == b"all of it"


def test_work_that_a_loop_has_left_undone_holds_nobody_up() -> None:
    """The loop of a test, as a rule: it has stopped, and brings nothing to its end any more."""
    store = SlowStore()
    running = outside(store)
    closed = asyncio.new_event_loop()
    task = closed.create_task(running.run(unbroken(pause(3600.0))))
    closed.run_until_complete(asyncio.sleep(0))
    closed.run_until_complete(asyncio.sleep(0))
    left = asyncio.all_tasks(closed) - {task}
    assert len(left) == 1

    async def main() -> None:
        async with asyncio.timeout(PATIENCE):
            await running.drain()

    on_asyncio(main)
    for one in (task, *left):
        one.cancel()
    closed.run_until_complete(asyncio.gather(task, *left, return_exceptions=True))
    closed.close()


def test_unbroken_work_outlives_its_request_on_trio() -> None:
    """P10."""
    store = SlowStore()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(outside(store).run, in_a_request())
            await anyio.to_thread.run_sync(store.entered.wait, PATIENCE)
            tasks.cancel_scope.cancel()
            store.let_go.set()
        assert store.get("done") == b"all of it"
        await outside(store).drain()

    anyio.run(main, backend="trio")


def test_unbroken_work_that_fails_is_noted_though_nobody_waits_for_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    store = SlowStore()

    def work() -> Flow[None]:
        yield from get("slow")
        yield from get("broken")

    async def main() -> None:
        running = outside(store)
        task = asyncio.create_task(running.run(unbroken(work())))
        await anyio.to_thread.run_sync(store.entered.wait, PATIENCE)
        task.cancel()
        store.let_go.set()
        await running.drain()
        await asyncio.gather(task, return_exceptions=True)

    on_asyncio(main)
    assert 'event=unbroken_work_failed kind="ZeroDivisionError"' in caplog.text
    assert "never retrieved" not in caplog.text


def test_a_loop_that_ends_takes_unbroken_work_down_cleanly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = Held()

    async def main() -> None:
        task = asyncio.create_task(outside(SlowStore()).run(unbroken(held.flow())))
        await held.is_held()
        assert not task.done()

    on_asyncio(main)
    assert not held.lock.locked()
    assert caplog.text == ""
