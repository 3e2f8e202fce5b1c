"""A session lasts as long as it says inside its seal, and travels whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core.seal import to_cookie
from intastellar_auth.core.session import roll_after
from intastellar_auth.errors import SessionTooLarge
from tests.hostile.jar import Jar, parse

from .parts import IDLE, LIFETIME, NAME, NOW, result, sealer, session, sessions

if TYPE_CHECKING:
    from intastellar_auth.core.session import Session

ours = sessions()
claims = st.dictionaries(
    st.text("abc_", max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
        lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text("xy"), values),
        max_leaves=5,
    ),
    max_size=5,
)


def cookie(text: str) -> bytes:
    """Return the ``Cookie`` header with ``text`` as the session's one chunk."""
    return f"{NAME}=1{text}".encode()


def large(count: int) -> Session:
    """Return a session that needs ``count`` cookies."""
    return session(claims={"groups": "x" * 3000 * (count - 1)})


def jar_of(kept: Session) -> Jar:
    """Return a browser that was given ``kept``."""
    jar = Jar(https=True)
    jar.take(ours.set_cookies(kept, b"", NOW))
    return jar


@given(
    st.builds(
        session,
        id=st.text(max_size=30),
        sub=st.text(min_size=1, max_size=100),
        scopes=st.lists(st.text(max_size=9), max_size=4).map(tuple),
        claims=claims,
        sid=st.none() | st.text(max_size=40),
        auth_time=st.none() | st.floats(0, 2e9),
        began=st.floats(0, 2e9),
    )
)
def test_a_session_comes_back_from_the_browser_as_it_was(kept: Session) -> None:
    assert result(ours.find(jar_of(kept).header("/").encode(), NOW + 1)) == kept


def test_a_session_is_read_by_nobody_without_the_key() -> None:
    """CK-08, SS-09."""
    sealed = jar_of(session(claims={"email": "alice@example.com"})).header("/")
    assert "alice" not in sealed
    assert result(sessions(seals=sealer("session", "other")).find(sealed.encode(), NOW)) is None


@pytest.mark.parametrize(
    ("rolled", "ends"),
    [(NOW, NOW + IDLE), (NOW + 1000, NOW + 1000 + IDLE), (NOW + LIFETIME - 1, NOW + LIFETIME)],
)
def test_a_session_ends_when_idle_or_when_its_lifetime_is_over(rolled: float, ends: float) -> None:
    """CK-10, CK-11: to the moment, whatever the browser thinks of ``Max-Age``."""
    kept = result(ours.rolled(session(), rolled))
    text = ours.keeper.text(kept)
    assert ours.ends_at(kept) == ends
    assert ours.at_once(text.encode(), ends - 0.01) == kept
    assert ours.at_once(text.encode(), ends) is None
    assert result(ours.find(cookie(text), ends + 86_400)) is None


@given(st.lists(st.floats(0, IDLE), min_size=1, max_size=60))
def test_no_roll_moves_the_absolute_limit(pauses: list[float]) -> None:
    """CK-11: a session in use all the time ends all the same."""
    kept, now = session(), NOW
    for pause in pauses:
        now += pause
        kept = result(ours.rolled(kept, now))
        assert kept.created == NOW
        assert ours.ends_at(kept) <= NOW + LIFETIME
        assert ours.at_once(ours.keeper.text(kept).encode(), NOW + LIFETIME) is None


def test_a_roll_keeps_everything_else() -> None:
    kept = session(claims={"name": "Alice"}, sid="sid", auth_time=NOW)
    assert result(ours.rolled(kept, NOW + 60))._replace(rolled=NOW) == kept


@pytest.mark.parametrize("idle", [1, 10, 600, 3000, 3001, 86_400])
def test_a_session_in_use_is_rolled_every_tenth_of_its_idle_time(idle: float) -> None:
    assert roll_after(idle) == min(idle / 10, 300)


def test_max_age_is_the_time_that_remains_and_never_negative() -> None:
    """CK-10, CK-11 (CVE-2025-46344)."""
    late = result(ours.rolled(session(), NOW + LIFETIME - 100))
    for kept, now, remains in (
        (session(), NOW, IDLE),
        (late, NOW + LIFETIME - 100, 100),
        (late, NOW + LIFETIME + 5, 0),
    ):
        (header,) = ours.set_cookies(kept, b"", now)
        assert parse(header).attributes["max-age"] == str(int(remains))


def test_a_session_of_a_second_is_kept_for_it() -> None:
    """``Max-Age=0`` would take the cookie away, and a visitor would sign in for ever."""
    brief = replace(ours, lifetime=1)
    (header,) = brief.set_cookies(session(), b"", NOW + 0.2)
    assert parse(header).attributes["max-age"] == "1"


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("garbage", ["", "1", "1garbage", "2x", "3", "9", "\xff", "1" + "A" * 4000])
def test_garbage_beside_the_session_changes_nothing(order: tuple[int, ...], garbage: str) -> None:
    """CK-05, CK-06."""
    kept = session()
    pairs = [f"{NAME}=1{ours.keeper.text(kept)}", f"{NAME}={garbage}", f"{NAME}.1=planted"]
    header = "; ".join(pairs[at] for at in order).encode("latin-1")
    assert result(ours.find(header, NOW)) == kept


def test_of_two_sessions_the_one_that_lives_is_found() -> None:
    """CK-06: nothing is joined."""
    old, new = session(created=NOW - LIFETIME), session(id="new")
    texts = [f"{NAME}=1{ours.keeper.text(each)}" for each in (old, new)]
    for pair in (texts, texts[::-1]):
        assert result(ours.find("; ".join(pair).encode(), NOW)) == new


def test_chunks_of_two_sessions_are_no_session() -> None:
    """CK-07, CK-15."""
    one, two = ({c.name: c.value for c in jar_of(large(3)).cookies.values()} for _ in range(2))
    for name in one:
        mixed = "; ".join(f"{n}={v}" for n, v in {**one, name: two[name]}.items())
        assert result(ours.find(mixed.encode(), NOW)) is None
    names = list(one)
    for values in permutations(one.values()):
        moved = "; ".join(f"{n}={v}" for n, v in zip(names, values, strict=True))
        assert (result(ours.find(moved.encode(), NOW)) is None) == (values != tuple(one.values()))


@given(st.binary(max_size=200))
def test_no_text_is_an_error_and_none_is_a_session(text: bytes) -> None:
    """CK-07, CS-11."""
    assert ours.at_once(text, NOW) is None
    assert result(ours.find(text, NOW)) is None
    assert result(ours.find(f"{NAME}=1".encode() + text, NOW)) is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xc1",
        b"text",
        msgspec.msgpack.encode(session(sub="xyz")).replace(b"xyz", b"xy\xff"),
        *map(msgspec.msgpack.encode, [None, {}, {"id": 1}, ["a"], {"id": "a"}]),
    ],
)
def test_what_an_other_version_sealed_is_no_session(value: bytes) -> None:
    """CS-10, CS-11: a key lives longer than the shape of what it seals."""
    text = to_cookie(sealer("session", NAME).seal(value))
    assert result(ours.find(cookie(text), NOW)) is None


def test_chunks_that_are_no_longer_needed_are_removed() -> None:
    """CK-16."""
    jar = jar_of(large(3))
    assert len(jar.cookies) == 3
    for count in (2, 1):
        kept = large(count)
        jar.take(ours.set_cookies(kept, jar.header("/").encode(), NOW))
        assert len(jar.cookies) == count
        assert result(ours.find(jar.header("/").encode(), NOW)) == kept


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_session_is_taken_from_the_browser_whole(count: int) -> None:
    """LO-10, CK-20: every chunk, with the attributes it was set with."""
    jar = jar_of(large(count))
    removed = ours.clear_cookies(jar.header("/").encode())
    for header in removed:
        cleared = parse(header)
        kept = jar.cookies[cleared.name, "/"].attributes
        assert {**kept, "max-age": "0"}.items() <= cleared.attributes.items()
    jar.take(removed)
    assert not jar.cookies


def test_the_session_is_removed_even_where_the_browser_shows_none() -> None:
    assert [parse(header).name for header in ours.clear_cookies(b"")] == [NAME]


def test_a_session_that_no_cookies_hold_is_an_error() -> None:
    """CK-14."""
    with pytest.raises(SessionTooLarge):
        ours.set_cookies(session(claims={"groups": "x" * 10_000}), b"", NOW)


@given(st.lists(st.floats(0, IDLE), max_size=60))
def test_the_last_copy_of_the_cookie_ends_when_it_is_said_to(pauses: list[float]) -> None:
    """LO-08: a tombstone that lasts until then outlives every copy."""
    kept, now = session(), NOW
    for pause in pauses:
        now += pause
        kept = result(ours.rolled(kept, now))
        assert ours.ends_at(kept) <= ours.lasts_until(kept) == NOW + LIFETIME


def test_a_session_shows_no_claim() -> None:
    """TM-05."""
    assert "alice@example.com" not in repr(session(claims={"email": "alice@example.com"}))
