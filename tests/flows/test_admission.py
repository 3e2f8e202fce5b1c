"""Who a request is from: what is remembered, for how long, and when the store is asked."""

from __future__ import annotations

import gc

import pytest

from intastellar_auth.core.effects import Get

from .process import CHECK, IDLE, INTERVAL, Process

MOST = 4096


@pytest.fixture
def process() -> Process:
    return Process()


def test_a_new_cookie_is_opened_without_asking_anyone(process: Process) -> None:
    admitted = process.at_once(process.header(process.session(email="a@example.com")))
    assert admitted is not None
    assert (admitted.user.sub, admitted.user.email) == ("alice", "a@example.com")
    assert admitted.auth.scopes == ("authenticated", "openid")
    assert admitted.roll_at == process.hand.clock.now + IDLE / 10


def test_a_cookie_that_came_twice_is_not_opened_again(process: Process) -> None:
    header = process.header(process.session())
    assert process.at_once(header)
    assert process.remembered(header) is process.at_once(b"a=b; " + header + b"; c=d")


def test_those_who_come_once_push_out_nobody_who_stays(process: Process) -> None:
    stays = process.header(process.session("stays"))
    known = process.remembered(stays)
    for number in range(2 * MOST):
        assert process.at_once(process.header(process.session(f"s-{number}")))
    assert process.at_once(stays) is known


def test_who_was_held_against_the_store_is_remembered_at_once(process: Process) -> None:
    """It would cost another question."""
    header = process.header(process.session())
    process.hand.clock.now += INTERVAL
    assert process.at_once(header) is None
    assert process.admit(header) is process.at_once(header)


def test_what_is_remembered_shows_nobodys_cookie(process: Process) -> None:
    """TM-05: it ends up in tracebacks, and so would all that this process has seen."""
    header = process.header(process.session())
    shown = repr(process.remembered(header))
    process.admissions.forget("an-ended-session")
    shown += repr(process.admissions)
    assert header[-20:].decode() not in shown
    assert "an-ended-session" not in shown
    assert "array(" not in shown


@pytest.mark.parametrize("before", [b"; ", b"x=y; ", b"x= ; ", b"a=1; __Host-other=2; "])
@pytest.mark.parametrize("after", [b"", b"; z=1", b";"])
def test_the_cookie_is_found_wherever_it_stands(
    process: Process, before: bytes, after: bytes
) -> None:
    header = before + process.header(process.session()) + after
    assert process.at_once(header)
    assert process.admit(header)


@pytest.mark.parametrize("trick", [b"x=%s", b"x%s", b"x=y %s", b"__host-intastellar=1%s"])
def test_what_only_looks_like_the_cookie_is_nobodys(process: Process, trick: bytes) -> None:
    """CK-04, CVE-2023-23934."""
    header = trick.replace(b"%s", process.header(process.session()))
    assert process.at_once(header) is None
    assert process.admit(header) is None


def test_a_space_that_a_proxy_leaves_behind_the_cookie_does_not_sign_out(process: Process) -> None:
    header = process.header(process.session()) + b" ; a=b"
    assert process.at_once(header) is None
    assert process.admit(header)


def test_a_twin_that_does_not_open_hides_nobody(process: Process) -> None:
    """CK-05, CK-06."""
    own = process.header(process.session())
    garbage = b"__Host-intastellar=1garbage"
    for header in (garbage + b"; " + own, own + b"; " + garbage):
        admitted = process.admit(header)
        assert admitted is not None
        assert admitted.user.sub == "alice"


@pytest.mark.parametrize("known", [True, False])
def test_a_twin_whose_session_has_ended_hides_nobody(process: Process, *, known: bool) -> None:
    """CK-06."""
    ended, own = process.session("s-1"), process.session("s-2")
    process.end(ended)
    if known:
        process.admissions.forget(ended.id)
    process.hand.clock.now += INTERVAL
    header = process.header(ended) + b"; " + process.header(own)
    admitted = process.admit(header)
    assert admitted is not None
    assert admitted.session.id == "s-2"


def test_a_large_session_is_put_together(process: Process) -> None:
    header = process.header(process.session(groups=["a group of its own"] * 250))
    assert header.startswith(b"__Host-intastellar=2")
    assert process.at_once(header) is None
    first, again = process.admit(header), process.admit(header)
    assert first is not None
    assert again is not None
    assert first.session is again.session
    assert process.hand.done == []
    process.hand.clock.now += INTERVAL
    for _ in range(int(INTERVAL)):
        assert process.admit(header)
        process.hand.clock.now += 1
    assert process.hand.kinds() == CHECK


def test_the_store_is_asked_once_in_an_interval(process: Process) -> None:
    header = process.header(process.session())
    for second in range(100):
        assert process.at_once(header) or process.admit(header)
        process.hand.clock.now += 1
        assert len(process.hand.done) == len(CHECK) * (second // INTERVAL)
    assert set(process.hand.kinds()) == set(CHECK)


def test_a_session_ended_elsewhere_is_admitted_no_longer_than_the_interval(
    process: Process,
) -> None:
    session = process.session()
    header = process.header(session)
    process.remembered(header)
    process.end(session)
    process.hand.clock.now += INTERVAL - 1
    assert process.at_once(header)
    process.hand.clock.now += 1
    assert process.at_once(header) is None
    assert process.admit(header) is None


def test_a_session_whose_end_is_known_is_let_go_with_all_its_cookies(process: Process) -> None:
    """An older one is due to be checked, and a newer one would be good for longer."""
    session = process.session()
    older = process.header(session)
    process.hand.clock.now += INTERVAL
    newer = process.header(session._replace(rolled=process.hand.clock.now))
    process.remembered(newer)
    process.end(session)
    assert process.admit(older) is None
    assert process.at_once(newer) is None
    process.hand.done.clear()
    assert process.admit(newer) is None
    assert process.hand.done == []


@pytest.mark.parametrize("back", [1.0, 3600.0])
def test_a_session_ended_elsewhere_is_not_admitted_for_longer_by_a_clock_set_back(
    process: Process, back: float
) -> None:
    """TM-04: in a process that knows it, and in one that does not."""
    session = process.session()
    header = process.header(session)
    process.remembered(header)
    process.end(session)
    process.hand.clock.now -= back
    assert process.at_once(header) is None
    assert process.admit(header) is None

    other = Process(process.hand)
    unknown = other.header(other.session("s-2")._replace(rolled=process.hand.clock.now + back))
    assert other.at_once(unknown) is None
    assert other.admit(unknown) is not None
    assert other.hand.kinds()[-1:] == CHECK
    assert other.at_once(unknown) is not None


def test_a_session_is_let_go_though_another_is_remembered_in_the_middle_of_it(
    process: Process,
) -> None:
    """Making a list may set off the collector, and a finalizer may let another thread in."""
    session = process.session()
    header = process.header(session)
    known = process.remembered(header)
    others = [process.header(process.session(f"o-{number}")) for number in range(50)]

    class Finalized:
        """Rubbish whose finalizer remembers somebody, and leaves more such rubbish behind."""

        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            if others:
                process.remembered(others.pop())
                Finalized()

    for number in range(1000):
        process.remembered(process.header(process.session(f"s-{number}")))
    thresholds = gc.get_threshold()
    gc.collect()
    Finalized()
    gc.set_threshold(1)
    try:
        process.admissions.forget(session.id)
    finally:
        gc.set_threshold(*thresholds)
    assert len(others) < 50, "no finalizer ran in the middle of it"
    others.clear()
    assert process.at_once(header) is None
    assert known.session.id not in {
        one.session.id for one in process.admissions._remembered.values()
    }


def test_with_an_interval_of_nought_the_store_is_asked_every_time() -> None:
    process = Process(interval=0)
    session = process.session()
    header = process.header(session)
    for _ in range(3):
        assert process.at_once(header) is None
        assert process.admit(header)
    assert process.hand.kinds() == CHECK * 3
    process.end(session)
    assert process.admit(header) is None


def test_a_store_that_is_down_signs_nobody_out(caplog: pytest.LogCaptureFixture) -> None:
    process = Process(grace=1.0)
    session = process.session()
    header = process.header(session)
    process.hand.clock.now += INTERVAL
    process.hand.refused = {Get}
    assert process.admit(header)
    assert process.at_once(header)
    assert "event=revocation_not_checked" in caplog.text
    process.end(session)
    process.hand.refused = set()
    process.hand.clock.now += INTERVAL
    assert process.admit(header) is None


def test_a_session_that_is_over_is_nobodys(process: Process) -> None:
    """CK-10: what the cookie's Max-Age says is not asked."""
    header = process.header(process.session())
    process.remembered(header)
    process.hand.clock.now += IDLE - INTERVAL + 1
    assert process.admit(header)
    process.hand.clock.now += INTERVAL - 1
    assert process.at_once(header) is None
    assert process.admit(header) is None


def test_a_session_is_let_go_at_once_in_the_process_that_ends_it(process: Process) -> None:
    session, other = process.session("s-1"), process.session("s-2")
    known, unknown = process.header(session), process.header(session)
    kept = process.header(other)
    process.remembered(known)
    process.remembered(kept)
    process.admissions.forget(session.id)
    for header in (known, unknown):
        assert process.at_once(header) is None
        assert process.admit(header) is None
    assert process.at_once(kept)
    assert len(process.admissions._remembered) == 1
    assert process.hand.done == []


def test_what_is_remembered_is_bounded(process: Process) -> None:
    first = process.header(process.session("s-0"))
    process.remembered(first)
    for number in range(1, MOST + 1):
        process.remembered(process.header(process.session(f"s-{number}")))
        process.admissions.forget(f"ended-{number}")
    process.admissions.forget("one more")
    assert len(process.admissions._remembered) == MOST
    assert len(process.admissions._ended) == MOST
    # The oldest went, and comes back when it is seen again.
    assert first.partition(b"=1")[2] not in process.admissions._remembered
    assert process.at_once(first)
    assert "ended-1" not in process.admissions._ended


def test_strangers_do_not_fill_the_memory(process: Process) -> None:
    for number in range(50):
        header = b"__Host-intastellar=1%d" % number
        assert process.at_once(header) is None
        assert process.admit(header) is None
    assert len(process.admissions._remembered) == 0
