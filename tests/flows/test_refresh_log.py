"""What the operator reads when tokens are not refreshed: why, and what becomes of the tokens."""

from __future__ import annotations

import pytest

from intastellar_auth.core.effects import Add, Answer, Fetch, Put
from intastellar_auth.errors import ProviderTimeout, ProviderUnreachable
from tests.oidc.forge import answer

from .refreshing import LIFETIME, refreshing, visit, visiting
from .stage import DISCOVERY, TOKEN, Stage


def due() -> Stage:
    """Return a stage where alice's access token has ended."""
    stage, _ = refreshing()
    stage.sign_in()
    stage.hand.clock.now += LIFETIME
    return stage


@pytest.mark.parametrize(
    ("trouble", "level", "code", "then"),
    [
        (ProviderUnreachable("nobody"), "WARNING", "provider_unreachable", "later"),
        (answer({}, status=503), "WARNING", "provider_busy", "later"),
        (answer({"error": "invalid_client"}, status=401), "ERROR", "client_refused", "later"),
        (answer({"error": "invalid_grant"}, status=400), "WARNING", "refresh_refused", "ended"),
        (ProviderTimeout("no answer within 10 s"), "WARNING", "provider_timeout", "lost"),
        (answer(b"{"), "WARNING", "provider_error", "lost"),
    ],
)
def test_the_log_says_why_tokens_were_not_refreshed_and_what_becomes_of_them(
    caplog: pytest.LogCaptureFixture,
    trouble: Answer | Exception,
    level: str,
    code: str,
    then: str,
) -> None:
    """An operator whose credentials are wrong has an error to mend, all else may pass."""
    stage = due()
    stage.hand.say(TOKEN, trouble)
    visit(stage)
    line = next(one for one in caplog.records if "tokens_not_refreshed" in one.getMessage())
    assert line.levelname == level
    said = line.getMessage()
    assert said.startswith(f'event=tokens_not_refreshed code="{code}" detail="')
    assert said.endswith(f'" tokens="{then}"')
    assert 'detail=""' not in said


def test_the_log_says_that_a_refresh_was_not_begun(caplog: pytest.LogCaptureFixture) -> None:
    stage = due()
    stage.hand.say(DISCOVERY, ProviderUnreachable("nobody"))
    visit(stage.other_process())
    (line,) = caplog.records
    assert line.getMessage() == (
        'event=tokens_not_refreshed code="provider_unreachable"'
        ' detail="INTASTELLAR_ISSUER: nobody" tokens="later"'
    )


def test_the_log_says_that_new_tokens_are_in_no_store(caplog: pytest.LogCaptureFixture) -> None:
    stage, _ = refreshing(mode="server")
    stage.sign_in()
    stage.hand.clock.now += LIFETIME
    one = visiting(stage)
    stage.hand.until(one.running, Fetch)
    stage.hand.refused = {Put}
    assert one.access_token == "access-1"
    (line,) = (line for line in caplog.records if "tokens_not_refreshed" in line.getMessage())
    assert line.getMessage().endswith('detail="the store does not put" tokens="not kept"')


def test_the_log_says_that_the_process_with_the_token_died(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """P9's like."""
    stage = due()
    worker = visiting(stage)
    stage.hand.until(worker.running, Add)
    stage.hand.step(worker.running)
    stage.hand.crash(worker.running)
    assert visit(stage.other_process()) is None
    (line,) = caplog.records
    assert (line.levelname, line.getMessage()) == (
        "WARNING",
        'event=refresh_lost because="whoever claimed the work died over it"',
    )


def test_the_log_says_that_the_new_tokens_are_no_longer_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The store has lost them, and knows only that the old one was used."""
    stage = due()
    old = dict(stage.browser.cookies)
    visit(stage)
    outcome = [
        one.key
        for one in stage.hand.done
        if isinstance(one, Put) and one.key.startswith("outcome:")
    ][-1]
    stage.hand.store.delete(outcome)
    stage.browser.cookies = old
    assert visit(stage.other_process()) is None
    (line,) = caplog.records
    assert line.getMessage() == (
        'event=refresh_lost because="the work was done, and its outcome is no longer kept"'
    )
