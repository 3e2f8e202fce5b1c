"""Tokens are refreshed exactly once, whoever finds them due, and whatever happens on the way."""

from __future__ import annotations

import pytest

from intastellar_auth.errors import ProviderTimeout, ProviderUnreachable
from tests.oidc.forge import answer

from .hand import Said
from .refreshing import LIFETIME, MODES, Visit, refreshing, visit, visiting
from .stage import SESSION_COOKIE, TOKEN, Stage

MANY = 12


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def take_turns(visits: list[Visit]) -> None:
    """Perform one effect of each in turn, until all have ended."""
    while any(not one.running.ended for one in visits):
        for one in visits:
            if not one.running.ended:
                one.stage.hand.step(one.running)


def later(stage: Stage, seconds: float) -> None:
    """Let ``seconds`` pass."""
    stage.hand.clock.now += seconds


def test_the_app_gets_the_access_token(mode: str) -> None:
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    assert visit(stage) == "access-0"
    later(stage, LIFETIME - 61)
    assert visit(stage) == "access-0"
    assert provider.refreshes == 0


def test_a_token_that_ends_within_a_minute_is_exchanged_before_the_app_is_called(mode: str) -> None:
    """RF-12, R9-13."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    later(stage, LIFETIME - 60)
    assert visit(stage) == "access-1"
    later(stage, LIFETIME - 60)
    assert visit(stage.other_process()) == "access-2"
    assert (provider.refreshes, provider.reused) == (2, 0)


def test_p14_many_requests_at_once_refresh_once_and_go_on_with_the_new_token(mode: str) -> None:
    """RF-01, P14: in four processes."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    later(stage, LIFETIME + 1)
    processes = [stage, *(stage.other_process() for _ in range(3))]
    visits = [visiting(processes[number % 4]) for number in range(MANY)]
    take_turns(visits)
    assert {one.access_token for one in visits} == {"access-1"}
    assert (provider.refreshes, provider.reused) == (1, 0)


def test_p13_a_slow_request_never_brings_an_old_refresh_token_back(mode: str) -> None:
    """P13: its answer, with a roll that was due, goes out after others have refreshed twice."""
    stage, provider = refreshing(mode=mode, session_idle=600)
    stage.sign_in()
    later(stage, 70)
    slow = visiting(stage)
    assert slow.access_token == "access-0"
    for expected in ("access-1", "access-2"):
        later(stage, LIFETIME - 60)
        assert visit(stage.other_process()) == expected
    slow.answer()
    assert visit(stage.other_process()) == "access-2"
    later(stage, LIFETIME)
    assert visit(stage.other_process()) == "access-3"
    assert provider.reused == 0


def test_p13_a_slow_request_of_before_a_logout_brings_no_session_back(mode: str) -> None:
    """P13."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    later(stage, LIFETIME)
    slow = visiting(stage)
    assert slow.access_token == "access-1"
    stage.go("/auth/logout")
    slow.answer()
    assert SESSION_COOKIE not in stage.browser.cookies
    later(stage, 31)
    assert visiting(stage.other_process(), cookies=_cookies(slow)).admitted is None
    assert provider.reused == 0


def test_an_old_cookie_leads_to_the_newest_tokens_without_a_request(mode: str) -> None:
    """RF-03, P13: as after answers that got lost."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    first = dict(stage.browser.cookies)
    for _ in range(3):
        later(stage, LIFETIME)
        visit(stage)
    stage.browser.cookies = first
    assert visit(stage.other_process()) == "access-3"
    assert (provider.refreshes, provider.reused) == (3, 0)


def test_an_answer_to_the_old_cookie_carries_the_new_one_until_the_browser_has_it() -> None:
    stage, _ = refreshing()
    stage.sign_in()
    old = dict(stage.browser.cookies)
    later(stage, LIFETIME)
    visit(stage)
    new = dict(stage.browser.cookies)
    for _ in range(2):
        stage.browser.cookies = dict(old)
        later(stage, 31)
        visit(stage)
        assert stage.browser.cookies[SESSION_COOKIE] not in (
            old[SESSION_COOKIE],
            new[SESSION_COOKIE],
        )
    assert visit(stage.other_process()) == "access-1"


def test_with_sessions_in_the_store_a_refresh_sets_no_cookie() -> None:
    stage, _ = refreshing(mode="server", session_idle=86_400)
    stage.sign_in()
    before = dict(stage.browser.cookies)
    later(stage, LIFETIME - 60)
    assert visit(stage) == "access-1"
    assert stage.browser.cookies == before


@pytest.mark.parametrize(
    "trouble",
    [ProviderUnreachable("nobody"), answer({}, status=503), answer({}, status=429)],
    ids=["unreachable", "503", "429"],
)
def test_a_provider_that_is_down_costs_nothing_until_the_token_ends(
    mode: str, trouble: Said
) -> None:
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    stage.hand.say(TOKEN, trouble)
    later(stage, LIFETIME - 30)
    assert visit(stage) == "access-0"
    asked = len(stage.hand.fetched(TOKEN))
    later(stage, 5)
    assert visit(stage) == "access-0"
    assert len(stage.hand.fetched(TOKEN)) == asked, "it is left in peace for a while"
    later(stage, 26)
    assert visit(stage) is None
    assert len(stage.hand.fetched(TOKEN)) == asked + 1
    stage.hand.say(TOKEN, provider)
    later(stage, 11)
    assert visit(stage) == "access-1"
    assert provider.reused == 0


def test_a_client_that_the_provider_refuses_loses_no_token(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator has a setting to mend, and may take until the token ends."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    stage.hand.say(TOKEN, answer({"error": "invalid_client"}, status=401))
    later(stage, LIFETIME - 60)
    assert visit(stage) == "access-0"
    assert "client_refused" in caplog.text
    stage.hand.say(TOKEN, provider)
    later(stage, 11)
    assert visit(stage) == "access-1"


def test_a_refused_refresh_token_ends_the_tokens_and_not_the_session(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    provider.live = None
    later(stage, LIFETIME)
    assert visit(stage) is None
    assert visit(stage.other_process()) is None
    assert (provider.refreshes, provider.reused) == (0, 1)
    assert 'code="refresh_refused"' in caplog.text
    assert 'tokens="ended"' in caplog.text


def test_a_session_that_needs_its_tokens_ends_with_them(mode: str) -> None:
    stage, provider = refreshing(mode=mode, session_needs_tokens=True)
    stage.sign_in()
    provider.live = None
    later(stage, LIFETIME)
    assert visiting(stage).admitted is None
    assert visiting(stage.other_process()).admitted is None
    assert provider.reused == 1


@pytest.mark.parametrize(
    "said",
    [ProviderTimeout("no answer"), answer({"token_type": "Bearer"}), answer(["?"])],
    ids=["no answer", "no token", "no object"],
)
def test_a_refresh_token_that_may_have_been_used_is_not_used_again(mode: str, said: Said) -> None:
    """RF-03, R9-13, RFC 9700 section 4.14.2: its second use would revoke what is still good."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    stage.hand.say(TOKEN, said, provider)
    later(stage, LIFETIME - 30)
    assert visit(stage) == "access-0"
    assert visit(stage.other_process()) == "access-0"
    later(stage, 31)
    assert visit(stage) is None
    assert visit(stage.other_process()) is None
    assert (provider.refreshes, provider.reused) == (0, 0)


def test_p09_a_process_that_dies_over_a_refresh_leaves_a_session_without_tokens(mode: str) -> None:
    """P9's like: nobody uses the refresh token again, and nobody is signed out."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    later(stage, LIFETIME)
    dying = visiting(stage)
    stage.hand.until(dying.running, type(stage.hand.fetched(TOKEN)[0]))
    stage.hand.crash(dying.running)
    assert visit(stage.other_process()) is None
    assert visit(stage.other_process()) is None
    assert (provider.refreshes, provider.reused) == (0, 0)


def test_p10_a_refresh_goes_on_when_its_request_is_given_up(mode: str) -> None:
    """P10's like."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    later(stage, LIFETIME)
    gone = visiting(stage)
    stage.hand.until(gone.running, type(stage.hand.fetched(TOKEN)[0]))
    stage.hand.hang_up(gone.running)
    stage.hand.finish(gone.running)
    assert visit(stage.other_process()) == "access-1"
    assert (provider.refreshes, provider.reused) == (1, 0)


def _cookies(one: Visit) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in one.header.decode().split("; "))
    return {name: value for name, _, value in pairs}
