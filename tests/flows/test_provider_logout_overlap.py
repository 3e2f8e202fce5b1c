"""A logout that the provider starts while somebody signs in: which of the two was first."""

from __future__ import annotations

import pytest

from intastellar_auth.core.effects import Put
from tests.oidc.forge import ISSUER, NOW
from tests.oidc.forge_logout import SID, logout_token

from .stage import Stage, make_stage
from .told import framed, lives, signed_in, tell


@pytest.fixture
def stage() -> Stage:
    """Return a stage that has not met its provider."""
    return make_stage()


@pytest.fixture
def alice() -> Stage:
    """Return a stage with alice signed in."""
    return signed_in()


def test_a_sign_in_whose_session_has_ended_meanwhile_gives_none(stage: Stage) -> None:
    """BL-14: the token comes before the callback."""
    for code, raw in (("code-1", logout_token()), ("code-2", logout_token(sid=None, iat=NOW + 5))):
        callback = stage.begin(code=code, sid=SID, auth_time=NOW - 60, iat=NOW + 9)
        stage.hand.clock.now = NOW + 9
        assert tell(stage, raw).status == 200
        assert stage.go(callback).status == 400
        assert not stage.browser.signed_in
        stage.hand.clock.now = NOW


@pytest.mark.parametrize("raw", [logout_token(), logout_token(sid=None)], ids=["sid", "sub"])
def test_a_logout_during_the_callback_ends_what_it_gives(raw: str) -> None:
    """BL-14: at every step of it, in another process."""
    ended_at_once = 0
    for steps in range(30):
        here = make_stage()
        running = here.run(here.browser.request(here.begin(sid=SID)))
        for _ in range(steps):
            if not running.ended:
                here.hand.step(running)
        assert tell(here.other_process(), raw).status == 200
        here.browser.keep(here.hand.finish(running))
        ended_at_once += not here.browser.signed_in
        assert not lives(here)
    assert ended_at_once > 5
    assert ended_at_once < 30, "the last ones came after the callback"


@pytest.mark.parametrize("auth_time", [None, 0, NOW - 3600, NOW + 29])
def test_a_later_sign_in_is_spared(alice: Stage, auth_time: float | None) -> None:
    """BL-02: also where the provider's own session is older, or it does not say how old.

    It was asked after the logout, and let the user in.
    """
    assert tell(alice, logout_token(sid=None)).status == 200
    assert not lives(alice)
    alice.sign_in(code="code-2", iat=NOW + 30, auth_time=auth_time)
    assert lives(alice)


@pytest.mark.parametrize("skew", [-50, 0, 50])
def test_the_providers_clock_is_the_one_that_counts(alice: Stage, skew: float) -> None:
    """A logout at once after a sign-in ends it, a sign-in at once after a logout lives."""
    alice.hand.clock.now = NOW + 100
    alice.sign_in(code="code-2", iat=NOW + 100 + skew)
    alice.hand.clock.now = NOW + 102
    assert tell(alice, logout_token(sid=None, iat=NOW + 102 + skew)).status == 200
    alice.hand.clock.now = NOW + 104
    first = dict(alice.browser.cookies)
    alice.sign_in(code="code-3", iat=NOW + 104 + skew)
    assert lives(alice)
    alice.browser.cookies = first
    assert not lives(alice)


def test_a_store_that_fails_behind_the_exchange_costs_the_front_channel_alone(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """The code is spent: the sign-in goes on."""
    callback = stage.begin(sid=SID)
    stage.hand.refused = {Put}
    stage.go(callback)
    stage.hand.refused = set()
    assert "event=sid_not_noted" in caplog.text
    assert framed(stage, iss=ISSUER, sid=SID).status == 200
    assert lives(stage)
    assert tell(stage, logout_token()).status == 200
    assert not lives(stage)
