"""Refreshes that meet with odd providers, odd stores, and each other at odd moments."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from intastellar_auth.core.effects import Answer, Fetch, Flow, Get, Put
from intastellar_auth.core.once import Work, once
from intastellar_auth.core.refresh import _refresh_of
from intastellar_auth.errors import ProviderUnreachable
from intastellar_auth.stores import MemoryStore
from tests.oidc.forge import answer

from .hand import Clock
from .refreshing import LIFETIME, MODES, REVOCATION, refreshing, visit, visiting
from .stage import DISCOVERY, DOCUMENT, JWKS, TOKEN, Stage
from .test_refresh_details import revoked


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def entry(stage: Stage, kind: str) -> str:
    """Return the store's key of what was last written there of this ``kind``."""
    keys = [one.key for one in stage.hand.done if isinstance(one, Put)]
    return [key for key in keys if key.startswith(kind)][-1]


def test_a_provider_whose_tokens_end_before_they_arrive_is_not_asked_for_ever(mode: str) -> None:
    stage, provider = refreshing(mode=mode)
    provider.lifetime = 1
    store = stage.hand.store = Slow(stage.hand.clock)
    stage.sign_in()
    store.takes = 1.0
    stage.hand.clock.now += 1
    visit(stage)
    assert 2 <= provider.refreshes <= 8


class Slow(MemoryStore):
    """A store that takes longer to answer than the tokens are good for."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock)
        self.takes = 0.0
        self.waits_by = clock

    def get(self, key: str) -> bytes | None:
        """Answer late."""
        self.waits_by.now += self.takes
        return super().get(key)

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Answer late."""
        self.waits_by.now += self.takes
        return super().get_many(keys)


@pytest.mark.parametrize("lifetime", [1e-9, 0.4, 0.0, -5.0])
def test_a_lifetime_of_less_than_a_second_is_not_taken_at_its_word(
    mode: str, lifetime: float
) -> None:
    """RF-01: it would mean a refresh with every request."""
    stage, provider = refreshing(mode=mode)
    provider.lifetime = lifetime
    stage.sign_in()
    for _ in range(5):
        assert visit(stage) == "access-0"
        stage.hand.clock.now += 1
    assert provider.refreshes == 0


def test_a_provider_that_gives_the_same_tokens_once_more_is_asked_again_when_they_end(
    mode: str,
) -> None:
    stage, provider = refreshing(mode=mode)
    provider.rotates = False
    provider.more = {"access_token": "access-0"}
    stage.sign_in()
    for refreshes in (1, 2, 3):
        stage.hand.clock.now += LIFETIME - 30
        assert visit(stage) == "access-0"
        assert provider.refreshes == refreshes


def test_a_cookie_that_is_very_old_gets_to_the_newest_tokens_all_the_same() -> None:
    """P13: a few steps with each request, and no refresh token is used twice."""
    stage, provider = refreshing()
    stage.sign_in()
    first = dict(stage.browser.cookies)
    for number in range(1, 12):
        stage.hand.clock.now += LIFETIME
        assert visit(stage) == f"access-{number}"
    stage.browser.cookies = first
    late = stage.other_process()
    assert visit(late) is None
    assert visit(late) == "access-11"
    assert (provider.refreshes, provider.reused) == (11, 0)


def test_a_refusal_is_not_believed_where_somebody_else_was_first() -> None:
    """The store has lost the claim of one who refreshes: as after a failover."""
    stage, provider = refreshing()
    stage.sign_in()
    stage.hand.clock.now += LIFETIME
    first = visiting(stage)
    outcome = stage.hand.until(first.running, Put)
    assert isinstance(outcome, Put)
    stage.hand.store.delete(outcome.key.replace("outcome:", "claim:"))
    second = visiting(stage)
    asked = stage.hand.until(second.running, Fetch)
    assert isinstance(asked, Fetch)
    assert asked.url == TOKEN
    assert first.access_token == "access-1"
    assert second.access_token == "access-1"
    assert (provider.refreshes, provider.reused) == (1, 1)


def test_a_refusal_is_believed_where_the_store_cannot_tell_of_another(mode: str) -> None:
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    visit(stage)
    provider.live = None
    stage.hand.clock.now += LIFETIME
    one = visiting(stage)
    stage.hand.until(one.running, Fetch)
    stage.hand.refused = {Get}
    assert one.access_token is None


def test_new_tokens_are_used_where_the_store_cannot_tell_of_a_logout(mode: str) -> None:
    stage, _ = refreshing(mode=mode)
    stage.sign_in()
    visit(stage)
    stage.hand.clock.now += LIFETIME
    one = visiting(stage)
    stage.hand.until(one.running, Fetch)
    stage.hand.refused = {Get}
    assert one.access_token == "access-1"


NOT_UTF8 = b"\x81\xa6tokens\x95\xa1\xff\xc0\x90\x01\x01"


@pytest.mark.parametrize("recorded", [b"", b"\xc1", b"\x93\x01", NOT_UTF8])
def test_an_outcome_of_another_version_is_a_token_that_was_used(mode: str, recorded: bytes) -> None:
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    admitted = visiting(stage).admitted
    assert admitted is not None
    assert admitted.session.tokens is not None
    what = _refresh_of(stage.site, admitted.session, admitted.session.tokens)

    def work() -> Flow[Work]:
        yield from ()
        return Work(recorded)

    stage.hand.play(once(what, work))
    stage.hand.clock.now += LIFETIME - 30
    assert visit(stage) == "access-0"
    stage.hand.clock.now += 30
    assert visit(stage) is None
    assert provider.refreshes == 0


def test_a_provider_whose_keys_are_away_is_not_sent_the_token() -> None:
    """All that can fail without it is done before."""
    stage, provider = refreshing()
    stage.sign_in()
    stage.hand.clock.now += LIFETIME - 30
    stage.hand.say(DISCOVERY, ProviderUnreachable("nobody"))
    assert visit(stage.other_process()) == "access-0"
    assert provider.refreshes == 0


@pytest.mark.parametrize("trouble", [ProviderUnreachable("nobody"), answer({}, status=503)])
def test_a_token_that_was_used_stays_used_where_its_answer_cannot_be_checked(
    mode: str, trouble: Answer | Exception
) -> None:
    """P9's like: the ID token names a new key, and the keys cannot be had at that moment."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    stage.hand.clock.now += LIFETIME
    stage.hand.say(JWKS, trouble)
    provider.id_token, provider.key = {}, "next"
    assert visit(stage) is None
    stage.hand.clock.now += 60
    assert visit(stage) is None
    assert visit(stage.other_process()) is None
    assert (provider.refreshes, provider.reused) == (1, 0)


def test_a_logout_revokes_what_it_has_where_the_store_is_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage, _ = refreshing()
    stage.hand.say(DISCOVERY, answer({**DOCUMENT, "revocation_endpoint": REVOCATION}))
    stage.hand.say(REVOCATION, answer({}))
    stage.sign_in()
    stage.hand.refused = {Get, Put}
    stage.go("/auth/logout")
    assert revoked(stage) == ["refresh-0"]
    assert "event=tokens_may_be_newer" in caplog.text


def test_a_logout_has_nothing_to_revoke_where_the_tokens_have_ended() -> None:
    stage, provider = refreshing()
    stage.hand.say(DISCOVERY, answer({**DOCUMENT, "revocation_endpoint": REVOCATION}))
    stage.sign_in()
    old = dict(stage.browser.cookies)
    provider.live = None
    stage.hand.clock.now += LIFETIME
    visit(stage)
    stage.browser.cookies = old
    stage.go("/auth/logout")
    assert revoked(stage) == []


@pytest.mark.parametrize("value", [b"", b"garbage", b"\x01" * 60])
def test_tokens_that_do_not_open_in_the_store_are_no_tokens(value: bytes) -> None:
    """SS-09."""
    stage, _ = refreshing(mode="server")
    stage.sign_in()
    stage.hand.store.put(entry(stage, "tokens:"), value, 1000)
    one = visiting(stage.other_process())
    assert one.access_token is None


def test_tokens_of_another_session_are_no_tokens() -> None:
    """Whoever may write the store must not get at another's tokens by it."""
    stage, _ = refreshing(mode="server")
    stage.sign_in()
    hers = stage.hand.store.get(entry(stage, "tokens:"))
    assert hers is not None
    stage.sign_in(code="code-2", sub="bob", name="B", email="b@example.com", email_verified=True)
    stage.hand.store.put(entry(stage, "tokens:"), hers, 1000)
    assert visiting(stage.other_process()).access_token is None


def test_asking_who_is_signed_in_does_not_keep_a_token_from_being_refreshed(mode: str) -> None:
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    stage.hand.clock.now += LIFETIME - 30
    assert stage.go("/auth/user").status == 200
    header = visiting(stage.other_process()).header
    assert stage.site.admissions.at_once(header, stage.hand.clock.now) is None
    assert visit(stage) == "access-1"
    assert provider.refreshes == 1


def test_a_cookie_whose_token_is_due_is_not_admitted_at_once() -> None:
    stage, provider = refreshing()
    provider.lifetime = 20
    stage.sign_in()
    header = "; ".join(f"{name}={value}" for name, value in stage.browser.cookies.items()).encode()
    fresh = stage.other_process()
    assert fresh.site.admissions.at_once(header, stage.hand.clock.now) is not None
    late = stage.other_process()
    stage.hand.clock.now += 10
    assert late.site.admissions.at_once(header, stage.hand.clock.now) is None
