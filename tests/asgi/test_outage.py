"""A store that is down, with sessions in it: who is let through, and what the others are told."""

from __future__ import annotations

import json

import pytest

from intastellar_auth.drive.concurrent import Outside
from intastellar_auth.user import ANONYMOUS
from tests.stores.silent import Silent

from .gate import SESSION_COOKIE, Gate, make_gate


@pytest.fixture
def gate() -> Gate:
    made = make_gate(session_mode="server")
    made.middleware._outside = Outside(Silent(), 1.0)
    return made


def cookie(gate: Gate) -> tuple[bytes, bytes]:
    """Return the ``Cookie`` header of somebody whom this process does not know."""
    text = gate.site.sessions.keeper.text(gate.session())
    return b"cookie", f"{SESSION_COOKIE}=1{text}".encode()


def test_a_protected_page_says_to_try_again(gate: Gate) -> None:
    """Not to sign in: they have, and it would not work either."""
    navigation = [(b"accept", b"text/html"), (b"sec-fetch-mode", b"navigate")]
    got = gate.ask("/private/page", [cookie(gate), *navigation, (b"sec-fetch-dest", b"document")])
    assert (got.status, got.one("retry-after")) == (503, "5")
    assert b"not available right now" in got.body
    assert got.all("set-cookie") == []
    assert gate.app.scopes == []


def test_a_script_is_told_the_same_in_its_own_words(gate: Gate) -> None:
    got = gate.ask("/private/data", [cookie(gate)])
    assert got.status == 503
    assert json.loads(got.body)["error"] == "store_unavailable"


def test_a_public_page_sees_nobody_signed_in(gate: Gate) -> None:
    got = gate.ask("/page", [cookie(gate)])
    assert got.status == 200
    assert gate.seen["user"] == ANONYMOUS
    assert got.all("set-cookie") == []


def test_whoever_asks_who_is_signed_in_is_told_that_nobody_knows(gate: Gate) -> None:
    assert gate.ask("/auth/user", [cookie(gate)]).status == 503
