"""A session goes on: with a new cookie, unless somebody has ended it meanwhile."""

from __future__ import annotations

import pytest

from intastellar_auth.core.effects import Get
from intastellar_auth.core.session import Session

from .process import CHECK, IDLE, LIFETIME, Process


@pytest.fixture
def process() -> Process:
    return Process()


def roll(process: Process, session: Session, header: bytes) -> list[str]:
    """Return the cookies with which ``session`` goes on from now."""
    return process.hand.play(process.admissions.roll(session, header, process.hand.clock.now))


def test_a_session_in_use_goes_on_and_never_past_its_lifetime(process: Process) -> None:
    """CK-11."""
    began = process.hand.clock.now
    header = process.header(process.session())
    ended_at = 0.0
    while (admitted := process.at_once(header) or process.admit(header)) is not None:
        ended_at = process.hand.clock.now
        if ended_at >= admitted.roll_at:
            (cookie,) = roll(process, admitted.session, header)
            assert admitted.session.created == began
            header = cookie.partition(";")[0].encode()
        process.hand.clock.now += IDLE / 20
    assert LIFETIME - IDLE < ended_at - began < LIFETIME


def test_a_roll_asks_the_store_and_counts_as_a_check(process: Process) -> None:
    session = process.session()
    process.hand.clock.now += IDLE / 10
    (cookie,) = roll(process, session, b"")
    assert process.hand.kinds() == CHECK
    admitted = process.at_once(cookie.partition(";")[0].encode())
    assert admitted is not None
    assert admitted.checked == process.hand.clock.now


@pytest.mark.parametrize("here", [True, False])
def test_a_session_that_was_ended_does_not_go_on(process: Process, *, here: bool) -> None:
    """P13: ended in this process, or in another one on the same store."""
    session = process.session()
    header = process.header(session)
    process.remembered(header)
    if here:
        process.admissions.forget(session.id)
    else:
        process.end(session)
    assert roll(process, session, header) == []
    assert process.at_once(header) is None


def test_without_the_store_the_cookie_stays_as_it_is(process: Process) -> None:
    session = process.session()
    header = process.header(session)
    process.hand.refused = {Get}
    assert roll(process, session, header) == []
    assert process.at_once(header)


def test_a_session_that_has_shrunk_leaves_no_part_behind(process: Process) -> None:
    """CK-16."""
    large = process.header(process.session(groups=["a group of its own"] * 250))
    written = roll(process, process.session(), large)
    assert [one.partition("=")[0] for one in written] == [process.name, f"{process.name}.1"]
    assert "Max-Age=0" in written[1]


def test_a_session_that_runs_out_under_a_slow_request_is_not_brought_back(
    process: Process,
) -> None:
    """CK-11: nor are tokens that nobody remembers any more (P14)."""
    session = process.session()
    header = process.header(session)
    process.hand.clock.now += IDLE - 1
    assert roll(process, session, header) != []
    process.hand.clock.now += 1
    assert roll(process, session, header) == []
