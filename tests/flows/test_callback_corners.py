"""The callback where little is left: of the attempt's time, of its outcome, of the navigation."""

from __future__ import annotations

from intastellar_auth.core.effects import Add
from intastellar_auth.core.outcome import Outcome, encode_outcome
from intastellar_auth.errors import ProviderUnreachable
from tests.oidc.forge import NOW

from .kept_outcome import keep_outcome
from .stage import DISCOVERY, TOKEN, location, make_stage, set_cookies, text


def test_an_outcome_without_session_or_failure_signs_nobody_in() -> None:
    """P6: what another version meant by it is not for us to guess."""
    stage = make_stage()
    callback = stage.begin()
    keep_outcome(stage, callback, encode_outcome(Outcome()))
    reply = stage.go(callback)
    assert reply.status == 400
    assert "You are not signed in here" in text(reply)
    assert set_cookies(reply) == {}
    assert stage.hand.fetched(TOKEN) == []


def test_a_claim_made_in_the_last_moment_lasts_for_that_moment_and_its_answer() -> None:
    """P9: the lease of 25 seconds, the window of 120, and what was left for the attempt."""
    stage = make_stage()
    late = NOW + 1799.5
    callback = stage.begin(iat=late, exp=late + 300)
    stage.hand.clock.now = late
    assert location(stage.go(callback)) == "/page"
    assert [one.ttl for one in stage.hand.done if isinstance(one, Add)] == [0.5 + 25 + 120]


def test_the_step_to_a_page_with_strict_cookies_is_a_page_that_says_so() -> None:
    """CK-21: a visitor whose browser does not go on by itself has a link."""
    reply = make_stage(cookie_samesite="strict").sign_in("/page?a=1")
    shown = text(reply)
    assert shown.startswith("<!doctype html>")
    assert 'href="/page?a=1"' in shown


def test_a_callback_that_came_in_time_is_finished_though_the_store_is_slow() -> None:
    """P9: within the lease nobody else can have finished it without leaving a claim."""
    stage = make_stage()
    end = NOW + 1800
    callback = stage.begin(iat=end, exp=end + 300)
    stage.hand.clock.now = end - 1
    running = stage.run(stage.browser.request(callback))
    stage.hand.until(running, Add)
    stage.hand.clock.now = end + 20
    assert location(stage.hand.finish(running)) == "/page"
    assert len(stage.hand.fetched(TOKEN)) == 1


def test_an_error_page_leads_to_a_page_whose_path_only_the_cookie_has_room_for() -> None:
    """P8: the provider is down, and the visitor tries again from the page that says so."""
    stage = make_stage()
    path = f"/{'a' * 300}"
    callback = stage.begin(path)
    late = stage.other_process()
    stage.hand.say(DISCOVERY, ProviderUnreachable("nobody"))
    reply = late.go(callback)
    assert reply.status == 503
    assert f"/auth/login?next={path}" in text(reply)
