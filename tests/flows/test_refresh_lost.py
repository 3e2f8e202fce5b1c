"""A process that dies over a refresh: what the others find, and what they leave in the store."""

from __future__ import annotations

import pytest

from intastellar_auth.core.effects import Add, Answer, Delete, Fetch, Get, GetMany, Put
from intastellar_auth.errors import ProviderTimeout, ProviderUnreachable
from tests.oidc.forge import answer

from .refreshing import LIFETIME, MODES, Rotating, Visit, refreshing, visit, visiting
from .stage import DISCOVERY, DOCUMENT, TOKEN, Stage

IDLE = 600


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def due(mode: str) -> tuple[Stage, Rotating]:
    """Return a site with a session whose access token has just ended."""
    stage, provider = refreshing(mode=mode, session_idle=IDLE)
    stage.sign_in()
    stage.hand.clock.now += LIFETIME
    return stage, provider


def use_the_token_and_die(stage: Stage) -> None:
    """Let a process come as far as the provider's answer, and no further."""
    dying = visiting(stage)
    stage.hand.until(dying.running, Add)
    stage.hand.until(dying.running, Fetch)
    stage.hand.step(dying.running)
    stage.hand.crash(dying.running)


def has_old_tokens(stage: Stage) -> Visit:
    """Return a request in another process that has read the old tokens, and goes no further yet."""
    late = visiting(stage.other_process())
    stage.hand.until(late.running, Add)
    return late


def tokens_in_store(stage: Stage) -> list[str]:
    return [key for key in stage.hand.store._entries if key.startswith("tokens:")]


@pytest.mark.parametrize("between", [IDLE // 3, IDLE - 30])
def test_p14_a_session_in_use_outlives_what_is_known_of_a_lost_refresh(
    mode: str, between: int
) -> None:
    """P14: the claim ends one day, and the refresh token is as used as it was."""
    stage, provider = due(mode)
    use_the_token_and_die(stage)
    for _ in range(4 * IDLE // between):
        assert visit(stage.other_process()) is None
        stage.hand.clock.now += between
    assert (provider.refreshes, provider.reused) == (1, 0)


def test_p14_a_provider_that_is_down_for_longer_than_a_claim_lasts_gets_no_token_again(
    mode: str,
) -> None:
    """P14: nobody comes as far as the claim, and the session goes on with what it has."""
    stage, provider = due(mode)
    use_the_token_and_die(stage)
    stage.hand.say(DISCOVERY, ProviderUnreachable("nobody listens"))
    for _ in range(6):
        assert visit(stage.other_process()) is None
        stage.hand.clock.now += IDLE // 3
    stage.hand.say(DISCOVERY, answer(DOCUMENT))
    assert visit(stage.other_process()) is None
    assert (provider.refreshes, provider.reused) == (1, 0)


def test_p14_what_the_store_would_not_keep_is_not_used_when_its_outcome_is_gone() -> None:
    """P14: the old tokens are still in the store, where no process knows what became of them."""
    stage, provider = due("server")

    def act_and_say_nothing(request: Fetch) -> Answer:
        provider(request)
        raise ProviderTimeout("no answer")

    stage.hand.say(TOKEN, act_and_say_nothing, provider)
    one = visiting(stage)
    stage.hand.until(one.running, Put)
    stage.hand.refused = {Put}
    stage.hand.step(one.running)
    stage.hand.refused = set()
    assert one.access_token is None
    for _ in range(4):
        assert visit(stage.other_process()) is None
        # None of them comes when the outcome is gone and the claim is not.
        stage.hand.clock.now += IDLE - 250
    assert (provider.refreshes, provider.reused) == (1, 0)


def test_the_access_token_stays_good_until_it_ends(mode: str) -> None:
    stage, _ = refreshing(mode=mode, session_idle=IDLE)
    stage.sign_in()
    stage.hand.clock.now += LIFETIME - 30
    use_the_token_and_die(stage)
    assert visit(stage.other_process()) == "access-0"
    assert visit(stage.other_process()) == "access-0"


def test_new_tokens_that_were_kept_before_are_found() -> None:
    """The process died between the tokens and the outcome of its work."""
    stage, provider = due("server")
    late, dying = has_old_tokens(stage), visiting(stage)
    stage.hand.until(dying.running, Put)
    stage.hand.step(dying.running)
    stage.hand.crash(dying.running)
    assert late.access_token == "access-1"
    assert visit(stage.other_process()) == "access-1"
    assert (provider.refreshes, provider.reused) == (1, 0)


def test_tokens_that_have_come_to_their_end_stay_away() -> None:
    """The process died when it had removed what the provider refused."""
    stage, provider = due("server")
    late, dying = has_old_tokens(stage), visiting(stage)
    provider.live = None
    stage.hand.until(dying.running, Delete)
    stage.hand.step(dying.running)
    stage.hand.crash(dying.running)
    assert late.access_token is None
    assert tokens_in_store(stage) == []


def test_nothing_is_kept_for_a_session_that_has_ended_meanwhile() -> None:
    """P13."""
    stage, _ = due("server")
    use_the_token_and_die(stage)
    late = has_old_tokens(stage)
    stage.go("/auth/logout")
    assert late.access_token is None
    assert tokens_in_store(stage) == []


def test_a_store_that_fails_then_costs_this_request_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The next one finds the same, and does what this one could not."""
    stage, provider = due("server")
    use_the_token_and_die(stage)
    late = has_old_tokens(stage)
    stage.hand.until(late.running, GetMany)
    stage.hand.refused = {Get}
    assert late.access_token is None
    assert 'tokens="not kept"' in caplog.text
    stage.hand.refused = set()
    for _ in range(8):
        assert visit(stage.other_process()) is None
        stage.hand.clock.now += IDLE // 3
    assert (provider.refreshes, provider.reused) == (1, 0)


def test_where_the_tokens_are_in_the_cookie_the_store_is_not_asked_for_them() -> None:
    stage, _ = due("cookie")
    use_the_token_and_die(stage)
    late = has_old_tokens(stage)
    before = len(stage.hand.done)
    assert late.access_token is None
    assert GetMany not in stage.hand.kinds()[before:]


def test_what_is_left_is_kept_where_everyone_finds_it() -> None:
    """Who finds the old tokens in the store asks three times what became of them."""
    stage, _ = due("server")
    use_the_token_and_die(stage)
    visit(stage.other_process())
    before = len(stage.hand.done)
    visit(stage.other_process())
    assert Get not in stage.hand.kinds()[before:]


@pytest.mark.parametrize(("seconds", "refreshes"), [(-1, 1), (0, 0)])
def test_a_token_is_exchanged_as_long_as_any_claim_to_it_would_be_known(
    mode: str, seconds: int, refreshes: int
) -> None:
    """P14: ``SESSION_IDLE`` from when it was due first, and the time that a refresh can take."""
    stage, provider = refreshing(mode=mode, session_idle=IDLE)
    stage.sign_in()
    last = stage.hand.clock.now + LIFETIME - 60 + IDLE + 2 * 10 + 5
    stage.hand.say(DISCOVERY, ProviderUnreachable("nobody listens"))
    while stage.hand.clock.now < last - 200:
        stage.hand.clock.now += 200
        visit(stage.other_process())
    stage.hand.say(DISCOVERY, answer(DOCUMENT))
    stage.hand.clock.now = last + seconds
    visit(stage.other_process())
    assert (provider.refreshes, provider.reused) == (refreshes, 0)


def test_who_stands_still_until_the_last_day_is_over_uses_nothing(mode: str) -> None:
    """P14: on the last day a claim lasts no longer than the session."""
    stage, provider = refreshing(mode=mode, session_idle=3000, session_lifetime=3000)
    provider.lifetime = 2900
    stage.sign_in()
    stage.hand.clock.now += 2990
    late = has_old_tokens(stage)
    use_the_token_and_die(stage)
    stage.hand.clock.now += 500
    assert late.access_token is None
    assert (provider.refreshes, provider.reused) == (1, 0)
