"""How long a refresh is waited for, remembered and put off, in seconds."""

from __future__ import annotations

import msgspec
import pytest

from intastellar_auth.core.effects import Add, Put
from intastellar_auth.core.once import Once
from intastellar_auth.core.refresh import _refresh_of
from intastellar_auth.errors import ProviderUnreachable

from .refreshing import LIFETIME, MODES, refreshing, visit, visiting
from .stage import DISCOVERY, TOKEN, Stage

LEASE = 2 * 10 + 5


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def refresh_of(stage: Stage) -> Once:
    """Return what the refresh of the browser's tokens is in ``once.py``."""
    admitted = visiting(stage).admitted
    assert admitted is not None
    assert admitted.session.tokens is not None
    return _refresh_of(stage.site, admitted.session, admitted.session.tokens)


def test_a_refresh_is_one_piece_of_work_for_whoever_has_all_of_the_tokens() -> None:
    """P14: the name and the secret are the same in every process and every version."""
    stage, _ = refreshing()
    stage.sign_in()
    ends_at = stage.hand.clock.now + LIFETIME
    these = msgspec.msgpack.encode(("refresh-0", "access-0", ends_at))
    what = refresh_of(stage)
    assert (what.name, what.secret) == (b"refresh " + these, these)


def test_new_tokens_are_kept_for_as_long_as_a_cookie_with_the_old_ones_can_live(mode: str) -> None:
    """P13: the idle time of a day; the claim lasts for what may overlap besides."""
    stage, _ = refreshing(mode=mode)
    stage.sign_in()
    what = refresh_of(stage)
    assert (what.lease, what.window, what.lasts) == (LEASE, 86_400, 86_400 + 2 * LEASE)


def test_new_tokens_are_not_kept_beyond_the_end_of_the_session() -> None:
    stage, _ = refreshing(session_lifetime=1000)
    stage.sign_in()
    stage.hand.clock.now += 200
    assert refresh_of(stage).window == 800


def test_new_tokens_are_kept_for_the_replay_window_at_least() -> None:
    """P3's like: in the last seconds of a session too, a repeated request finds them."""
    stage, _ = refreshing(session_lifetime=1000)
    stage.sign_in()
    stage.hand.clock.now += 950
    assert refresh_of(stage).window == 120


def test_a_claim_and_its_outcome_are_written_for_these_times(mode: str) -> None:
    stage, _ = refreshing(mode=mode)
    stage.sign_in()
    stage.hand.clock.now += LIFETIME
    before = len(stage.hand.done)
    visit(stage)
    ttls = {
        (type(one), one.key.partition(":")[0], one.ttl)
        for one in stage.hand.done[before:]
        if isinstance(one, Add | Put) and one.key.startswith(("claim:", "outcome:"))
    }
    assert ttls == {
        (Add, "claim", 86_400 + 2 * LEASE),
        (Put, "claim", 86_400 + 2 * LEASE),
        (Put, "outcome", 86_400),
    }


@pytest.mark.parametrize("url", [DISCOVERY, TOKEN])
def test_a_provider_in_trouble_is_asked_again_after_ten_seconds(url: str) -> None:
    """P14: not with every request, which would each wait for it."""
    stage, provider = refreshing()
    provider.lifetime = 3600
    stage.sign_in()
    stage.hand.clock.now += 3600 - 30
    good, process = stage.hand.said[url], stage.other_process()
    stage.hand.say(url, ProviderUnreachable("nobody"))
    assert visit(process) == "access-0"
    stage.hand.said[url] = good
    stage.hand.clock.now += 9.5
    assert visit(process) == "access-0"
    stage.hand.clock.now += 0.5
    assert visit(process) == "access-1"
    assert provider.refreshes == 1


def test_a_request_takes_eight_steps_to_newer_tokens_and_not_one_more() -> None:
    """P13: nine refreshes behind, the second request has them."""
    stage, _ = refreshing()
    stage.sign_in()
    old = dict(stage.browser.cookies)
    for number in range(1, 9):
        stage.hand.clock.now += LIFETIME
        assert visit(stage) == f"access-{number}"
    stage.browser.cookies = dict(old)
    assert visit(stage.other_process()) == "access-8"
    stage.hand.clock.now += LIFETIME
    stage.browser.cookies = dict(old)
    late = stage.other_process()
    assert visit(late) is None
    assert visit(late) == "access-9"
