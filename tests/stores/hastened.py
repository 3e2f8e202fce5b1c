"""A store of Redis, whose server's clock no test can move, made to follow a clock that one can."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from intastellar_auth.stores.redis import PREFIX, RedisStore

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from types import TracebackType

    from .redis_server import RedisServer

T = TypeVar("T")

_FASTER = 100
"""A second of the test is this many of the server's: what the test itself takes is nothing."""


class Hastened:
    """The store; when ``clock`` was moved, all entries are brought as much nearer to their end."""

    instant = False
    shared = True

    def __init__(self, store: Half, server: RedisServer, clock: Callable[[], float]) -> None:
        self._store, self._server, self._clock = store, server, clock
        self._seen = clock()

    def get(self, key: str) -> bytes | None:
        """Return what the store returns."""
        self._pass()
        return self._store.get(key)

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return what the store returns."""
        self._pass()
        return self._store.get_many(keys)

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Have the store write."""
        self._pass()
        self._store.put(key, value, ttl * _FASTER)

    def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Return what the store returns."""
        self._pass()
        return self._store.add(key, value, ttl * _FASTER)

    def take(self, key: str) -> bytes | None:
        """Return what the store returns."""
        self._pass()
        return self._store.take(key)

    def delete(self, key: str) -> None:
        """Have the store remove."""
        self._pass()
        self._store.delete(key)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _pass(self) -> None:
        passed, self._seen = self._clock() - self._seen, self._clock()
        if not passed:
            return
        for key in self._server.all_keys():
            assert key.startswith(PREFIX.encode())
            left = self._server.tell("PTTL", key.decode())
            assert left > 0, "every entry expires"
            self._server.tell("PEXPIRE", key.decode(), str(left - round(passed * _FASTER * 1000)))


class OnALoop:
    """The asynchronous half of a store, run by an event loop in a thread of its own."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> OnALoop:
        """Start the loop."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop and close the loop, as ``asyncio.run`` would."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def get(self, key: str) -> bytes | None:
        """Return what the store returns."""
        return self._wait(self._store.aget(key))

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return what the store returns."""
        return self._wait(self._store.aget_many(keys))

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Have the store write."""
        self._wait(self._store.aput(key, value, ttl))

    def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Return what the store returns."""
        return self._wait(self._store.aadd(key, value, ttl))

    def take(self, key: str) -> bytes | None:
        """Return what the store returns."""
        return self._wait(self._store.atake(key))

    def delete(self, key: str) -> None:
        """Have the store remove."""
        self._wait(self._store.adelete(key))

    def close(self) -> None:
        """Close the loop's connections."""
        self._wait(self._store.aclose())

    def _wait(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


Half: TypeAlias = RedisStore | OnALoop
"""A store of Redis, by either half."""
