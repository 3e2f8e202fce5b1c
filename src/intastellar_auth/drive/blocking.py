"""Run a flow in the calling thread: ``concurrent.py``'s counterpart for WSGI.

No event loop: threads, sockets and locks of the standard library, so that whatever gevent has put
in their place is used.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import TypeVar, assert_never, cast

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
from intastellar_auth.drive.ask import ask
from intastellar_auth.drive.http import fetch
from intastellar_auth.errors import ProviderUnreachable
from intastellar_auth.stores import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outside:
    """What effects are performed on; ``http_timeout`` is in seconds."""

    store: Store
    http_timeout: float

    def run(self, flow: Flow[T]) -> T:
        """Return what ``flow`` returns, performing what it asks for on the way."""
        try:
            effect = next(flow)
            while True:
                try:
                    answer = self._perform(effect)
                except Exception as error:  # noqa: BLE001  a flow is told of any, foreseen or not
                    effect = flow.throw(error)
                else:
                    effect = flow.send(answer)
        except StopIteration as stop:
            return cast("T", stop.value)
        finally:
            # A request that is given up half-way lets go of what its flow holds.
            flow.close()

    def _perform(self, effect: Effect) -> object:
        match effect:
            case Fetch():
                return fetch(effect, timeout=self.http_timeout)
            case Get() | GetMany() | Put() | Add() | Take() | Delete():
                return ask(self.store, effect)
            case Pause(seconds):
                time.sleep(seconds)
            case Unbroken(flow):
                return self._unbroken(flow)
            case _:
                assert_never(effect)
        return None

    def _unbroken(self, flow: Flow[object]) -> object:
        """Wait for ``flow``, which a thread of its own brings to its end (row P10).

        Whatever is thrown into the thread that waits, a ``gevent.Timeout`` for one, does not reach
        it. The interpreter waits for the thread when it ends: the work has deadlines inside. Under
        gevent it does not, and work that dies with its process is row P9.
        """
        outcome: Future[object] = Future()
        worker = Thread(target=self._settle, args=(outcome, flow), name="intastellar-auth")
        try:
            worker.start()
        except RuntimeError:
            # Nothing was claimed, and nothing is lost: the same request may come again.
            raise ProviderUnreachable("no thread can be started for the work") from None
        return outcome.result()

    def _settle(self, outcome: Future[object], flow: Flow[object]) -> None:
        try:
            outcome.set_result(self.run(flow))
        except BaseException as error:  # noqa: BLE001  raised again in the thread that waits
            # Whoever waits is told too, if they still do; the log is told in any case.
            log.event(logging.DEBUG, "unbroken_work_failed", {"kind": type(error).__name__})
            outcome.set_exception(error)
