"""``SESSION_MODE=server``: an id in the cookie, and nothing that anyone could make of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core.effects import Delete, Get, GetMany, Put
from intastellar_auth.core.session import Session
from intastellar_auth.errors import StoreUnavailable

from .refreshing import Visit, visiting
from .stage import NAVIGATION, SESSION_COOKIE, Stage, make_stage

GRACE, INTERVAL = 900, 30


@pytest.fixture
def stage() -> Stage:
    return make_stage(session_mode="server")


def user(one: Visit) -> str | None:
    """Return who the request is from."""
    return one.admitted.user.sub if one.admitted else None


def entry(stage: Stage, before: int) -> str:
    """Return the store's key of the session that was written since ``before``."""
    (written,) = (
        one.key
        for one in stage.hand.done[before:]
        if isinstance(one, Put) and one.key.startswith("session:")
    )
    return written


def test_the_cookie_holds_no_more_than_a_signed_id(stage: Stage) -> None:
    stage.sign_in()
    value = stage.browser.cookies[SESSION_COOKIE]
    assert len(value) < 80
    assert user(visiting(stage.other_process())) == "alice"


def test_each_sign_in_has_an_id_of_its_own(stage: Stage) -> None:
    """CS-01: nobody can fix a session beforehand."""
    stage.sign_in()
    first = stage.browser.cookies[SESSION_COOKIE]
    stage.sign_in(code="code-2")
    assert stage.browser.cookies[SESSION_COOKIE] != first


@given(
    st.text("abcdefABCDEF0123456789-_.=", max_size=80)
    | st.text(max_size=80).filter(lambda text: ";" not in text)
)
def test_a_made_up_id_costs_the_store_nothing(made_up: str) -> None:
    """SS-07: the signature is looked at first."""
    stage = make_stage(session_mode="server")
    for text in (made_up, f"1{made_up}"):
        header = f"{SESSION_COOKIE}={text}".encode("utf-8", "surrogatepass")
        assert stage.hand.play(stage.site.admissions.admit(header, stage.hand.clock.now)) is None
    assert stage.hand.done == []


@pytest.mark.parametrize("more", ["=", "~", "."])
def test_an_id_has_one_cookie(more: str, stage: Stage) -> None:
    """CK-07: no other spelling of its signature costs the store anything."""
    stage.sign_in()
    done = len(stage.hand.done)
    text = stage.browser.cookies[SESSION_COOKIE] + more
    assert visiting(stage.other_process(), cookies={SESSION_COOKIE: text}).admitted is None
    assert len(stage.hand.done) == done


def test_an_id_signed_for_another_site_is_made_up(stage: Stage) -> None:
    stage.sign_in()
    other = make_stage(session_mode="server", client_id="another")
    assert visiting(other, cookies=stage.browser.cookies).admitted is None
    assert other.hand.done == []


def test_an_id_that_an_older_key_has_signed_is_good(stage: Stage) -> None:
    """CK rows: rotation signs nobody out."""
    stage.sign_in()
    old = "a key of this site that is long enough to be one"
    new = "another key of this site, just as long as it has to be"
    rotated = make_stage(session_mode="server", secret_keys=[new, old])
    rotated.hand.store = stage.hand.store
    assert user(visiting(rotated, cookies=stage.browser.cookies)) == "alice"
    newest = make_stage(session_mode="server", secret_keys=[new])
    newest.hand.store = stage.hand.store
    assert visiting(newest, cookies=stage.browser.cookies).admitted is None


def test_a_session_that_is_remembered_costs_the_store_nothing(stage: Stage) -> None:
    stage.sign_in()
    visiting(stage).answer()
    before = len(stage.hand.done)
    header = f"{SESSION_COOKIE}={stage.browser.cookies[SESSION_COOKIE]}".encode()
    assert stage.site.admissions.at_once(header, stage.hand.clock.now) is not None
    assert stage.other_process().site.admissions.at_once(header, stage.hand.clock.now) is None
    assert len(stage.hand.done) == before


def test_a_session_that_cannot_be_read_is_told_to_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.sign_in()
    other = stage.other_process()
    other.hand.refused = {Get}
    header = f"{SESSION_COOKIE}={stage.browser.cookies[SESSION_COOKIE]}".encode()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            other.hand.play(other.site.admissions.admit(header, other.hand.clock.now))
    assert caplog.text.count("event=revocation_not_checked") == 1


def test_a_session_is_read_again_when_its_check_is_due(stage: Stage) -> None:
    stage.sign_in()
    visiting(stage).answer()
    stage.hand.clock.now += INTERVAL
    before = len(stage.hand.done)
    assert user(visiting(stage)) == "alice"
    assert stage.hand.kinds()[before:] == [GetMany]


def test_a_logout_removes_the_session_and_every_process_sees_it(stage: Stage) -> None:
    stage.sign_in()
    other = stage.other_process()
    assert user(visiting(other)) == "alice"
    cookies = dict(stage.browser.cookies)
    before = len(stage.hand.done)
    stage.go("/auth/logout")
    assert stage.hand.kinds()[before:].count(Delete) == 2
    stage.hand.clock.now += INTERVAL
    assert visiting(other, cookies=cookies).admitted is None
    assert visiting(stage.other_process(), cookies=cookies).admitted is None


def test_a_session_that_is_gone_from_the_store_has_ended(stage: Stage) -> None:
    """An operator may remove entries by hand."""
    before = len(stage.hand.done)
    stage.sign_in()
    assert user(visiting(stage)) == "alice"
    stage.hand.store.delete(entry(stage, before))
    stage.hand.clock.now += INTERVAL
    assert visiting(stage).admitted is None


def test_p13_a_slow_request_that_keeps_a_session_anew_keeps_a_dead_one(stage: Stage) -> None:
    """P13: the logout comes between the question and the writing."""
    stage.sign_in()
    stage.hand.clock.now += 400
    slow = visiting(stage.other_process())
    assert user(slow) == "alice"
    rolling = stage.hand.start(slow.front.roll(slow.admitted.session, slow.header))  # type: ignore[union-attr]
    stage.hand.until(rolling, Put)
    cookies = dict(stage.browser.cookies)
    stage.go("/auth/logout")
    stage.hand.finish(rolling)
    assert visiting(stage.other_process(), cookies=cookies).admitted is None


def test_a_roll_is_seen_by_other_processes(stage: Stage) -> None:
    stage.sign_in()
    for _ in range(30):
        stage.hand.clock.now += 10_000
        one = visiting(stage.other_process())
        assert user(one) == "alice"
        one.answer()


def test_a_session_in_use_goes_on_in_a_process_that_saw_it_begin() -> None:
    """CK-11: its cookie is the same text all the time, and what it leads to is not."""
    stage = make_stage(session_mode="server", session_idle=3600)
    stage.sign_in()
    for _ in range(20):
        one = visiting(stage)
        assert user(one) == "alice"
        one.answer()
        stage.hand.clock.now += 2000


def test_a_session_without_requests_leaves_nothing_in_the_store(stage: Stage) -> None:
    """SS rows: every entry has an end."""
    before = len(stage.hand.done)
    stage.sign_in()
    stage.hand.clock.now += 86_400
    assert stage.hand.store.get(entry(stage, before)) is None
    assert visiting(stage.other_process()).admitted is None


@pytest.mark.parametrize("value", [b"", b"garbage", b"\x01" * 60])
def test_what_the_store_holds_opens_or_is_nobodys(stage: Stage, value: bytes) -> None:
    """SS-09: the store's contents are hostile."""
    before = len(stage.hand.done)
    stage.sign_in()
    stage.hand.store.put(entry(stage, before), value, 1000)
    assert visiting(stage.other_process()).admitted is None


def test_entries_that_were_swapped_in_the_store_are_nobodys(stage: Stage) -> None:
    """Whoever may write the store must not become somebody else by it."""
    first = len(stage.hand.done)
    stage.sign_in()
    alice, hers = dict(stage.browser.cookies), entry(stage, first)
    second = len(stage.hand.done)
    stage.sign_in(code="code-2", sub="bob", name="B", email="b@example.com", email_verified=True)
    mine, other = entry(stage, second), stage.hand.store.get(hers)
    assert other is not None
    stage.hand.store.put(mine, other, 1000)
    assert visiting(stage.other_process()).admitted is None
    assert user(visiting(stage.other_process(), cookies=alice)) == "alice"


def test_a_store_that_is_down_signs_out_nobody_whom_this_process_knows(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """For STORE_GRACE seconds beyond the check."""
    stage.sign_in()
    assert user(visiting(stage)) == "alice"
    stage.hand.refused = {Get}
    for _ in range(INTERVAL):
        stage.hand.clock.now += GRACE / INTERVAL
        assert user(visiting(stage)) == "alice"
    assert caplog.text.count("event=revocation_not_checked") <= INTERVAL
    stage.hand.clock.now += INTERVAL
    with pytest.raises(StoreUnavailable):
        visiting(stage).admitted  # noqa: B018  it is played when it is asked for
    stage.hand.refused = set()
    stage.hand.clock.now += 3
    assert user(visiting(stage)) == "alice"


def test_a_session_that_this_process_does_not_know_needs_the_store(stage: Stage) -> None:
    stage.sign_in()
    stage.hand.refused = {Get}
    fresh = stage.other_process()
    with pytest.raises(StoreUnavailable):
        visiting(fresh).admitted  # noqa: B018
    reply = visiting(fresh).front.refuse(
        stage.browser.request("/members", headers=NAVIGATION), "/members", StoreUnavailable("down")
    )
    assert reply.status == 503


def test_a_logout_signs_the_browser_out_when_the_store_is_down(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.sign_in()
    stage.hand.refused = {Get, Put, Delete}
    stage.go("/auth/logout")
    assert not stage.browser.signed_in
    assert "event=logout_not_recorded" in caplog.text


def test_a_sign_in_whose_session_cannot_be_kept_starts_again(stage: Stage) -> None:
    """P9's like: the code is spent, the visitor notices nothing."""
    callback = stage.begin()
    running = stage.run(stage.browser.request(callback))
    wanted = stage.hand.until(running, Put)
    assert isinstance(wanted, Put)
    assert wanted.key.startswith("session:")
    stage.hand.refused = {Put}
    reply = stage.browser.keep(stage.hand.finish(running))
    assert reply.status == 303
    stage.hand.refused = set()
    assert stage.go(stage.approve(reply, "code-2", {})).status == 303
    assert user(visiting(stage)) == "alice"


def test_a_session_is_no_tuple_in_a_traceback() -> None:
    """TM-05."""
    assert repr(Session("an-id", "alice", "https://i.example", 0, 0)) == (
        "Session(iss='https://i.example')"
    )
