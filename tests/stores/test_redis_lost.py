"""An answer of Redis is lost after the command was carried out: nobody is told a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from intastellar_auth.errors import StoreUnavailable

from .swallower import Swallower, swallower

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .hastened import Half
    from .redis_server import RedisServer

    Opened = Callable[[str], Half]


@pytest.fixture
def line(redis_here: RedisServer) -> Iterator[Swallower]:
    with swallower(redis_here.port) as between:
        yield between


@pytest.fixture
def store(line: Swallower, opened: Opened) -> Iterator[Half]:
    half = opened(f"redis://127.0.0.1:{line.port}")
    yield half
    half.close()


def test_a_claim_whose_answer_is_lost_is_still_the_claimers(store: Half, line: Swallower) -> None:
    """P2: said again, the server would refuse it to its own claimer."""
    line.lose("SET")
    assert store.add("claim", b"mine", 100)
    assert line.swallow == []
    assert not store.add("claim", b"mine", 100)


def test_a_claim_of_another_with_the_same_value_is_not_taken_for_ones_own(
    store: Half, line: Swallower
) -> None:
    """P2: even where the answer was lost."""
    assert store.add("claim", b"mine", 100)
    line.lose("SET")
    assert not store.add("claim", b"mine", 100)
    assert line.swallow == []


def test_a_claim_that_is_lost_twice_is_nobodys(store: Half, line: Swallower) -> None:
    """P9: it is not known whose it is, so nobody is told that it is theirs."""
    line.lose("SET", "SET")
    with pytest.raises(StoreUnavailable):
        store.add("claim", b"mine", 100)
    assert not store.add("claim", b"mine", 100)


def test_a_claim_that_cannot_be_looked_at_is_nobodys(store: Half, line: Swallower) -> None:
    line.lose("SET", "GET")
    with pytest.raises(StoreUnavailable):
        store.add("claim", b"mine", 100)


def test_reading_and_writing_are_tried_again(store: Half, line: Swallower) -> None:
    line.lose("SET", "GET")
    store.put("key", b"value", 100)
    assert store.get("key") == b"value"
    assert line.swallow == []


def test_what_may_be_done_only_once_is_not_tried_again(store: Half, line: Swallower) -> None:
    """P2: a claim that somebody made after the first removal would go with the second."""
    for command, call in (("GETDEL", store.take), ("DEL", store.delete)):
        store.put("key", b"value", 100)
        line.lose(command)
        with pytest.raises(StoreUnavailable):
            call("key")
        assert store.get("key") is None
