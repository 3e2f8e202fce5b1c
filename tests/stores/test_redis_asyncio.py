"""The store of Redis on event loops: one client for each, and none in the middle of an answer."""

from __future__ import annotations

import asyncio
import gc
import threading
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest

from intastellar_auth.core.effects import Flow, add, delete, get, get_many, put, take
from intastellar_auth.drive.concurrent import Outside
from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.stores import AsyncStore, redis_client, redis_loop
from intastellar_auth.stores.redis import RedisStore
from intastellar_auth.stores.redis_url import parse
from tests.support.server import free_port, until

from .forks import forked
from .swallower import swallower

if TYPE_CHECKING:
    from .redis_server import RedisServer


def every_question() -> Flow[list[object]]:
    yield from put("a", b"1", 60.0)
    seen: list[object] = [(yield from get("a")), (yield from add("a", b"2", 60.0))]
    seen += [(yield from add("b", b"3", 60.0)), (yield from take("b")), (yield from take("b"))]
    seen += yield from get_many("b", "a")
    yield from delete("a")
    return [*seen, (yield from get("a"))]


@pytest.mark.parametrize(("backend", "threads"), [("asyncio", False), ("trio", True)])
def test_the_driver_uses_no_thread_on_asyncio_and_threads_on_trio(
    redis_store: RedisStore, redis_here: RedisServer, backend: str, *, threads: bool
) -> None:
    outside = Outside(redis_store, 1.0)

    async def main() -> None:
        answers = await outside.run(every_question())
        assert answers == [b"1", False, True, b"3", None, None, b"1", None]
        await outside.drain()
        assert redis_here.clients() == threads

    assert isinstance(redis_store, AsyncStore)
    anyio.run(main, backend=backend)
    assert (redis_store._process._here.client is not None) is threads


def test_a_failure_is_thrown_into_the_flow() -> None:
    store = RedisStore(parse(f"redis://127.0.0.1:{free_port()}"))

    async def main() -> None:
        with pytest.raises(StoreUnavailable):
            await Outside(store, 1.0).run(get("key"))

    asyncio.run(main())


def test_each_loop_has_a_client_that_ends_with_it(
    redis_store: RedisStore, redis_here: RedisServer
) -> None:
    """Nobody has to close it, and no ``ResourceWarning`` is left."""
    clients = []

    async def main() -> None:
        await redis_store.aget("key")
        [here] = [each for each in redis_store._loops._loops.values() if not each.ended]
        assert here.held is not None
        clients.append(here.held.client)
        await asyncio.gather(*(redis_store.aget("key") for _ in range(50)))
        assert redis_here.clients() <= redis_client.CONNECTIONS

    for _ in range(3):
        asyncio.run(main())
        until(lambda: redis_here.clients() == 0, "the end of the connections")
    assert len({id(client) for client in clients}) == 3
    assert len(redis_store._loops._loops) == 1
    gc.collect()


def test_loops_in_several_threads_do_not_meet(redis_store: RedisStore) -> None:
    won: list[bool] = []

    async def claim() -> None:
        won.extend([await redis_store.aadd(f"claim {each}", b"mine", 60) for each in range(20)])

    threads = [threading.Thread(target=asyncio.run, args=(claim(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(True) == 20
    assert len(won) == 80


def test_a_cancelled_question_leaves_no_answer_for_the_next(
    redis_store: RedisStore, redis_here: RedisServer
) -> None:
    """P10: the answer to one visitor must never be given to another."""

    async def main() -> None:
        for number in range(10):
            await redis_store.aput(f"key {number}", str(number).encode(), 60)
        for turn in range(100):
            tasks = [asyncio.create_task(redis_store.aget(f"key {number}")) for number in range(10)]
            for _ in range(turn % 25):
                await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            got = await asyncio.gather(*tasks, return_exceptions=True)
            assert got[1::2] == [b"1", b"3", b"5", b"7", b"9"]
        for turn in range(100):
            batches = [
                asyncio.create_task(redis_store.aget_many([f"key {number}", "key 0"]))
                for number in range(10)
            ]
            for _ in range(turn % 25):
                await asyncio.sleep(0)
            for batch in batches[::2]:
                batch.cancel()
            many = await asyncio.gather(*batches, return_exceptions=True)
            assert many[1::2] == [[str(number).encode(), b"0"] for number in range(1, 10, 2)]
        assert redis_here.clients() <= redis_client.CONNECTIONS

    asyncio.run(main())


def test_a_cancelled_claim_is_carried_out(redis_store: RedisStore) -> None:
    async def main() -> None:
        await redis_store.aget("key")
        claim = asyncio.create_task(redis_store.aadd("claim", b"mine", 60))
        await asyncio.sleep(0)
        claim.cancel()
        with pytest.raises(asyncio.CancelledError):
            await claim
        await redis_store.aclose()
        assert await redis_store.aget("claim") == b"mine"

    asyncio.run(main())


def test_a_failure_that_nobody_waits_for_is_not_reported_as_lost(
    redis_here: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with swallower(redis_here.port) as line:
        store = RedisStore(parse(f"redis://127.0.0.1:{line.port}"))

        async def main() -> None:
            await store.aget("key")
            line.lose("DEL")
            removal = asyncio.create_task(store.adelete("key"))
            await asyncio.sleep(0)
            removal.cancel()
            with pytest.raises(asyncio.CancelledError):
                await removal
            await store.aclose()
            assert line.swallow == []

        asyncio.run(main())
        gc.collect()
    assert caplog.text == ""


def test_a_loop_that_is_closed_in_a_hurry_is_forgotten(redis_store: RedisStore) -> None:
    """Its tasks are cancelled in the middle of a command."""

    async def main() -> None:
        tasks = [asyncio.create_task(redis_store.aget(str(number))) for number in range(5)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)

    asyncio.run(main())
    asyncio.run(main())
    assert len(redis_store._loops._loops) == 1
    gc.collect()


def test_a_client_that_failed_is_closed_when_the_last_command_on_it_has_ended(
    redis_here: RedisServer,
) -> None:
    with swallower(redis_here.port) as line:
        store = RedisStore(parse(f"redis://127.0.0.1:{line.port}"))

        async def main() -> None:
            await asyncio.gather(*(store.aput(str(each), b"value", 60) for each in range(8)))
            line.lose("DEL")
            questions = [store.aget(str(each)) for each in range(8)]
            got = await asyncio.gather(store.adelete("x"), *questions, return_exceptions=True)
            assert isinstance(got[0], StoreUnavailable)
            assert got[1:] == [b"value"] * 8
            [here] = store._loops._loops.values()
            assert here.held is None or here.held.users == 0
            await store.aclose()

        asyncio.run(main())
    until(lambda: redis_here.clients() == 0, "the end of the connections")


def test_a_child_leaves_the_loops_of_its_parent_alone(redis_store: RedisStore) -> None:
    async def main() -> None:
        await redis_store.aput("key", b"value", 60)

        def in_child() -> tuple[bytes | None, int]:
            asyncio._set_running_loop(None)
            before = len(redis_loop._inherited)
            got = asyncio.run(redis_store.aget("key"))
            return got, len(redis_loop._inherited) - before

        assert forked(in_child) == (b"value", 1)
        assert await redis_store.aget("key") == b"value"

    asyncio.run(main())


def test_the_client_is_closed_once_and_opens_again(
    redis_store: RedisStore, redis_here: RedisServer
) -> None:
    async def main() -> None:
        await redis_store.aclose()
        for _ in range(2):
            await redis_store.aput("key", b"value", 60)
            await redis_store.aclose()
            await anyio.to_thread.run_sync(
                partial(until, lambda: redis_here.clients() == 0, "the end of the connections")
            )
        assert await redis_store.aget("key") == b"value"

    asyncio.run(main())
