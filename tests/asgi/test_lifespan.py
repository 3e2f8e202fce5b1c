"""Lifespan: it is the app's own, and its end waits for a sign-in that is under way."""

from __future__ import annotations

import logging
import threading
from unittest.mock import AsyncMock
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from asgiref.wsgi import WsgiToAsgi
from flask import Flask
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intastellar_auth.drive.concurrent import Outside
from intastellar_auth.environ import handing_on
from intastellar_auth.stores import MemoryStore

from .gate import NAVIGATION, Gate, http, make_gate

PATIENCE = 10.0
STARTED: Message = {"type": "lifespan.startup.complete"}
STOPPED: Message = {"type": "lifespan.shutdown.complete"}
FAILED: Message = {"type": "lifespan.shutdown.failed", "message": "the app's own trouble"}
ASKED: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]


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


async def refuses(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse all but requests, as Django and asgiref do."""
    del receive, send
    raise ValueError(f"no {scope['type']} here")


async def passes_over(scope: Scope, receive: Receive, send: Send) -> None:
    """Do nothing, as many a small app does."""


def flask() -> ASGIApp:
    """Return an app of Flask's behind asgiref."""
    app: ASGIApp = WsgiToAsgi(Flask("site"))  # type: ignore[no-untyped-call]  # asgiref's
    return app


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("app", [refuses, passes_over, flask()], ids=["raises", "ends", "Flask"])
def test_the_server_is_answered_for_an_app_that_has_no_lifespan(
    app: ASGIApp, backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    gate = make_gate()
    gate.middleware._app = handing_on(app)
    got = gate.send({"type": "lifespan"}, *ASKED, backend=backend)
    assert got.messages == [STARTED, STOPPED]
    assert "event=no_lifespan" in caplog.text


@pytest.mark.parametrize("asked", [1, 2])
def test_an_app_that_breaks_in_its_lifespan_is_the_servers_to_judge(asked: int) -> None:
    gate, heard = make_gate(), list[Message]()

    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, send
        heard.extend([await receive() for _ in range(asked)])
        raise ValueError("the app's own mistake")

    gate.middleware._app = breaks
    with pytest.raises(ValueError, match="own mistake"):
        gate.send({"type": "lifespan"}, *ASKED)
    assert heard == ASKED[:asked]


def test_a_kind_of_scope_that_is_not_known_goes_through_too() -> None:
    gate = make_gate({"type": "something.else"})
    assert gate.send({"type": "telepathy"}).messages == [{"type": "something.else"}]


def callback_of(gate: Gate) -> Scope:
    """Start a sign-in, and return its callback."""
    got = gate.ask("/auth/login", NAVIGATION)
    (state,) = parse_qs(urlsplit(got.one("location")).query)["state"]
    cookie = got.one("set-cookie").partition(";")[0].encode()
    return http(f"/auth/callback?code=c-1&state={state}", [*NAVIGATION, (b"cookie", cookie)])


def living(end: Message) -> ASGIApp:
    """Return an app that lives as long as the server does, and says ``end`` when it stops."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        await send(STARTED)
        await receive()
        await send(end)

    return app


@pytest.mark.parametrize(
    ("app", "end"), [(living(STOPPED), STOPPED), (living(FAILED), FAILED), (refuses, STOPPED)]
)
def test_a_server_that_stops_finishes_a_sign_in_whose_visitor_hung_up(
    app: ASGIApp, end: Message
) -> None:
    """P10: whatever the app itself makes of the end."""
    gate, store = make_gate(), SlowStore()
    callback = callback_of(gate)
    gate.middleware._outside, gate.middleware._app = Outside(store, 1.0), app
    said: list[Message] = []
    asked = list(ASKED)

    unasked, unheard = AsyncMock(), AsyncMock()

    async def say(message: Message) -> None:
        said.append(message)

    async def ask() -> Message:
        return asked.pop(0)

    async def stop() -> None:
        receive: Receive = ask
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
            assert said == [STARTED]
            store.let_go.set()
        assert said == [STARTED, end]
        # Nobody listens at the provider: the claim was withdrawn, and why is on record.
        assert not gate.middleware._outside._running

    anyio.run(main)
    unasked.assert_not_called()
    unheard.assert_not_called()
