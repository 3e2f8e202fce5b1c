"""A store that is down: who stays signed in, for how long, and what the log and the store see."""

from __future__ import annotations

import pytest

from intastellar_auth.core.effects import Get, GetMany
from intastellar_auth.errors import StoreUnavailable

from .process import INTERVAL, Process

GRACE = 600.0
# Seconds after which a store that is down is asked once more.
AGAIN = 3.0


@pytest.fixture
def process() -> Process:
    return Process(grace=GRACE)


def asked(process: Process) -> int:
    """Return how often the store was asked."""
    return process.hand.kinds().count(GetMany)


def test_a_session_is_believed_for_a_while(process: Process) -> None:
    header = process.header(process.session())
    process.hand.refused = {Get}
    process.hand.clock.now += INTERVAL + GRACE - 1
    assert process.admit(header) is not None
    process.hand.clock.now += 1
    with pytest.raises(StoreUnavailable, match="STORE_GRACE"):
        process.admit(header)


def test_a_process_that_stands_still_over_its_question_gives_no_more_time(process: Process) -> None:
    header = process.header(process.session())
    process.hand.clock.now += INTERVAL
    asking = process.hand.start(process.admissions.admit(header, process.hand.clock.now))
    process.hand.refused = {Get}
    process.hand.clock.now += GRACE
    with pytest.raises(StoreUnavailable, match="STORE_GRACE"):
        process.hand.finish(asking)


def test_all_is_as_before_when_the_store_is_back(process: Process) -> None:
    header = process.header(process.session())
    process.hand.refused = {Get}
    process.hand.clock.now += INTERVAL + GRACE
    with pytest.raises(StoreUnavailable):
        process.admit(header)
    process.hand.refused = set()
    process.hand.clock.now += AGAIN
    assert process.admit(header) is not None


def test_a_store_that_is_down_is_asked_now_and_then_and_not_at_every_request(
    process: Process,
) -> None:
    headers = [process.header(process.session(f"s-{number}")) for number in range(20)]
    process.hand.refused = {Get}
    process.hand.clock.now += INTERVAL
    for times in range(1, 4):
        for header in headers:
            assert (process.at_once(header) or process.admit(header)) is not None
            assert process.at_once(header) is not None, "the next request pays nothing"
        assert asked(process) == times
        process.hand.clock.now += AGAIN


def test_one_request_at_a_time_waits_for_a_store_that_says_nothing(process: Process) -> None:
    """The others go on: a site with a silent store is as fast as it was."""
    headers = [process.header(process.session(f"s-{number}")) for number in range(3)]
    process.hand.refused = {Get}
    process.hand.clock.now += INTERVAL
    process.admit(headers[0])
    process.hand.clock.now += AGAIN
    admissions, now = process.admissions, process.hand.clock.now
    waiting = process.hand.start(admissions.admit(headers[1], now))
    assert isinstance(waiting.wants, GetMany)
    assert process.hand.start(admissions.admit(headers[2], now)).ended
    process.hand.clock.now += 2
    assert process.hand.finish(waiting) is not None
    assert process.at_once(headers[1]) is not None


def test_a_clock_that_is_set_back_does_not_keep_the_store_from_being_asked(
    process: Process,
) -> None:
    """TM-04."""
    session = process.session()
    header = process.header(session)
    process.hand.clock.now += INTERVAL
    process.hand.refused = {Get}
    assert process.admit(header) is not None
    process.end(session)
    process.hand.refused = set()
    process.hand.clock.now -= INTERVAL + 1
    assert process.at_once(header) is None
    assert process.admit(header) is None


def test_an_outage_of_long_ago_keeps_nobody_out(process: Process) -> None:
    """Nobody has asked since: of those who now come at once, all are let in."""
    headers = [process.header(process.session(f"s-{number}")) for number in range(3)]
    process.hand.refused = {Get}
    process.hand.clock.now += INTERVAL
    process.admit(headers[0])
    process.hand.refused = set()
    process.hand.clock.now += INTERVAL + GRACE
    admissions, now = process.admissions, process.hand.clock.now
    asking = [process.hand.start(admissions.admit(header, now)) for header in headers]
    assert all(process.hand.finish(one) for one in asking)


def test_the_log_hears_of_it_once_an_interval(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    header = process.header(process.session())
    process.hand.refused = {Get}
    process.hand.clock.now += INTERVAL
    for _ in range(60):
        process.admit(header)
        process.hand.clock.now += 1
    assert caplog.text.count("event=revocation_not_checked") == 60 / INTERVAL


def test_a_roll_waits_until_the_store_is_back(process: Process) -> None:
    session = process.session()
    header = process.header(session)
    process.hand.refused = {Get}
    process.hand.clock.now += 1000

    def roll() -> list[str]:
        now = process.hand.clock.now
        return process.hand.play(process.admissions.roll(session, header, now))

    assert roll() == roll() == []
    assert asked(process) == 1
    process.hand.refused = set()
    process.hand.clock.now += AGAIN
    assert roll() != []
    assert asked(process) == 2
    # The store has answered: from now on everyone asks.
    process.admit(process.header(session))
    assert asked(process) == 3


def test_when_the_store_has_answered_one_everyone_asks(process: Process) -> None:
    headers = [process.header(process.session(f"s-{number}")) for number in range(3)]
    process.hand.refused = {Get}
    process.hand.clock.now += INTERVAL
    process.admit(headers[0])
    process.hand.refused = set()
    process.hand.clock.now += AGAIN
    for header in headers:
        assert process.admit(header) is not None
    assert asked(process) == 1 + len(headers)
