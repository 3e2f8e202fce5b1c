"""What the memory store promises beyond the contract: it stays small, and it survives a fork."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

from intastellar_auth.stores import MemoryStore, memory

from .forks import forked

if TYPE_CHECKING:
    from .clock import Clock


def test_a_full_store_gives_up_the_entry_that_expires_soonest() -> None:
    """SS-09."""
    store = MemoryStore(max_entries=3)
    for key, ttl in [("long", 300.0), ("short", 100.0), ("middle", 200.0)]:
        store.put(key, b"value", ttl)
    store.put("new", b"value", 150)
    assert [store.get(key) for key in ("long", "middle", "new")] == [b"value"] * 3
    assert store.get("short") is None


def test_a_claim_in_a_full_store_does_not_make_room_for_itself() -> None:
    """P2: a claim that went at once would be won twice."""
    store = MemoryStore(max_entries=3)
    for key in "abc":
        store.put(key, b"ended", 1000)
    assert store.add("claim", b"mine", 1)
    assert not store.add("claim", b"mine", 1)


def test_expired_entries_go_before_any_other(clock: Clock) -> None:
    store = MemoryStore(clock=clock, max_entries=3)
    store.put("old", b"value", 1)
    store.put("kept", b"value", 10)
    clock.now += 1
    store.put("a", b"value", 10)
    store.put("b", b"value", 10)
    assert [store.get(key) for key in ("kept", "a", "b")] == [b"value"] * 3


def test_rewriting_a_key_in_a_full_store_costs_no_other(clock: Clock) -> None:
    store = MemoryStore(clock=clock, max_entries=2)
    store.put("a", b"old", 10)
    store.put("b", b"value", 5)
    store.put("a", b"new", 10)
    assert store.get("a") == b"new"
    assert store.get("b") == b"value"


def test_expired_entries_are_forgotten_by_later_writes(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    for number in range(100):
        store.put(str(number), b"value", 1)
    clock.now += 1
    store.put("last", b"value", 1)
    assert list(store._entries) == ["last"]


def test_a_key_written_again_and_again_does_not_fill_the_memory() -> None:
    store = MemoryStore()
    for ttl in range(10_000):
        store.put("key", b"value", 1000 + ttl)
    assert len(store._expiries) <= 1100
    assert store.get("key") == b"value"


def test_a_key_written_again_is_not_removed_when_its_first_time_is_over(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    store.put("key", b"old", 1)
    store.put("key", b"new", 10)
    clock.now += 2
    store.put("other", b"value", 10)
    assert store.get("key") == b"new"


def test_a_fork_while_the_lock_is_held_does_not_stop_the_child() -> None:
    store = MemoryStore()
    store.put("key", b"value", 100)
    with store._lock:
        assert forked(lambda: (store.get("key"), store.add("new", b"", 1))) == (b"value", True)
    assert store.get("new") is None


def test_a_store_that_nobody_uses_is_freed() -> None:
    store = MemoryStore()
    gone = weakref.ref(store)
    del store
    gc.collect()
    assert gone() is None


def test_after_a_fork_every_store_has_a_lock_that_nobody_holds() -> None:
    store = MemoryStore()
    with store._lock:
        memory._after_fork_in_child()
        assert store.add("key", b"value", 10)
