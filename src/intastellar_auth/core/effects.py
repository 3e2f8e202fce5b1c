"""What a flow asks the outside for, as values.

A *flow* is a generator: it yields one of these effects and is sent its answer, or has an error
thrown in. It performs nothing itself, so the order of every security check is written once and a
test can play the outside by hand. The two drivers in ``drive/`` perform effects: one blocks, one
awaits. ``httpx``'s ``Auth.auth_flow`` and psycopg's ``generators.py`` are the precedents.

A flow never yields an effect itself. It says ``value = yield from get(key)``: the helpers at the
end give each effect's answer its type.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fetch:
    """One HTTP request to the provider.

    The driver enforces ``HTTP_TIMEOUT`` seconds for the whole exchange, a limit on the decoded
    size, and follows no redirect. ``headers`` may carry credentials, so they stay out of ``repr``.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"Fetch({self.method!r}, {self.url.partition('?')[0]!r})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider answered. ``media_type`` is lower case and without parameters.

    ``server_time`` is seconds since 1970 by the clock of who answered, if they said.
    """

    status: int
    media_type: str
    body: bytes
    server_time: float | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"Answer({self.status}, {self.media_type!r}, {len(self.body)} bytes)"


@dataclass(frozen=True, slots=True)
class Get:
    """Read ``key`` from the store."""

    key: str


@dataclass(frozen=True, slots=True)
class GetMany:
    """Read all of ``keys`` from the store, in one question where the store knows how."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Put:
    """Write ``key``, whether or not it is there, for ``ttl`` seconds."""

    key: str
    value: bytes = field(repr=False)
    ttl: float


@dataclass(frozen=True, slots=True)
class Add:
    """Write ``key`` only if nobody has: of all who ask, in any process, one is told yes."""

    key: str
    value: bytes = field(repr=False)
    ttl: float


@dataclass(frozen=True, slots=True)
class Take:
    """Read ``key`` and remove it: of all who ask, one gets it."""

    key: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove ``key``, if it is there."""

    key: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Let ``seconds`` pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Unbroken:
    """Run ``flow`` to its end even if whoever waits for it goes away (row P10)."""

    flow: Flow[object]


Effect = Fetch | Get | GetMany | Put | Add | Take | Delete | Pause | Unbroken

Flow = Generator[Effect, Any, T]
"""A computation that yields effects and returns a ``T``."""


def fetch(request: Fetch) -> Flow[Answer]:
    """Send ``request``; raises ``ProviderUnreachable``, ``ProviderTimeout``, ``AnswerInvalid``."""
    return cast("Answer", (yield request))


def get(key: str) -> Flow[bytes | None]:
    """Return the value under ``key``, ``None`` where there is none or it has expired."""
    return cast("bytes | None", (yield Get(key)))


def get_many(*keys: str) -> Flow[list[bytes | None]]:
    """Return what ``get`` would for each of ``keys``, in their order."""
    return cast("list[bytes | None]", (yield GetMany(keys)))


def put(key: str, value: bytes, ttl: float) -> Flow[None]:
    """Write ``value`` under ``key`` for ``ttl`` seconds."""
    yield Put(key, value, ttl)


def add(key: str, value: bytes, ttl: float) -> Flow[bool]:
    """Write ``value`` under ``key`` if it is free; return whether it was."""
    return cast("bool", (yield Add(key, value, ttl)))


def take(key: str) -> Flow[bytes | None]:
    """Remove ``key`` and return what it held, ``None`` where it held nothing."""
    return cast("bytes | None", (yield Take(key)))


def delete(key: str) -> Flow[None]:
    """Remove ``key``, if it is there."""
    yield Delete(key)


def pause(seconds: float) -> Flow[None]:
    """Let ``seconds`` pass."""
    yield Pause(seconds)


def unbroken(flow: Flow[T]) -> Flow[T]:
    """Return what ``flow`` returns; it runs to its end even if this request is given up."""
    return cast("T", (yield Unbroken(flow)))
