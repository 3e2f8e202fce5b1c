"""What two versions of this project agree on while they share a store, and when they give up."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from intastellar_auth.core.effects import Add, Delete, Flow, Get, Pause, Put, pause
from intastellar_auth.core.once import No, Once, Work, once
from intastellar_auth.core.seal import make_sealer

from .hand import Hand, make_token_bytes

LEASE, WINDOW, LASTS = 25.0, 120.0, 2000.0
SECRET = b"known to this browser"
HIDDEN = hashlib.sha256(b"attempt").hexdigest()[:40]


def work() -> Flow[Work]:
    yield from pause(1.0)
    return Work(b"the outcome")


def withdrawn() -> Flow[Work]:
    yield from pause(1.0)
    return Work(b"unreachable", happened=False)


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def what(hand: Hand) -> Once:
    return Once(
        name=b"attempt",
        secret=SECRET,
        lease=LEASE,
        window=WINDOW,
        lasts=LASTS,
        clock=hand.clock,
        token_bytes=make_token_bytes(),
    )


def test_a_claim_and_its_outcome_are_where_every_version_looks(hand: Hand, what: Once) -> None:
    """P2: under another key the same work would be done once more while a version is rolled out."""
    hand.play(once(what, work))
    keys = [one.key for one in hand.done if isinstance(one, Add | Put)]
    assert keys == [f"claim:{HIDDEN}", f"outcome:{HIDDEN}", f"claim:{HIDDEN}"]


def test_an_outcome_opens_with_the_secret_in_every_version(hand: Hand, what: Once) -> None:
    """P3."""
    hand.play(once(what, work))
    (kept,) = (one for one in hand.done if isinstance(one, Put) and one.ttl == WINDOW)
    theirs = make_sealer([SECRET], ["outcome"], make_token_bytes())
    assert theirs.open(kept.value) == b"the outcome"


def test_a_claim_that_cannot_be_read_is_waited_for_to_the_end_of_our_own_lease(
    hand: Hand, what: Once
) -> None:
    """P9: at its very second, and not a pause longer."""
    theirs = make_sealer([SECRET], ["outcome"], make_token_bytes()).seal(b"\xc1")
    hand.store.put(f"claim:{HIDDEN}", theirs, LASTS)
    waiting = hand.start(once(what, work))
    hand.until(waiting, Pause)
    hand.until(waiting, Add)
    hand.clock.now = waiting.since - 0.01 + LEASE
    assert hand.finish(waiting) is No.LAPSED
    assert len([one for one in hand.done if isinstance(one, Pause)]) == 1


def test_each_wait_is_half_as_long_again_as_the_one_before(hand: Hand, what: Once) -> None:
    """P2: who waits has the answer soon after it is there, and costs the store little."""
    hand.until(hand.start(once(what, work)), Pause)
    waiting, pauses = hand.start(once(what, work)), list[float]()
    while not waiting.ended:
        if isinstance(waiting.wants, Pause):
            pauses.append(waiting.wants.seconds)
        hand.step(waiting)
    assert pauses[:4] == pytest.approx([0.01, 0.015, 0.0225, 0.03375])


def test_why_work_did_not_happen_is_told_for_a_second(hand: Hand, what: Once) -> None:
    """P9: long enough for those who wait, too short for a reload."""
    hand.play(once(what, withdrawn))
    (told,) = (one for one in hand.done if isinstance(one, Put))
    assert (told.key, told.ttl) == (f"outcome:{HIDDEN}", 1.0)
    assert hand.done[-1] == Delete(f"claim:{HIDDEN}")


def test_a_store_that_lost_an_outcome_is_in_the_log_of_this_package(
    hand: Hand, what: Once, caplog: pytest.LogCaptureFixture
) -> None:
    hand.refused = {Put}
    assert hand.play(once(what, work)) == b"the outcome"
    (line,) = caplog.records
    assert (line.name, line.levelname) == ("intastellar_auth", "WARNING")
    assert line.getMessage() == 'event=outcome_not_kept detail="the store does not put"'


def test_the_outcome_is_looked_for_before_the_claim(hand: Hand, what: Once) -> None:
    """P2: who comes late asks the store one question."""
    hand.play(once(what, work))
    hand.done.clear()
    hand.play(once(what, work))
    assert [one for one in hand.done if isinstance(one, Get | Add)] == [Get(f"outcome:{HIDDEN}")]


@pytest.mark.parametrize(("early", "done"), [(0.0, False), (0.001, True)])
def test_nobody_does_the_work_from_the_end_of_its_time_on(
    hand: Hand, what: Once, early: float, *, done: bool
) -> None:
    """P9: from that very second on, an earlier claim could be gone from the store."""
    late = replace(what, until=hand.clock.now + early)
    assert hand.play(once(late, work)) == (b"the outcome" if done else No.LAPSED)
