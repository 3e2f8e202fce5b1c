"""Lifespan: it is the app's own, and its end waits for a sign-in that is under way."""

from __future__ import annotations

import threading
from unittest.mock import AsyncMock
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from starlette.types import Message, Receive, Scope, Send

from intastellar_auth.drive.concurrent import Outside
from intastellar_auth.stores import MemoryStore

from .gate import NAVIGATION, Gate, http, make_gate

PATIENCE = 10.0
STARTED: Message = {"type": "lifespan.startup.complete"}
STOPPED: Message = {"type": "lifespan.shutdown.complete"}


class SlowStore(MemoryStore):
    """A store whose claims take until they are let go."""

    instant = False

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.let_go = threading.Event(), threading.Event()

    def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Claim, slowly."""
        self.entered.set()
        assert self.let_go.wait(PATIENCE)
        return super().add(key, value, ttl)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_lifespan_goes_through_to_the_app(backend: str) -> None:
    gate = make_gate(STARTED, STOPPED)
    scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    got = gate.send(scope, backend=backend)
    assert got.messages == [STARTED, STOPPED]
    assert gate.seen is scope
    assert set(scope) == {"type", "asgi", "state"}


def test_a_kind_of_scope_that_is_not_known_goes_through_too() -> None:
    gate = make_gate({"type": "something.else"})
    assert gate.send({"type": "telepathy"}).messages == [{"type": "something.else"}]


def callback_of(gate: Gate) -> Scope:
    """Start a sign-in, and return its callback."""
    got = gate.ask("/auth/login", NAVIGATION)
    (state,) = parse_qs(urlsplit(got.one("location")).query)["state"]
    cookie = got.one("set-cookie").partition(";")[0].encode()
    return http(f"/auth/callback?code=c-1&state={state}", [*NAVIGATION, (b"cookie", cookie)])


def test_a_server_that_stops_finishes_a_sign_in_whose_visitor_hung_up() -> None:
    """P10."""
    gate, store = make_gate(STOPPED), SlowStore()
    callback = callback_of(gate)
    gate.middleware._outside = Outside(store, 1.0)
    stopped: list[Message] = []

    unasked, unheard = AsyncMock(), AsyncMock()

    async def say(message: Message) -> None:
        stopped.append(message)

    async def stop() -> None:
        receive: Receive = unasked
        send: Send = say
        await gate.middleware({"type": "lifespan"}, receive, send)

    async def main() -> None:
        async with anyio.create_task_group() as visit:
            visit.start_soon(gate.middleware, callback, unasked, unheard)
            await anyio.to_thread.run_sync(store.entered.wait, PATIENCE)
            visit.cancel_scope.cancel()
        async with anyio.create_task_group() as server:
            server.start_soon(stop)
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
            assert stopped == []
            store.let_go.set()
        assert stopped == [STOPPED]
        # Nobody listens at the provider: the claim was withdrawn, and why is on record.
        assert not gate.middleware._outside._running

    anyio.run(main)
    unasked.assert_not_called()
    unheard.assert_not_called()
