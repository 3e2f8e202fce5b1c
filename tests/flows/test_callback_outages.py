"""A callback while the store or the provider is down: what it costs, and what it does not."""

from __future__ import annotations

import pytest

from intastellar_auth.core.effects import Add, Get, Pause, Put
from intastellar_auth.core.seal import make_sealer
from intastellar_auth.errors import ProviderTimeout

from .hand import make_token_bytes
from .stage import (
    DISCOVERY,
    JWKS,
    SESSION_COOKIE,
    TOKEN,
    Stage,
    asked_of_provider,
    location,
    make_stage,
    query,
    text,
)

DOWN = ProviderTimeout("accounts.example: no answer within 10 s")


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def test_a_provider_that_is_down_costs_nobody_the_code(stage: Stage) -> None:
    """P9: what can fail without the code is fetched before it is claimed."""
    callback = stage.begin()
    elsewhere = stage.other_process()
    for url in (DISCOVERY, JWKS):
        good = stage.hand.said[url]
        stage.hand.say(url, DOWN)
        assert elsewhere.go(callback).status == 503
        assert Add not in stage.hand.kinds()
        stage.hand.said[url] = good
        stage.hand.clock.now += 1
    assert location(elsewhere.go(callback)) == "/page"


def test_a_store_that_is_down_costs_nobody_the_code(stage: Stage) -> None:
    callback = stage.begin()
    stage.hand.refused = {Add, Get}
    assert stage.go(callback).status == 503
    assert stage.hand.fetched(TOKEN) == []
    stage.hand.refused = set()
    assert location(stage.go(callback)) == "/page"


def test_a_store_that_fails_after_the_exchange_costs_nobody_the_sign_in(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    callback = stage.begin()
    running = stage.run(stage.browser.request(callback))
    stage.hand.until(running, Put)
    stage.hand.refused = {Get, Put}
    reply = stage.browser.keep(stage.hand.finish(running))
    assert location(reply) == "/page"
    assert stage.browser.signed_in
    assert "event=revocation_not_checked" in caplog.text


def test_a_claim_outlives_every_cookie_that_could_ask_again(stage: Stage) -> None:
    """A login cookie that is good for longer than the claim would send the code a second time."""
    callback = stage.begin()
    stage.hand.clock.now += 1000
    stage.go(callback)
    opens = {one.ttl for one in stage.hand.done if isinstance(one, Add)}
    assert opens == {1800 - 1000 + 25 + 120}
    assert max(one.ttl for one in stage.hand.done if isinstance(one, Put)) == opens.pop()


def test_nobody_waits_for_a_winner_longer_than_the_provider_may_take(stage: Stage) -> None:
    request = stage.browser.request(stage.begin())
    worker, other = stage.run(request), stage.run(request)
    stage.hand.until(worker, Add)
    stage.hand.step(worker)
    began = stage.hand.clock.now
    stage.hand.finish(other)
    assert Pause in stage.hand.kinds()
    assert stage.hand.clock.now - began <= 2 * stage.settings.http_timeout + 6


def test_an_outcome_of_another_version_starts_the_sign_in_again(stage: Stage) -> None:
    """Two versions share a store while a new one is rolled out."""
    callback = stage.begin()
    state = query(callback)["state"]
    cookies = "; ".join(f"{name}={value}" for name, value in stage.browser.cookies.items())
    attempt = stage.site.attempts.find(
        cookies.encode(), state, stage.site.attempts.read_state(state)
    )
    assert attempt is not None
    stage.go(callback)
    stage.browser.cookies.pop(SESSION_COOKIE)
    (outcome,) = (one for one in stage.hand.done if isinstance(one, Put) and one.ttl == 120)
    theirs = make_sealer([attempt.receipt], ["outcome"], make_token_bytes()).seal(b"\xc1")
    stage.hand.store.put(outcome.key, theirs, 120.0)
    assert asked_of_provider(stage.go(callback))
    assert len(stage.hand.fetched(TOKEN)) == 1


def test_the_page_that_says_so_leads_on_to_where_the_visitor_was_going(stage: Stage) -> None:
    callback = stage.begin("/page?a=1")
    stage.hand.refused = {Add, Get}
    assert 'href="/auth/login?next=/page%3Fa%3D1"' in text(stage.go(callback))
    assert 'href="/auth/login?next=/"' in text(stage.go("/auth/callback?code=c-1&state=theirs"))
