"""A process that stands still, for hours, at the worst moment: a laptop, a virtual machine."""

from __future__ import annotations

import pytest

from intastellar_auth.core.effects import Add, GetMany
from intastellar_auth.errors import ProviderUnreachable

from .refreshing import LIFETIME, MODES, refreshing, visit, visiting
from .stage import DISCOVERY, TOKEN, location, make_stage, text


def test_p09_a_callback_that_wakes_after_its_attempt_is_over_does_not_send_the_code_again() -> None:
    """P9: it looked for an outcome when there was none, and claims when the claim has ended."""
    stage = make_stage()
    callback = stage.begin()
    asleep = stage.run(stage.browser.request(callback))
    stage.hand.until(asleep, Add)
    assert stage.other_process().go(callback).status == 303
    stage.hand.clock.now += 10_000
    reply = stage.hand.finish(asleep)
    assert location(reply).startswith("https://accounts.example/authorize")
    assert len(stage.hand.fetched(TOKEN)) == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("at", [Add, GetMany])
def test_p14_a_refresh_that_wakes_when_its_session_is_over_does_not_use_the_token_again(
    mode: str, at: type[Add | GetMany]
) -> None:
    """P14: before the claim, or before it knows whether there is still a session."""
    stage, provider = refreshing(mode=mode, session_idle=1000, session_lifetime=100_000)
    stage.sign_in()
    stage.hand.clock.now += LIFETIME
    asleep = visiting(stage.other_process())
    stage.hand.until(asleep.running, at)
    assert visit(stage) == "access-1"
    stage.hand.clock.now += 10_000
    admitted = asleep.admitted
    assert admitted is None or admitted.auth.access_token is None
    assert (provider.refreshes, provider.reused) == (1, 0)


def test_p03_an_answer_that_was_lost_in_the_last_moment_is_given_once_more() -> None:
    """P3: the attempt is over meanwhile, the replay window is not."""
    stage = make_stage()
    callback = stage.begin(exp=stage.hand.clock.now + 3600)
    stage.hand.clock.now += 1799
    first = stage.hand.finish(stage.run(stage.browser.request(callback)))
    stage.hand.clock.now += 60
    assert location(stage.go(callback)) == location(first)
    assert stage.browser.signed_in
    assert len(stage.hand.fetched(TOKEN)) == 1


def test_p08_an_error_page_without_the_cookie_leads_where_the_visitor_wanted_to_be() -> None:
    """P8: the provider is down just when the sign-in would start again."""
    stage = make_stage()
    callback = stage.begin("/members/7")
    stage.browser.cookies.clear()
    late = stage.other_process()
    stage.hand.say(DISCOVERY, ProviderUnreachable("nobody"))
    reply = late.go(callback)
    assert reply.status == 503
    assert "/auth/login?next=/members/7" in text(reply)
