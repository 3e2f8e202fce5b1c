"""The promise, row by row, with the outside played by hand."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from intastellar_auth.core.effects import Add, Fetch, Put

from .hand import Wanted
from .stage import (
    CODE,
    SESSION_COOKIE,
    TOKEN,
    Browser,
    Stage,
    asked_of_provider,
    header,
    location,
    make_stage,
    set_cookies,
    text,
)

TWIN_CODE = "code-of-a-preload"


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def session_id(stage: Stage, cookie: str) -> str:
    """Return the id of the session in the cookie's value."""
    found = stage.hand.play(
        stage.site.sessions.find(f"{SESSION_COOKIE}={cookie}".encode(), stage.hand.clock.now)
    )
    assert found is not None
    return found.id


def test_the_callback_once_signs_in_at_the_page_asked_for(stage: Stage) -> None:
    """P1, CB-20."""
    reply = stage.sign_in("/page?a=1#end")
    assert location(reply) == "/page?a=1#end"
    assert stage.browser.signed_in
    assert len(stage.hand.fetched(TOKEN)) == 1
    assert header(reply, "cache-control") == "no-store"


def test_many_callbacks_at_once_in_two_processes_are_one_exchange(stage: Stage) -> None:
    """P2."""
    request = stage.browser.request(stage.begin())
    other = stage.other_process()
    everyone = [one.run(request) for one in (stage, other) * 4]
    for _ in range(500):
        for running in everyone:
            if not running.ended:
                stage.hand.step(running)
    replies = [stage.hand.finish(running) for running in everyone]
    assert {location(reply) for reply in replies} == {"/page"}
    cookies = [set_cookies(reply)[SESSION_COOKIE].partition(";")[0] for reply in replies]
    assert len({session_id(stage, cookie) for cookie in cookies}) == 1
    assert len(stage.hand.fetched(TOKEN)) == 1


@pytest.mark.parametrize("query", ["", f"&code={TWIN_CODE}"], ids=["same code", "another code"])
def test_a_callback_again_within_the_window_gets_the_same_answer(stage: Stage, query: str) -> None:
    """P3, P4: even where the browser lost the first answer."""
    callback = stage.begin()
    before = dict(stage.browser.cookies)
    first = stage.go(callback)
    again = callback.replace(f"code={CODE}", query.removeprefix("&")) if query else callback
    for cookies in (before, stage.browser.cookies):
        stage.browser.cookies = dict(cookies)
        stage.hand.clock.now += 50
        reply = stage.other_process().go(again)
        assert location(reply) == location(first) == "/page"
        assert stage.browser.signed_in
    assert len(stage.hand.fetched(TOKEN)) == 1


def test_a_finished_attempt_leaves_a_receipt_and_nothing_to_finish_it_with(stage: Stage) -> None:
    """P3, CK-25."""
    callback = stage.begin()
    (name,) = stage.browser.cookies
    receipt = set_cookies(stage.go(callback))[name]
    assert "; Max-Age=120; " in receipt
    (state,) = parse_qs(urlsplit(callback).query)["state"]
    attempts = stage.site.attempts
    header = f"{name}={receipt.partition(';')[0]}".encode()
    attempt = attempts.find(header, state, attempts.read_state(state))
    assert attempt is not None
    assert attempt.finished
    assert (attempt.nonce, attempt.code_verifier) == ("", "")


def test_a_session_that_is_over_within_the_window_is_not_given_again() -> None:
    """P3, CK-10."""
    stage = make_stage(session_lifetime=60, session_idle=60)
    callback = stage.begin()
    stage.go(callback)
    stage.hand.clock.now += 60
    assert stage.go(callback).status == 400


@pytest.mark.parametrize("mode", ["cookie", "server"])
def test_a_session_in_use_that_outlives_what_its_callback_gave_is_not_lost_to_it(mode: str) -> None:
    """P3, P5: with a ``REPLAY_WINDOW`` longer than ``SESSION_IDLE``."""
    stage = make_stage(session_idle=60, session_mode=mode)
    callback = stage.begin()
    stage.go(callback)
    header = "; ".join(f"{name}={value}" for name, value in stage.browser.cookies.items()).encode()
    stage.hand.clock.now += 50
    now = stage.hand.clock.now
    session = stage.hand.play(stage.site.sessions.find(header, now))
    assert session is not None
    rolled = stage.hand.play(stage.site.sessions.rolled(session, now))
    (cookie,) = stage.site.sessions.set_cookies(rolled, header, now)
    stage.browser.cookies[SESSION_COOKIE] = cookie.partition("=")[2].partition(";")[0]
    stage.hand.clock.now += 50
    assert location(stage.go(callback)) == "/page"
    assert stage.browser.signed_in


@pytest.mark.parametrize("receipt", [True, False])
def test_a_callback_after_the_window_leads_on_while_the_session_lives(
    stage: Stage, *, receipt: bool
) -> None:
    """R9-06, P5, CB-04."""
    callback = stage.begin()
    before = dict(stage.browser.cookies)
    stage.go(callback)
    if not receipt:
        stage.browser.cookies = {**before, SESSION_COOKIE: stage.browser.cookies[SESSION_COOKIE]}
    stage.hand.clock.now += 120
    reply = stage.go(callback)
    assert location(reply) == "/page"
    assert set_cookies(reply) == {}
    assert len(stage.hand.fetched(TOKEN)) == 1


def test_after_the_window_a_browser_without_its_session_is_asked_to_sign_in(stage: Stage) -> None:
    """P7."""
    callback = stage.begin()
    before = dict(stage.browser.cookies)
    stage.go(callback)
    stage.browser.cookies = before
    stage.hand.clock.now += 120
    assert stage.go(callback).status == 400
    assert not stage.browser.signed_in


@pytest.mark.parametrize("late", [0, 200], ids=["in the window", "after it"])
def test_a_callback_after_a_logout_brings_nothing_back(stage: Stage, late: int) -> None:
    """P6."""
    callback = stage.begin()
    before = dict(stage.browser.cookies)
    stage.go(callback)
    kept = dict(stage.browser.cookies)
    stage.go("/auth/logout")
    stage.hand.clock.now += late
    for cookies in (before, kept, stage.browser.cookies):
        stage.browser.cookies = dict(cookies)
        reply = stage.other_process().go(callback)
        assert reply.status == 400
        assert "Sign in" in text(reply)
        assert set_cookies(reply) == {}
    assert len(stage.hand.fetched(TOKEN)) == 1


@pytest.mark.parametrize("finished", [True, False])
def test_the_callback_in_another_browser_never_gives_the_session(
    stage: Stage, *, finished: bool
) -> None:
    """P7, CB-03: whoever is there signs in as themselves, or is offered to."""
    callback = stage.begin()
    if finished:
        stage.go(callback)
    stage.browser = Browser()
    spent = len(stage.hand.fetched(TOKEN))
    reply = stage.go(callback)
    assert SESSION_COOKIE not in set_cookies(reply)
    assert len(stage.hand.fetched(TOKEN)) == spent
    if finished:
        assert "You are not signed in here" in text(reply)
    else:
        assert asked_of_provider(reply)["state"] not in callback


def test_a_receipt_of_another_attempt_opens_nothing(stage: Stage) -> None:
    """P7: a login cookie's name says whose it is, and so does what is sealed in it."""
    callback = stage.begin()
    (name,) = stage.browser.cookies
    stage.go(callback)
    theirs = Stage(stage.hand, stage.settings, stage.site, Browser(), stage.grants)
    theirs.begin(code="code-2")
    (own,) = theirs.browser.cookies.values()
    theirs.browser.cookies = {name: own}
    assert theirs.go(callback).status == 400


@pytest.mark.parametrize("late", [0, 1800], ids=["cookie lost", "too late"])
def test_a_stale_sign_in_starts_again_once_and_ends_where_it_was_going(
    stage: Stage, late: int
) -> None:
    """P8."""
    callback = stage.begin("/page?a=1")
    if not late:
        stage.browser.cookies.clear()
    stage.hand.clock.now += late
    again = stage.go(callback)
    assert len(stage.hand.fetched(TOKEN)) == 0
    second = stage.approve(again, "code-2", {"iat": stage.hand.clock.now})
    if late:
        stage.grants["code-2"]["exp"] = stage.hand.clock.now + 300
    assert location(stage.go(second)) == "/page?a=1"


@pytest.mark.parametrize("late", [0, 1800], ids=["cookie lost", "too late"])
def test_the_second_failure_is_a_page(stage: Stage, late: int) -> None:
    """P8: a browser that keeps no cookies would be sent around for ever."""
    callback = stage.begin()
    for attempt in range(2):
        stage.hand.clock.now += late
        if not late:
            stage.browser.cookies.clear()
        reply = stage.go(callback)
        if attempt == 0:
            callback = stage.approve(reply, "code-2", {})
    assert reply.status == 400
    assert "This sign-in has expired" in text(reply)
    assert stage.hand.fetched(TOKEN) == []


def test_a_stale_sign_in_in_a_browser_that_is_signed_in_leads_on(stage: Stage) -> None:
    """P8, P11: another tab was quicker."""
    stale = stage.begin("/one")
    stage.sign_in("/two", code="code-2")
    stage.hand.clock.now += 1800
    assert location(stage.go(stale)) == "/one"


def test_a_path_too_long_for_state_comes_back_by_the_cookie(stage: Stage) -> None:
    path = f"/{'a' * 300}"
    assert location(stage.sign_in(path)) == path
    callback = stage.begin(path, code="code-2")
    stage.browser.cookies.clear()
    again = stage.approve(stage.go(callback), "code-3", {})
    assert location(stage.go(again)) == "/"


def test_a_worker_that_dies_in_mid_exchange_starts_the_sign_in_again(stage: Stage) -> None:
    """P9."""
    request = stage.browser.request(stage.begin())
    worker, other = stage.run(request), stage.other_process().run(request)
    stage.hand.until(worker, Add)
    stage.hand.step(worker)
    assert isinstance(worker.wants, Fetch)
    stage.hand.crash(worker)
    assert asked_of_provider(stage.hand.finish(other))
    assert stage.hand.fetched(TOKEN) == []


@pytest.mark.parametrize("kind", [Fetch, Add, Put])
def test_the_exchange_finishes_though_the_client_hangs_up(stage: Stage, kind: type[Wanted]) -> None:
    """P10."""
    callback = stage.begin()
    running = stage.run(stage.browser.request(callback))
    stage.hand.until(running, Add)
    stage.hand.until(running, kind)
    stage.hand.hang_up(running)
    stage.hand.finish(running)
    assert location(stage.go(callback)) == "/page"
    assert len(stage.hand.fetched(TOKEN)) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_tabs_sign_in_in_any_order_and_each_lands_where_it_wanted(
    stage: Stage, order: tuple[int, ...]
) -> None:
    """P11, CB-23."""
    callbacks = [stage.begin(f"/tab-{tab}", code=f"code-{tab}") for tab in range(3)]
    for tab in order:
        assert location(stage.go(callbacks[tab])) == f"/tab-{tab}"
    assert len(stage.hand.fetched(TOKEN)) == 3
