"""WebSockets: whose they are, from which pages they may come, and a refusal before accept."""

from __future__ import annotations

import pytest
from starlette.types import Message

from .gate import Gate, Got, Headers, make_gate, websocket

ACCEPT: Message = {"type": "websocket.accept", "headers": []}
OWN: Headers = [(b"origin", b"https://site.example")]
FOREIGN: list[Headers] = [
    [(b"origin", b"https://evil.example")],
    [(b"origin", b"https://site.example.evil.example")],
    [(b"origin", b"https://sub.site.example")],
    [(b"origin", b"http://site.example")],
    [(b"origin", b"https://site.example:8443")],
    [(b"origin", b"null")],
    [(b"origin", b"")],
    [(b"origin", b"\xff")],
]


@pytest.fixture
def gate() -> Gate:
    return make_gate(ACCEPT)


def knock(gate: Gate, path: str, headers: Headers, **changes: object) -> Got:
    """Open a WebSocket with the cookie of a signed-in user."""
    scope = websocket(path, [(b"cookie", gate.cookie()), *headers], **changes)
    return gate.send(scope, {"type": "websocket.connect"})


@pytest.mark.parametrize("headers", [OWN, []], ids=["own", "not a browser"])
@pytest.mark.parametrize("path", ["/live", "/private/live"])
def test_a_page_of_this_site_opens_one_as_its_user(gate: Gate, path: str, headers: Headers) -> None:
    got = knock(gate, path, headers)
    assert gate.seen["user"].sub == "alice"
    assert gate.seen["auth"].scopes == ("authenticated", "profile")
    assert got.messages == [ACCEPT]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_of_another_site_opens_one_as_nobody(gate: Gate, headers: Headers) -> None:
    """CK-24: a browser sends the visitor's cookies along."""
    knock(gate, "/live", headers)
    assert gate.seen["user"].is_authenticated is False
    assert gate.seen["auth"].scopes == ()


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_of_another_site_is_refused_a_protected_one(gate: Gate, headers: Headers) -> None:
    """CK-24."""
    got = knock(gate, "/private/live", headers)
    assert [message["type"] for message in got.messages] == ["websocket.close"]
    assert gate.app.scopes == []


@pytest.mark.parametrize("headers", [[], OWN, [(b"cookie", b"__Host-intastellar=1garbage")]])
def test_nobody_is_refused_a_protected_one_before_it_is_accepted(
    gate: Gate, headers: Headers
) -> None:
    """PX-07."""
    got = gate.send(websocket("/private/live", headers), {"type": "websocket.connect"})
    assert got.messages == [{"type": "websocket.close", "code": 1008, "reason": "sign in first"}]
    assert gate.app.scopes == []


def test_one_without_a_query_in_its_scope_is_one_like_any(gate: Gate) -> None:
    """The specification lets a server leave it out."""
    knock(gate, "/live", OWN, query_string=None, raw_path=None, root_path=None)
    assert gate.seen["user"].sub == "alice"


def test_our_own_paths_are_no_websockets(gate: Gate) -> None:
    knock(gate, "/auth/logout", OWN)
    assert gate.seen["user"].sub == "alice"


def test_a_roll_that_is_due_waits_for_the_next_page(gate: Gate) -> None:
    scope = websocket("/live", [(b"cookie", gate.cookie(age=600.0))])
    assert gate.send(scope).messages == [ACCEPT]
