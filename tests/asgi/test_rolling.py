"""A session that goes on: when its cookie is set anew, and when it must not be."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
import pytest
from starlette.types import Message, Scope

from intastellar_auth.core.ended import end_session
from intastellar_auth.core.session import Session
from intastellar_auth.drive.concurrent import Outside
from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.stores import MemoryStore
from tests.core.parts import result

from .gate import SESSION_COOKIE, Gate, Got, http, make_gate

DUE = 300.0
CACHED: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"Cache-Control", b"public, max-age=600"),
        (b"set-cookie", b"cart=3"),
        (b"CDN-Cache-Control", b"max-age=3600"),
        (b"surrogate-control", b"max-age=3600"),
        (b"expires", b"Thu, 01 Jan 2099 00:00:00 GMT"),
    ],
}
KEPT_BY_CACHES = ("cdn-cache-control", "surrogate-control", "expires")


@pytest.fixture
def gate() -> Gate:
    return make_gate(CACHED, {"type": "http.response.body"})


def rolled(gate: Gate, got: Got) -> Session | None:
    """Return the session that ``got`` sets; it sets one cookie for it."""
    (cookie,) = (one for one in got.all("set-cookie") if one.startswith(f"{SESSION_COOKIE}="))
    return result(gate.site.sessions.find(cookie.partition(";")[0].encode(), gate.site.clock()))


@pytest.mark.parametrize("age", [0.0, 60.0, DUE - 5])
def test_no_cookie_is_set_before_a_roll_is_due(gate: Gate, age: float) -> None:
    got = gate.ask(headers=[(b"cookie", gate.cookie(age=age))])
    assert got.all("set-cookie") == ["cart=3"]
    assert got.one("cache-control") == "public, max-age=600"
    assert got.one("vary") == "Cookie"
    assert all(got.one(name) for name in KEPT_BY_CACHES)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_roll_that_is_due_comes_with_the_answer_and_is_not_cached(
    gate: Gate, backend: str
) -> None:
    """CVE-2025-48947, CK-11: the sign-in's own time does not move."""
    now = gate.site.clock()
    got = gate.send(http("/page", [(b"cookie", gate.cookie(age=DUE))]), backend=backend)
    session = rolled(gate, got)
    assert session is not None
    assert session.created <= now - DUE + 1
    assert session.rolled >= now
    assert got.one("cache-control") == "no-store"
    assert not any(got.all(name) for name in KEPT_BY_CACHES)
    assert got.one("vary") == "Cookie"
    assert got.all("set-cookie")[0] == "cart=3"


def test_an_app_that_sends_everybody_the_same_message_gives_nobody_anothers_session(
    gate: Gate,
) -> None:
    """CA-02: what is added to an answer is not added to what the app made it of."""
    as_sent = {**CACHED}
    assert rolled(gate, gate.ask(headers=[(b"cookie", gate.cookie(age=DUE))]))
    for _ in range(3):
        stranger = gate.ask()
        assert stranger.all("set-cookie") == ["cart=3"]
        assert stranger.one("vary") == "Cookie"
    assert as_sent == CACHED


def test_each_cookie_of_a_roll_has_its_own_header(gate: Gate) -> None:
    """CK-16: a session in two parts, and a third that an older one left behind."""
    session = gate.session(age=DUE, groups=["a group of its own"] * 250)
    written = gate.site.sessions.set_cookies(session, b"", gate.site.clock())
    pairs = [one.partition(";")[0] for one in written]
    cookie = "; ".join([*pairs, f"{SESSION_COOKIE}.2=stale"]).encode()
    got = gate.ask(headers=[(b"cookie", cookie)])
    names = [one.partition("=")[0] for one in got.all("set-cookie")]
    assert names == ["cart", SESSION_COOKIE, f"{SESSION_COOKIE}.1", f"{SESSION_COOKIE}.2"]
    assert "Max-Age=0" in got.all("set-cookie")[-1]


def end_here(gate: Gate, session: Session) -> None:
    """End the session in this process, with a store that forgot it at once."""
    gate.site.admissions.forget(session.id)


def end_elsewhere(gate: Gate, session: Session) -> None:
    """End the session in another process on the same store."""
    anyio.run(gate.middleware._outside.run, end_session(session, 3600.0))


@pytest.mark.parametrize("end", [end_here, end_elsewhere])
def test_a_logout_while_the_app_was_answering_stands(
    gate: Gate, end: Callable[[Gate, Session], None]
) -> None:
    """P13: a slow request that overlaps a logout must not bring the session back."""
    session = gate.session(age=DUE)
    cookie = f"{SESSION_COOKIE}=1{gate.site.sessions.keeper.text(session)}".encode()
    inner = gate.middleware._app

    async def slow(scope: Scope, receive: object, send: object) -> None:
        assert scope["user"].is_authenticated
        await anyio.to_thread.run_sync(end, gate, session)
        await inner(scope, receive, send)  # type: ignore[arg-type]  # as it was given

    gate.middleware._app = slow
    got = gate.ask(headers=[(b"cookie", cookie)])
    assert got.status == 200
    assert got.all("set-cookie") == ["cart=3"]
    assert got.one("vary") == "Cookie"
    gate.middleware._app = inner
    gate.app.scopes.clear()
    gate.ask(headers=[(b"cookie", cookie)])
    assert gate.seen["user"].is_authenticated is False


class Down(MemoryStore):
    """A store that does not answer."""

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Fail."""
        raise StoreUnavailable(f"no answer for {keys}")


def test_a_store_that_is_down_leaves_the_cookie_as_it_is(gate: Gate) -> None:
    gate.middleware._outside = Outside(Down(), 1.0)
    got = gate.ask(headers=[(b"cookie", gate.cookie(age=DUE))])
    assert gate.seen["user"].is_authenticated
    assert got.all("set-cookie") == ["cart=3"]
    assert got.one("cache-control") == "public, max-age=600"
