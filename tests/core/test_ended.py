"""Whom each tombstone ends, and whom it spares."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core.effects import Effect, Flow, Get, GetMany, Put
from intastellar_auth.core.ended import (
    end_session,
    end_sid,
    end_sub,
    has_ended,
    note_sid,
    owner,
    owner_of_sid,
)
from intastellar_auth.errors import StoreUnavailable

from .parts import NOW, session

if TYPE_CHECKING:
    from intastellar_auth.core.session import Session

T = TypeVar("T")
ISS = "https://id.example.com"
TTL = 7200.0


class Store:
    """A store that keeps what is put, and every effect."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.done: list[Effect] = []

    def play(self, flow: Flow[T]) -> T:
        """Run ``flow`` to its end."""
        answer: bytes | list[bytes | None] | None = None
        while True:
            try:
                effect = flow.send(answer)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]  # what the flow returns
            self.done.append(effect)
            assert isinstance(effect, Get | GetMany | Put)
            if isinstance(effect, Put):
                self.kept[effect.key], answer = effect.value, None
            elif isinstance(effect, GetMany):
                answer = [self.kept.get(key) for key in effect.keys]
            else:
                answer = self.kept.get(effect.key)

    def lives(self, held: Session) -> bool:
        """Return whether nobody has ended ``held``."""
        return not self.play(has_ended(held))

    def put(self) -> Put:
        """Return the one thing that was written."""
        (written,) = (one for one in self.done if isinstance(one, Put))
        return written


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.mark.parametrize(("sid", "keys"), [("s-1", 3), (None, 2)])
def test_a_session_lives_until_somebody_ends_it(store: Store, sid: str | None, keys: int) -> None:
    """One question to the store."""
    assert store.lives(session(sid=sid))
    (asked,) = store.done
    assert isinstance(asked, GetMany)
    assert len(set(asked.keys)) == keys


def test_a_logout_ends_its_session_alone(store: Store) -> None:
    """LO-08."""
    store.play(end_session(session(sid="s-1"), TTL))
    assert not store.lives(session(sid="s-1"))
    assert store.lives(session(id="another", sid="s-1"))
    assert (store.put().value, store.put().ttl) == (b"", TTL)


def test_a_sid_ends_all_that_belong_to_it_and_no_other(store: Store) -> None:
    """BL-01."""
    store.play(end_sid(ISS, "s-1", TTL))
    for name in ("one", "two"):
        assert not store.lives(session(id=name, sid="s-1"))
    assert store.lives(session(sid="s-2"))
    assert store.lives(session())
    assert store.lives(session(sid="s-1", iss="https://other.example"))
    assert (store.put().value, store.put().ttl) == (b"", TTL)


def test_a_sid_also_ends_a_session_that_is_made_after_it(store: Store) -> None:
    """BL-14."""
    store.play(end_sid(ISS, "s-1", TTL))
    assert not store.lives(session(sid="s-1", created=NOW + 60, rolled=NOW + 60, began=NOW + 60))


@pytest.mark.parametrize(
    ("began", "lives"),
    [
        (NOW - 86_400, False),
        (NOW - 0.1, False),
        (NOW, False),
        (NOW + 0.1, True),
        (NOW + 60, True),
        (0.0, False),
    ],
)
def test_a_sub_ends_what_began_before_and_spares_what_begins_later(
    store: Store, began: float, lives: bool
) -> None:
    """BL-02, BL-14: at the same moment counts as before, and so does what nobody knows."""
    store.play(end_sub(ISS, "alice", NOW, TTL))
    for sid in (None, "s-1"):
        assert store.lives(session(began=began, sid=sid)) is lives
    assert store.put().ttl == TTL


def test_a_sub_ends_nobody_else(store: Store) -> None:
    store.play(end_sub(ISS, "alice", NOW, TTL))
    assert store.lives(session(sub="bob"))
    assert store.lives(session(iss="https://other.example"))


@given(st.lists(st.floats(NOW - 600, NOW + 60), min_size=1, max_size=5), st.floats(-700, 100))
def test_logouts_may_come_in_any_order(times: list[float], after: float) -> None:
    """A late, older one must not bring back what a newer one has ended."""
    store = Store()
    for before in times:
        store.play(end_sub(ISS, "alice", before, TTL))
    began = NOW + after
    assert store.lives(session(began=began)) is (began > max(times))


@given(st.binary(max_size=12) | st.just(msgspec.msgpack.encode(float("nan"))))
def test_a_tombstone_that_makes_no_sense_ends_rather_than_spares(value: bytes) -> None:
    """CS-11: what is in the store may be anybody's."""
    store = Store()
    store.play(end_sub(ISS, "alice", NOW, TTL))
    (key,) = store.kept
    store.kept[key] = value
    try:
        readable = msgspec.msgpack.decode(value, type=float)
    except msgspec.MsgspecError:
        readable = float("nan")
    assert store.lives(session(began=NOW + 60)) is (readable < NOW + 60)
    store.play(end_sub(ISS, "alice", NOW + 60, TTL))
    assert not store.lives(session(began=NOW + 60))


def test_a_sid_is_somebodys_only_once_it_was_noted(store: Store) -> None:
    """SS-07."""
    assert store.play(owner_of_sid(ISS, "s-1")) is None
    store.play(note_sid(session(sid="s-1"), TTL))
    assert store.put().ttl == TTL
    assert store.play(owner_of_sid(ISS, "s-1")) == owner("alice")
    assert store.play(owner_of_sid(ISS, "s-2")) is None
    assert store.play(owner_of_sid("https://other.example", "s-1")) is None
    assert owner("alice") != owner("bob")


def test_a_session_without_a_sid_is_not_noted(store: Store) -> None:
    store.play(note_sid(session(), TTL))
    assert store.done == []


def test_noting_a_sid_ends_nothing(store: Store) -> None:
    store.play(note_sid(session(sid="s-1"), TTL))
    assert store.lives(session(sid="s-1"))


def test_the_store_learns_no_id_and_no_user(store: Store) -> None:
    """SS-09."""
    secret = session(id="secret-id", sid="secret-sid", sub="secret-sub")
    store.play(end_session(secret, TTL))
    store.play(end_sid(ISS, "secret-sid", TTL))
    store.play(end_sub(ISS, "secret-sub", NOW, TTL))
    store.play(note_sid(secret, TTL))
    assert len(store.kept) == 4
    assert "secret" not in str(store.kept)
    assert all(key.startswith("ended:") for key in store.kept)


@given(st.lists(st.tuples(st.text(), st.text()), min_size=2, max_size=2, unique=True))
def test_no_two_names_share_a_tombstone(names: list[tuple[str, str]]) -> None:
    """Where one ends and the next begins is not for whoever chooses them to say."""
    store = Store()
    for iss, name in names:
        store.play(end_sid(iss, name, TTL))
        store.play(end_sub(iss, name, NOW, TTL))
    assert len(store.kept) == 4


def test_a_store_that_is_down_is_not_taken_for_a_no() -> None:
    """CS-11: what follows is for the caller to say."""
    flow = has_ended(session(sid="s-1"))
    next(flow)
    with pytest.raises(StoreUnavailable):
        flow.throw(StoreUnavailable("down"))
