"""A store in Redis, or Valkey, shared by all machines that can reach it.

It knows which commands ask for what, and which of them may be said twice. Each method is a *talk*:
a generator that yields a command, or a batch, and is sent the answer, so that the blocking and the
asynchronous half of the store say the same. An error is thrown in.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Sequence
from hashlib import sha256
from math import ceil
from typing import Any, TypeAlias, TypeVar, cast

import redis

from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.stores.redis_client import FAILURES, explain
from intastellar_auth.stores.redis_commands import Batch, Command
from intastellar_auth.stores.redis_loop import LoopClients
from intastellar_auth.stores.redis_process import ProcessClient
from intastellar_auth.stores.redis_url import RedisUrl

T = TypeVar("T")

PREFIX = "intastellar-auth:"
"""What every key begins with, for those who share the server or write its access rules."""

_MARK = 16
"""Bytes in front of each value, different for each write."""

_Talk: TypeAlias = Generator[Command | Batch, Any, T]


class RedisStore:
    """Entries that expire, at the address ``url``. Nothing is connected before the first call."""

    instant = False
    shared = True

    def __init__(self, url: RedisUrl) -> None:
        self._url = url
        self._process = ProcessClient(url)
        self._loops = LoopClients(url)

    def get(self, key: str) -> bytes | None:
        """Return the value under ``key``, ``None`` where there is none or it has expired."""
        return self._hold(_get(key))

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return what ``get`` would for each of ``keys``, in their order."""
        return self._hold(_get_many(keys))

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Write ``value`` under ``key``, whether or not it is there, for ``ttl`` seconds."""
        self._hold(_put(key, value, ttl))

    def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Write ``value`` if ``key`` is free or expired; return whether it was."""
        return self._hold(_add(key, value, ttl))

    def take(self, key: str) -> bytes | None:
        """Return the value under ``key`` and remove it."""
        return self._hold(_take(key))

    def delete(self, key: str) -> None:
        """Remove ``key``, if it is there."""
        self._hold(_delete(key))

    def close(self) -> None:
        """Let go of this process's blocking connections; a later call opens them again."""
        self._process.close()

    async def aget(self, key: str) -> bytes | None:
        """Do what ``get`` does, on the running event loop of asyncio."""
        return await self._ahold(_get(key))

    async def aget_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Do what ``get_many`` does, on the running event loop of asyncio."""
        return await self._ahold(_get_many(keys))

    async def aput(self, key: str, value: bytes, ttl: float) -> None:
        """Do what ``put`` does, on the running event loop of asyncio."""
        await self._ahold(_put(key, value, ttl))

    async def aadd(self, key: str, value: bytes, ttl: float) -> bool:
        """Do what ``add`` does, on the running event loop of asyncio."""
        return await self._ahold(_add(key, value, ttl))

    async def atake(self, key: str) -> bytes | None:
        """Do what ``take`` does, on the running event loop of asyncio."""
        return await self._ahold(_take(key))

    async def adelete(self, key: str) -> None:
        """Do what ``delete`` does, on the running event loop of asyncio."""
        await self._ahold(_delete(key))

    async def aclose(self) -> None:
        """Let go of the running event loop's connections; a later call opens them again."""
        await self._loops.close()

    def _hold(self, talk: _Talk[T]) -> T:
        try:
            said = next(talk)
            while True:
                try:
                    answer = self._process.say(said)
                except redis.ConnectionError as error:
                    said = talk.throw(error)
                else:
                    said = talk.send(answer)
        except StopIteration as stop:
            return cast("T", stop.value)
        except FAILURES as error:
            raise self._unavailable(error) from None

    async def _ahold(self, talk: _Talk[T]) -> T:
        try:
            said = next(talk)
            while True:
                try:
                    answer = await self._loops.say(said)
                except redis.ConnectionError as error:
                    said = talk.throw(error)
                else:
                    said = talk.send(answer)
        except StopIteration as stop:
            return cast("T", stop.value)
        except FAILURES as error:
            raise self._unavailable(error) from None

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        # From None: redis-py's own message may quote what was sent.
        return StoreUnavailable(explain(self._url, error))


def _get(key: str) -> _Talk[bytes | None]:
    return _value((yield from _said_again(("GET", _named(key)))))


def _get_many(keys: Sequence[str]) -> _Talk[list[bytes | None]]:
    """Many times GET: in a cluster, MGET is for keys of one node."""
    answers = yield from _said_again([("GET", _named(key)) for key in keys])
    return [_value(answer) for answer in answers]


def _put(key: str, value: bytes, ttl: float) -> _Talk[None]:
    yield from _said_again(("SET", _named(key), _marked(value), "PX", _milliseconds(ttl)))


def _add(key: str, value: bytes, ttl: float) -> _Talk[bool]:
    """Claim, and believe no refusal that may be of our own claim.

    Where the connection breaks, the answer is lost and perhaps not the claim. Said again, it is
    refused if the first one arrived; then what is there is ours, and known by its mark.
    """
    name, marked = _named(key), _marked(value)
    claim = ("SET", name, marked, "NX", "PX", _milliseconds(ttl))
    try:
        return (yield claim) is True
    except redis.ConnectionError:
        pass
    return (yield claim) is True or (yield ("GET", name)) == marked


def _take(key: str) -> _Talk[bytes | None]:
    """Said once: what a lost answer held is gone, and a second one would hold nothing."""
    return _value((yield ("GETDEL", _named(key))))


def _delete(key: str) -> _Talk[None]:
    """Said once: a claim that somebody else made in between is not ours to remove."""
    yield ("DEL", _named(key))


def _said_again(said: Command | Batch) -> _Talk[Any]:
    """Twice is as good as once here. An idle connection may be found dead only when it is used."""
    try:
        return (yield said)
    except redis.ConnectionError:
        pass
    return (yield said)


def _named(key: str) -> str:
    # Whatever a key is made of, the server gets letters and digits that do not tell (SS-09).
    return PREFIX + sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _marked(value: bytes) -> bytes:
    return secrets.token_bytes(_MARK) + value


def _value(found: object) -> bytes | None:
    return found[_MARK:] if isinstance(found, bytes) else None


def _milliseconds(ttl: float) -> int:
    return max(1, ceil(ttl * 1000))
