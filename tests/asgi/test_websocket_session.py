"""A WebSocket that is open ends with its session: not before, and at the next word by then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import anyio
import anyio.to_thread
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intastellar_auth.core.ended import end_session
from intastellar_auth.drive import blocking
from intastellar_auth.drive.concurrent import Outside
from intastellar_auth.stores import MemoryStore
from tests.stores.silent import Silent
from tests.support.server import let_pass

from .gate import SESSION_COOKIE, Gate, make_gate, websocket

ACCEPT: Message = {"type": "websocket.accept"}
HEARD: Message = {"type": "websocket.receive", "text": "hello"}
SAID: Message = {"type": "websocket.send", "text": "hello"}
GONE = "websocket.disconnect"
LIFETIME, IDLE = 604_800, 86_400


class Talk:
    """A conversation, with whatever ``between`` does before the browser's second word.

    ``cut_off`` is whether the app was told so when it said something behind the end.
    """

    def __init__(self, gate: Gate, between: Callable[[], object], cookie: bytes = b"") -> None:
        self.heard: list[Message] = []
        self.sent: list[Message] = []
        self.cut_off = False
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
        try:
            await send(SAID)
        except OSError:
            self.cut_off = True

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


class Meeting(MemoryStore):
    """A store that answers ``get_many`` only when so many ask it at the same time."""

    instant = False

    def __init__(self, parties: int) -> None:
        super().__init__()
        self._barrier = threading.Barrier(parties, timeout=10.0)

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Wait for the others, and answer."""
        self._barrier.wait()
        return super().get_many(keys)


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
    assert not talk.cut_off


def test_nobodys_is_left_alone(gate: Gate) -> None:
    talk = Talk(gate, lambda: None, cookie=b"theme=dark")
    assert talk.sent == [ACCEPT, SAID, SAID, SAID]


def test_one_whose_session_was_ended_elsewhere_is_closed_at_the_next_word(gate: Gate) -> None:
    """CK-24, P13."""
    talk = Talk(gate, lambda: sign_out(gate))
    assert talk.closed == (1008, "signed out")
    assert talk.heard == [HEARD, {"type": GONE, "code": 1008}]
    assert talk.sent.count(SAID) == 1, "what the app says to nobody goes nowhere"
    assert talk.cut_off


def test_one_whose_session_has_run_out_is_closed_at_the_next_word() -> None:
    """CK-24."""
    gate = make_gate(session_lifetime=IDLE, session_idle=IDLE)
    talk = Talk(gate, lambda: let_pass(1.1), gate.cookie(age=IDLE - 1))
    assert talk.closed == (1008, "signed out")


def test_one_goes_on_although_the_cookie_that_it_began_with_is_old() -> None:
    """The page has a newer one by then, of which the socket learns nothing."""
    gate = make_gate()
    talk = Talk(gate, lambda: let_pass(1.1), gate.cookie(age=IDLE - 1))
    assert talk.closed is None
    assert talk.sent.count(SAID) == 3


def test_one_whose_session_the_store_has_let_go_is_closed_at_the_next_word() -> None:
    """SESSION_MODE=server: the store knows how long nobody has asked for anything."""
    gate = make_gate(session_mode="server", revocation_check=0)
    session, store = gate.session(), gate.middleware._outside.store
    keeper = gate.site.sessions.keeper
    outside = blocking.Outside(store, 1.0)
    outside.run(keeper.keep(session, LIFETIME))
    cookie = f"{SESSION_COOKIE}=1{keeper.text(session)}".encode()
    talk = Talk(gate, lambda: outside.run(keeper.drop(session)), cookie)
    assert talk.heard == [HEARD, {"type": GONE, "code": 1008}]
    assert talk.closed == (1008, "signed out")


def test_one_asks_the_store_no_more_often_than_a_page_does() -> None:
    """REVOCATION_CHECK."""
    gate = make_gate(revocation_check=60)
    cookie = gate.cookie(age=600.0)

    def break_down() -> None:
        gate.middleware._outside = Outside(Silent(), 1.0)

    talk = Talk(gate, break_down, cookie)
    assert talk.closed is None
    assert gate.site.admissions.outage.ask_again == 0.0


def converse(gate: Gate, app: ASGIApp, *words: Message, hang_up: bool = False) -> list[Message]:
    """Return what reaches the browser of ``app``; it says ``words``, and nothing more.

    One that has hung up lets a close fail, as servers do.
    """
    sent: list[Message] = []
    waiting: list[Message] = [{"type": "websocket.connect"}, *words]

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)
        if hang_up and message["type"] == "websocket.close":
            raise BrokenPipeError

    gate.middleware._app = app
    anyio.run(gate.middleware, websocket("/live", [(b"cookie", gate.cookie())]), receive, send)
    return sent


def kinds(sent: list[Message]) -> list[str]:
    """Return the last word of each message's type."""
    return [one["type"].partition(".")[2] for one in sent]


@pytest.mark.parametrize("hang_up", [False, True])
def test_an_app_that_only_speaks_is_told_that_its_visitor_has_signed_out(
    gate: Gate, *, hang_up: bool
) -> None:
    """CK-24: a page that only listens hears no more, and nobody speaks to it for ever."""
    told: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send(ACCEPT)
        await send(SAID)
        await anyio.to_thread.run_sync(sign_out, gate)
        for _ in range(2):
            try:
                await send(SAID)
            except OSError as error:
                told.append(str(error))

    assert kinds(converse(gate, app, hang_up=hang_up)) == ["accept", "send", "close"]
    assert told == ["the WebSocket was closed with 1008"] * 2


def test_an_app_that_speaks_until_it_cannot_has_made_no_mistake(gate: Gate) -> None:
    """A server logs no traceback of an app whose visitor has gone."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send(ACCEPT)
        await anyio.to_thread.run_sync(sign_out, gate)
        while True:
            await send(SAID)

    assert kinds(converse(gate, app)) == ["accept", "close"]


def test_an_error_of_the_apps_own_is_the_servers_to_log(gate: Gate) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        converse(gate, app)


def test_an_app_that_speaks_and_listens_at_once_is_closed_once() -> None:
    """CK-24: both find out at the same time that the session has ended."""
    gate = make_gate(revocation_check=0)
    heard: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        await send(ACCEPT)
        gate.middleware._outside = Outside(Meeting(2), 1.0)
        sign_out(gate)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(speak, send)
            heard.append(await receive())

    async def speak(send: Send) -> None:
        with pytest.raises(OSError, match="1008"):
            await send(SAID)

    assert kinds(converse(gate, app, HEARD)) == ["accept", "close"]
    assert heard == [{"type": GONE, "code": 1008}]


def test_one_of_which_nobody_can_tell_is_told_to_come_back() -> None:
    """A store that is down for longer than STORE_GRACE."""
    gate = make_gate(revocation_check=0, store_grace=0)

    def break_down() -> None:
        gate.middleware._outside = Outside(Silent(), 1.0)

    assert Talk(gate, break_down).closed == (1013, "try again later")


def test_an_app_that_closes_what_we_have_closed_closes_nothing(gate: Gate) -> None:
    """Servers take a second close for a mistake of the app's."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send(ACCEPT)
        await anyio.to_thread.run_sync(sign_out, gate)
        with pytest.raises(OSError, match="1008"):
            await send(SAID)
        await send({"type": "websocket.close", "code": 1000})

    assert [one.get("code") for one in converse(gate, app)] == [None, 1008]


@pytest.mark.parametrize(("said", "code"), [({}, 1000), ({"code": 4001}, 4001)])
def test_we_close_nothing_that_the_app_has_closed(
    gate: Gate, said: dict[str, int], code: int
) -> None:
    """What the browser had said by then is not worth a second close either."""
    heard: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        await send(ACCEPT)
        await send({"type": "websocket.close", **said})
        await anyio.to_thread.run_sync(sign_out, gate)
        heard.append(await receive())

    assert kinds(converse(gate, app, HEARD)) == ["accept", "close"]
    assert heard == [{"type": GONE, "code": code}]
