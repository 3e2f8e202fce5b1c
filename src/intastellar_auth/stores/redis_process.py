"""One client for all threads, or greenlets, of a process. It is made at the first command.

It knows forks and how many may speak at once; it does not know what is said.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from threading import BoundedSemaphore

import redis

from intastellar_auth.stores.redis_client import CONNECTIONS, connect
from intastellar_auth.stores.redis_commands import Batch, Client, Command, answer_of
from intastellar_auth.stores.redis_url import RedisUrl

PATIENCE = 2.0
"""Seconds that a command waits for a connection when all are in use."""

BROKEN = (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError)
"""After these another server may have the name, the service or the slots: a new client looks."""

IN_USE = f"all {CONNECTIONS} connections of this process are in use"


def _places() -> BoundedSemaphore:
    return BoundedSemaphore(CONNECTIONS)


@dataclass(slots=True)
class _Here:
    """What belongs to the process ``pid``. ``places`` bounds how many speak at once."""

    client: Client | None = None
    pid: int = field(default_factory=os.getpid)
    places: BoundedSemaphore = field(default_factory=_places)


class ProcessClient:
    """The blocking client for ``url`` of whichever process asks.

    Clients are never locked and never closed: threads that come first at the same time each make
    one and the last is kept, and one that is given up closes its connections when the last thread
    that speaks on it lets go. So no lock and no connection can be held across a fork.
    """

    def __init__(self, url: RedisUrl) -> None:
        self._url = url
        self._here = _Here()

    def say(self, said: Command | Batch) -> object:
        """Return the answer to a command, or those to a batch; raises what redis-py does."""
        here = self._here
        if here.pid != os.getpid():
            # redis-py closes a connection of the parent's without a word to the server.
            here = self._here = _Here()
        if not here.places.acquire(timeout=PATIENCE):
            raise redis.TimeoutError(IN_USE)
        try:
            client = here.client
            if client is None:
                client = here.client = connect(self._url)
            try:
                return answer_of(client, said)
            except BROKEN:
                if here.client is client:
                    here.client = None
                raise
        finally:
            here.places.release()

    def close(self) -> None:
        """Give the client up."""
        self._here = _Here()
