"""A WebSocket that is open ends with its session: not before, and at the next word by then."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import anyio.to_thread
import pytest
from starlette.types import Message, Receive, Scope, Send

from intastellar_auth.core.ended import end_session
from intastellar_auth.drive import blocking
from intastellar_auth.drive.concurrent import Outside
from tests.stores.silent import Silent
from tests.support.server import let_pass

from .gate import Gate, make_gate, websocket

ACCEPT: Message = {"type": "websocket.accept"}
HEARD: Message = {"type": "websocket.receive", "text": "hello"}
SAID: Message = {"type": "websocket.send", "text": "hello"}
GONE = "websocket.disconnect"
LIFETIME, IDLE = 604_800, 86_400


class Talk:
    """A conversation, with whatever ``between`` does before the browser's second word."""

    def __init__(self, gate: Gate, between: Callable[[], object], cookie: bytes = b"") -> None:
        self.heard: list[Message] = []
        self.sent: list[Message] = []
        self._between = between
        self._waiting = [{"type": "websocket.connect"}, HEARD, HEARD]
        gate.middleware._app = self._app
        scope = websocket("/live", [(b"cookie", cookie or gate.cookie())])
        anyio.run(gate.middleware, scope, self._receive, self._send)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer each word, and say something more when the other side is gone."""
        del scope
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == HEARD["type"]:
            self.heard.append(message)
            await send(SAID)
        self.heard.append(message)
        await send(SAID)

    async def _receive(self) -> Message:
        if len(self._waiting) == 1:
            self._between()
        return self._waiting.pop(0) if self._waiting else {"type": GONE, "code": 1001}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def closed(self) -> tuple[int, str] | None:
        """How we closed it, ``None`` where we did not."""
        closes = [one for one in self.sent if one["type"] == "websocket.close"]
        return (closes[0]["code"], closes[0]["reason"]) if closes else None


@pytest.fixture
def gate() -> Gate:
    return make_gate(revocation_check=0)


def sign_out(gate: Gate) -> None:
    """End the session, as another process would."""
    store = gate.middleware._outside.store
    blocking.Outside(store, 1.0).run(end_session(gate.session(), LIFETIME))


def test_one_whose_session_lives_hears_and_says_all(gate: Gate) -> None:
    talk = Talk(gate, lambda: None)
    assert talk.heard == [HEARD, HEARD, {"type": GONE, "code": 1001}]
    assert talk.sent == [ACCEPT, SAID, SAID, SAID]


def test_nobodys_is_left_alone(gate: Gate) -> None:
    talk = Talk(gate, lambda: None, cookie=b"theme=dark")
    assert talk.sent == [ACCEPT, SAID, SAID, SAID]


def test_one_whose_session_was_ended_elsewhere_is_closed_at_the_next_word(gate: Gate) -> None:
    """CK-24, P13."""
    talk = Talk(gate, lambda: sign_out(gate))
    assert talk.closed == (1008, "signed out")
    assert talk.heard == [HEARD, {"type": GONE, "code": 1008}]
    assert talk.sent.count(SAID) == 1, "what the app says to nobody goes nowhere"


def test_one_whose_session_has_run_out_is_closed_at_the_next_word() -> None:
    """CK-24."""
    gate = make_gate()
    talk = Talk(gate, lambda: let_pass(1.1), gate.cookie(age=IDLE - 1))
    assert talk.closed == (1008, "signed out")


def test_what_the_app_says_first_is_not_said_to_whoever_has_signed_out(gate: Gate) -> None:
    """CK-24: a page that only listens hears no more."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        await send(ACCEPT)
        await send(SAID)
        await anyio.to_thread.run_sync(sign_out, gate)
        await send(SAID)
        await send(SAID)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    gate.middleware._app = app
    anyio.run(gate.middleware, websocket("/live", [(b"cookie", gate.cookie())]), receive, send)
    assert [one["type"] for one in sent] == [
        *("websocket.accept", "websocket.send", "websocket.close"),
    ]


def test_one_of_which_nobody_can_tell_is_told_to_come_back() -> None:
    """A store that is down for longer than STORE_GRACE."""
    gate = make_gate(revocation_check=0, store_grace=0)

    def break_down() -> None:
        gate.middleware._outside = Outside(Silent(), 1.0)

    assert Talk(gate, break_down).closed == (1013, "try again later")


def test_an_app_that_closes_what_we_have_closed_closes_nothing(gate: Gate) -> None:
    """Servers take a second close for a mistake of the app's."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send(ACCEPT)
        await anyio.to_thread.run_sync(sign_out, gate)
        await send(SAID)
        await send({"type": "websocket.close", "code": 1000})

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    gate.middleware._app = app
    anyio.run(gate.middleware, websocket("/live", [(b"cookie", gate.cookie())]), receive, send)
    assert [one.get("code") for one in sent] == [None, 1008]
