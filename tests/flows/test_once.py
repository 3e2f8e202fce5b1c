"""Exactly once, step by step: who does the work, who waits, and what each of them is told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from intastellar_auth.core.effects import (
    Add,
    Delete,
    Effect,
    Flow,
    Get,
    Pause,
    Put,
    Unbroken,
    pause,
)
from intastellar_auth.core.once import No, Once, Work, once, recall, was_claimed
from intastellar_auth.core.seal import make_sealer
from intastellar_auth.errors import StoreUnavailable

from .hand import Hand, make_token_bytes

LEASE, WINDOW, LASTS = 25.0, 120.0, 2000.0


@dataclass(slots=True)
class Task:
    """A piece of work that takes a second, and how often it was begun and done."""

    happens: bool = True
    outcome: bytes = b"the outcome"
    begun: int = 0
    done: list[bytes] = field(default_factory=list)

    def __call__(self) -> Flow[Work]:
        """Do the work."""
        self.begun += 1
        yield from pause(1.0)
        if self.happens:
            self.done.append(self.outcome)
        return Work(self.outcome, happened=self.happens)


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def what(hand: Hand) -> Once:
    return Once(
        name=b"attempt",
        secret=b"known to this browser",
        lease=LEASE,
        window=WINDOW,
        lasts=LASTS,
        clock=hand.clock,
        token_bytes=make_token_bytes(),
    )


def test_the_first_to_ask_does_the_work_and_records_it(hand: Hand, what: Once) -> None:
    task = Task()
    assert hand.play(once(what, task)) == b"the outcome"
    assert task.begun == 1
    assert hand.kinds() == [Unbroken, Get, Add, Pause, Put, Put]


def test_whoever_asks_later_gets_the_same_outcome_without_the_work(hand: Hand, what: Once) -> None:
    """P3."""
    task = Task()
    hand.play(once(what, task))
    assert hand.play(once(what, task)) == hand.play(recall(what)) == b"the outcome"
    assert task.begun == 1


def test_whoever_asks_meanwhile_waits_for_the_outcome(hand: Hand, what: Once) -> None:
    """P2."""
    task = Task()
    winner, other = hand.start(once(what, task)), hand.start(once(what, task))
    hand.until(winner, Pause)
    for _ in range(3):
        hand.until(other, Pause)
        hand.step(other)
    assert hand.finish(winner) == hand.finish(other) == b"the outcome"
    assert task.begun == 1


def test_those_who_wait_ask_less_and_less_often(hand: Hand, what: Once) -> None:
    hand.until(hand.start(once(what, Task())), Pause)
    waiting = hand.start(once(what, Task()))
    pauses: list[float] = []
    while not waiting.ended:
        if isinstance(waiting.wants, Pause):
            pauses.append(waiting.wants.seconds)
        hand.step(waiting)
    assert pauses == sorted(pauses)
    assert pauses[0] == 0.01
    assert pauses[-1] == 0.25
    assert waiting.result is No.LAPSED


def test_nobody_takes_over_when_the_worker_dies(hand: Hand, what: Once) -> None:
    """P9: the code may have been sent."""
    task = Task()
    worker = hand.start(once(what, task))
    hand.until(worker, Pause)
    assert task.begun == 1
    hand.crash(worker)
    began = hand.clock.now
    assert hand.play(once(what, task)) is No.LAPSED
    assert LEASE <= hand.clock.now - began < LEASE + 0.5
    assert hand.play(once(what, task)) is No.LAPSED
    assert task.begun == 1


def test_a_lapsed_claim_is_told_at_once(hand: Hand, what: Once) -> None:
    worker = hand.start(once(what, Task()))
    hand.until(worker, Pause)
    hand.crash(worker)
    hand.clock.now += LEASE
    hand.done.clear()
    assert hand.play(once(what, Task())) is No.LAPSED
    assert Pause not in hand.kinds()


def test_the_work_goes_on_when_the_request_is_given_up(hand: Hand, what: Once) -> None:
    """P10."""
    task = Task()
    request = hand.start(once(what, task))
    hand.until(request, Pause)
    hand.hang_up(request)
    hand.finish(request)
    assert task.done == [b"the outcome"]
    assert hand.play(once(what, task)) == b"the outcome"
    assert task.begun == 1


def test_a_request_given_up_before_the_claim_is_answered_all_the_same(
    hand: Hand, what: Once
) -> None:
    """P10: a claim without its work would cost the visitor the sign-in."""
    task = Task()
    request = hand.start(once(what, task))
    hand.hang_up(request)
    hand.finish(request)
    assert task.done == [b"the outcome"]


def test_after_the_window_the_outcome_is_over_and_the_work_is_not_done_again(
    hand: Hand, what: Once
) -> None:
    """P5."""
    task = Task()
    hand.play(once(what, task))
    hand.clock.now += WINDOW
    assert hand.play(once(what, task)) is No.WINDOW_OVER
    assert hand.play(recall(what)) is No.WINDOW_OVER
    assert task.begun == 1


def test_an_outcome_written_between_two_looks_is_found(hand: Hand, what: Once) -> None:
    """The outcome is recorded before the claim says that it is."""
    winner, other = hand.start(once(what, Task())), hand.start(once(what, Task()))
    hand.until(winner, Pause)
    hand.until(other, Add)
    hand.finish(winner)
    assert hand.finish(other) == b"the outcome"
    assert hand.kinds()[-3:] == [Add, Get, Get]


def test_work_that_surely_did_not_happen_may_be_done_again(hand: Hand, what: Once) -> None:
    """P9: the request never left."""
    failing, working = Task(happens=False, outcome=b"unreachable"), Task()
    assert hand.play(once(what, failing)) == b"unreachable"
    hand.clock.now += 1.0
    assert hand.play(once(what, working)) == b"the outcome"
    assert working.done == [b"the outcome"]
    assert hand.play(once(what, failing)) == b"the outcome"


def test_those_who_wait_for_withdrawn_work_are_told_why_and_do_not_try_it(
    hand: Hand, what: Once
) -> None:
    """A provider that cannot be reached is not tried once for each of them, one after another."""
    task = Task(happens=False, outcome=b"unreachable")
    winner, other = hand.start(once(what, task)), hand.start(once(what, task))
    hand.until(winner, Pause)
    hand.until(other, Pause)
    assert hand.finish(winner) == hand.finish(other) == b"unreachable"
    assert task.begun == 1


def test_a_store_that_is_down_before_the_claim_leaves_everything_undone(
    hand: Hand, what: Once
) -> None:
    task = Task()
    hand.refused = {Add}
    with pytest.raises(StoreUnavailable):
        hand.play(once(what, task))
    assert task.begun == 0
    hand.refused = set()
    assert hand.play(once(what, task)) == b"the outcome"


def test_a_claim_whose_answer_is_lost_is_not_left_without_its_work(hand: Hand, what: Once) -> None:
    """P9: a store that carries the claim out and says nothing would hold up everyone after it."""
    task = Task()
    claiming = hand.start(once(what, task))
    claim = hand.until(claiming, Add)
    assert isinstance(claim, Add)
    hand.store.add(claim.key, claim.value, claim.ttl)
    hand.refused = {Add}
    assert hand.finish(claiming) == b"the outcome"
    assert len(task.done) == 1


def test_anothers_claim_is_not_taken_for_ones_own_when_the_answer_is_lost(
    hand: Hand, what: Once
) -> None:
    """P2."""
    task, others = Task(), Task()
    claiming = hand.start(once(what, task))
    hand.until(claiming, Add)
    hand.until(hand.start(once(what, others)), Pause)
    hand.refused = {Add}
    with pytest.raises(StoreUnavailable):
        hand.finish(claiming)
    assert task.begun == 0


@pytest.mark.parametrize("happens", [True, False])
@pytest.mark.parametrize("refused", [{Put}, {Put, Delete, Get}], ids=["writes", "all"])
def test_a_store_that_fails_after_the_work_does_not_cost_the_winner_its_answer(
    hand: Hand,
    what: Once,
    caplog: pytest.LogCaptureFixture,
    refused: set[type[Effect]],
    *,
    happens: bool,
) -> None:
    task = Task(happens=happens)
    winner = hand.start(once(what, task))
    hand.until(winner, Pause)
    hand.refused = refused
    assert hand.finish(winner) == b"the outcome"
    assert "event=outcome_not_kept" in caplog.text
    hand.refused = set()
    assert hand.play(once(what, task)) is No.LAPSED
    assert task.begun == 1


def test_an_outcome_for_another_secret_is_as_good_as_none(hand: Hand, what: Once) -> None:
    """P7: who has the callback's URL alone has no key to what came of it."""
    hand.play(once(what, Task()))
    stranger = replace(what, secret=b"guessed by a stranger")
    task = Task()
    assert hand.play(recall(stranger)) is No.WINDOW_OVER
    assert hand.play(once(stranger, task)) is No.LAPSED
    assert task.begun == 0


def test_what_is_stored_says_neither_what_it_is_nor_whose(hand: Hand, what: Once) -> None:
    hand.play(once(what, Task()))
    written = [one for one in hand.done if isinstance(one, Put | Add)]
    assert len(written) == 3
    for one in written:
        assert b"outcome" not in one.value
        assert "attempt" not in one.key


def test_what_is_done_once_shows_no_secret(what: Once) -> None:
    """TM-05: it ends up in tracebacks, and so does what came of it."""
    shown = repr(what) + repr(Work(b"an outcome"))
    assert "known to this browser" not in shown
    assert "attempt" not in shown
    assert "an outcome" not in shown


def test_a_claim_is_kept_for_as_long_as_anyone_could_ask(hand: Hand, what: Once) -> None:
    hand.play(once(what, Task()))
    kept = {(type(one), one.ttl) for one in hand.done if isinstance(one, Put | Add)}
    assert kept == {(Add, LASTS), (Put, LASTS), (Put, WINDOW)}


def test_a_claim_is_seen_from_when_it_is_made(hand: Hand, what: Once) -> None:
    assert not hand.play(was_claimed(b"attempt"))
    winner = hand.start(once(what, Task()))
    hand.until(winner, Pause)
    assert hand.play(was_claimed(b"attempt"))
    hand.finish(winner)
    hand.clock.now += WINDOW
    assert hand.play(was_claimed(b"attempt"))
    assert not hand.play(was_claimed(b"another"))


def test_a_claim_of_another_version_is_a_claim_all_the_same(hand: Hand, what: Once) -> None:
    """Two versions share a store while a new one is rolled out: neither does the other's work."""
    task = Task()
    worker = hand.start(once(what, task))
    hand.until(worker, Pause)
    (claim,) = (one for one in hand.done if isinstance(one, Add))
    theirs = make_sealer([what.secret], ["outcome"], what.token_bytes).seal(b"\xc1")
    hand.store.put(claim.key, theirs, LASTS)
    assert hand.play(once(what, task)) is No.LAPSED
    assert task.begun == 1
