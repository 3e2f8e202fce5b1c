"""The ID token is kept for a logout's hint, and for nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core.cookies import CookieAttributes
from intastellar_auth.core.hint import Hints
from intastellar_auth.core.seal import to_text
from tests.hostile.jar import Jar, parse

from .parts import NAME, result, sealer, session, sessions

HINT = "__Secure-site-hint"
LOGOUT = "/auth/logout"
ours = Hints(HINT, CookieAttributes(path=LOGOUT), sealer("hint", HINT), 7200.0)


def kept(id_token: str) -> Jar:
    """Return a browser that was given ``id_token``."""
    jar = Jar(https=True)
    jar.take(ours.set_cookies(id_token))
    return jar


@given(st.integers(1, 5100))
def test_an_id_token_comes_back_at_the_logout_alone(length: int) -> None:
    id_token = ("eyJhbGciOiJFUzI1NiJ9." * (length // 21 + 1))[:length]
    jar = kept(id_token)
    assert ours.find(jar.header(LOGOUT).encode()) == id_token
    assert jar.header("/") == ""
    assert jar.header("/auth/callback") == ""


def test_an_id_token_cannot_be_read_in_its_cookie() -> None:
    """CK-08."""
    assert "eyJ" not in kept("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.signature").header(LOGOUT)


@pytest.mark.parametrize("id_token", [None, "x" * 5300, "x" * 10_000])
def test_without_an_id_token_that_fits_that_of_an_earlier_user_goes(id_token: str | None) -> None:
    """CK-14, CB-21: a logout works without a hint, and would end the wrong session with it."""
    jar = kept("id.token.of-alice")
    jar.take(ours.set_cookies(id_token))
    assert ours.find(jar.header(LOGOUT).encode()) is None


def test_the_cookie_is_out_of_reach_of_script_and_lasts_as_long_as_the_session() -> None:
    """CK-01."""
    (header,) = ours.set_cookies("id.token.x")
    assert parse(header).attributes.items() == {
        *(("path", LOGOUT), ("max-age", "7200")),
        *(("secure", ""), ("httponly", ""), ("samesite", "Lax")),
    }


@given(st.binary(max_size=200))
def test_no_header_is_an_error_and_none_gives_a_hint(header: bytes) -> None:
    """CK-07, CK-19."""
    assert ours.find(header) is None
    assert ours.find(f"{HINT}=1".encode() + header) is None


def test_garbage_beside_the_hint_changes_nothing() -> None:
    """CK-06."""
    header = kept("id.token.x").header(LOGOUT).encode()
    for garbage in (f"{HINT}=1garbage".encode(), f"{HINT}=".encode()):
        assert ours.find(b"; ".join([garbage, header])) == "id.token.x"
        assert ours.find(b"; ".join([header, garbage])) == "id.token.x"


def test_a_session_is_no_hint_and_a_hint_no_session() -> None:
    """CB-26."""
    live = sessions()
    sealed = live.keeper.text(session())
    hint = to_text(ours.sealer.seal(b"id.token.x"))
    assert ours.find(f"{HINT}=1{sealed}".encode()) is None
    assert result(live.find(f"{NAME}=1{hint}".encode(), 0.0)) is None


@given(st.integers(0, 6000), st.integers(1, 6000))
def test_a_hint_is_kept_only_where_a_common_server_takes_it_beside_the_session(
    session_length: int, length: int
) -> None:
    """LO-03: one that made the request to the logout too large would keep the visitor in."""
    beside = [f"{NAME}={'x' * session_length}; Path=/"]
    written = ours.set_cookies("x" * length, beside)
    weight = len(NAME) + session_length + len(kept_header(written)) + 10
    assert weight < 8190 - 1000
    if length + session_length < 4000:
        assert kept_header(written) != ""


def kept_header(written: list[str]) -> str:
    """Return what a browser that was given ``written`` sends to the logout."""
    jar = Jar(https=True)
    jar.take(written)
    return jar.header(LOGOUT)


@pytest.mark.parametrize("length", [10, 4000])
def test_a_hint_is_taken_from_the_browser_whole(length: int) -> None:
    """LO-10."""
    jar = kept("x" * length)
    assert len(jar.cookies) == length // 4000 + 1
    jar.take(ours.clear_cookies(jar.header(LOGOUT).encode()))
    assert not jar.cookies
    assert ours.clear_cookies(b"x=y") == []
