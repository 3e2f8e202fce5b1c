"""What is known of the provider: fetched by one, kept for a while, and longer when it is down."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from intastellar_auth.core.effects import Fetch, Pause
from intastellar_auth.core.provider import (
    FAILURE_SHARED,
    KEYS_FRESH,
    METADATA_FRESH,
    STALEST,
    UNKNOWN_KEY_COOL_DOWN,
    Provider,
)
from intastellar_auth.errors import AnswerInvalid, ProviderError, ProviderTimeout
from intastellar_auth.oidc.discovery import Metadata
from tests.oidc.forge import ISSUER, answer, jwk, metadata

from .hand import Hand
from .stage import DISCOVERY, DOCUMENT, JWKS

DOWN = ProviderTimeout("accounts.example: no answer within 10 s")


@dataclass(slots=True)
class Known:
    """A provider, and the hand that plays it."""

    hand: Hand = field(default_factory=Hand)
    issuer: str | None = ISSUER
    provider: Provider = field(init=False)

    def __post_init__(self) -> None:
        self.provider = Provider(self.issuer, _said, self.hand.clock)
        self.hand.say(DISCOVERY, answer(DOCUMENT))
        self.hand.say(JWKS, answer({"keys": [jwk()]}))

    def kids(self) -> list[str | None]:
        """Return the ids of the keys as they are known now."""
        return [key.kid for key in self.hand.play(self.provider.keys()).keys]

    def kids_anew(self) -> list[str | None]:
        """Return the ids of the keys after a token named one that is not known."""
        return [key.kid for key in self.hand.play(self.provider.keys_anew()).keys]


def _said(found: Metadata | None) -> Metadata:
    return found or metadata(token_endpoint="https://said.example/token")


@pytest.fixture
def known() -> Known:
    return Known()


def test_where_the_settings_say_all_nothing_is_asked() -> None:
    known = Known(issuer=None)
    found = known.hand.play(known.provider.metadata())
    assert found.token_endpoint == "https://said.example/token"
    assert known.hand.done == []


def test_a_document_is_fetched_when_first_needed_and_then_kept(known: Known) -> None:
    for age in (0.0, METADATA_FRESH - 1):
        known.hand.clock.now += age
        assert known.hand.play(known.provider.metadata()).issuer == ISSUER
    assert len(known.hand.fetched(DISCOVERY)) == 1
    known.hand.clock.now += 1
    known.hand.play(known.provider.metadata())
    assert len(known.hand.fetched(DISCOVERY)) == 2


def test_keys_come_from_where_the_metadata_says(known: Known) -> None:
    """CF-C02."""
    elsewhere = f"{ISSUER}/keys-of-this-run"
    known.hand.say(DISCOVERY, answer({**DOCUMENT, "jwks_uri": elsewhere}))
    known.hand.say(elsewhere, answer({"keys": [jwk("RS256", "moved")]}))
    assert known.kids() == ["moved"]
    assert known.hand.fetched(JWKS) == []


def test_a_provider_without_keys_is_told_from_one_that_is_down() -> None:
    known = Known(issuer=None)
    provider = Provider(None, lambda _: metadata(jwks_uri=None), known.hand.clock)
    with pytest.raises(AnswerInvalid, match="INTASTELLAR_JWKS_URI"):
        known.hand.play(provider.keys())


def test_one_request_fetches_and_the_others_wait_for_it(known: Known) -> None:
    """DJ-11."""
    first, second, third = (known.hand.start(known.provider.metadata()) for _ in range(3))
    assert isinstance(first.wants, Fetch)
    for other in (second, third):
        for _ in range(5):
            assert isinstance(other.wants, Pause)
            known.hand.step(other)
    assert known.hand.finish(first) == known.hand.finish(second) == known.hand.finish(third)
    assert len(known.hand.fetched(DISCOVERY)) == 1


def test_while_one_fetches_anew_the_others_go_on_with_what_was_known(known: Known) -> None:
    """DJ-11."""
    known.kids()
    known.hand.clock.now += KEYS_FRESH
    fetching = known.hand.start(known.provider.keys())
    assert isinstance(fetching.wants, Fetch)
    known.hand.say(JWKS, answer({"keys": [jwk("RS256", "next")]}))
    assert known.kids() == ["main"]
    known.hand.finish(fetching)
    assert known.kids() == ["next"]


def test_a_fetch_that_is_given_up_lets_the_next_one_fetch(known: Known) -> None:
    """P10."""
    for ask in (known.provider.keys, known.provider.keys_anew):
        asking = known.hand.start(ask())
        assert isinstance(asking.wants, Fetch)
        known.hand.hang_up(asking)
    assert known.kids() == ["main"]


def test_with_the_provider_down_what_was_known_serves_for_a_day(known: Known) -> None:
    known.kids()
    known.hand.say(JWKS, DOWN)
    known.hand.clock.now += STALEST - 1
    assert known.kids() == ["main"]
    known.hand.clock.now += 1
    with pytest.raises(ProviderTimeout):
        known.kids()


def test_a_failure_is_shared_for_a_moment_and_then_tried_again(known: Known) -> None:
    """Requests in their hundreds do not all wait for the same dead provider."""
    known.hand.say(DISCOVERY, DOWN)
    for _ in range(3):
        with pytest.raises(ProviderTimeout, match="no answer within 10 s"):
            known.hand.play(known.provider.metadata())
    assert len(known.hand.fetched(DISCOVERY)) == 1
    known.hand.clock.now += FAILURE_SHARED
    with pytest.raises(ProviderTimeout):
        known.hand.play(known.provider.metadata())
    assert len(known.hand.fetched(DISCOVERY)) == 2


@pytest.mark.parametrize("back", [1.0, 7200.0, 10 * STALEST])
def test_a_clock_that_is_set_back_keeps_nothing_for_longer(known: Known, back: float) -> None:
    """TM-04: neither a failure, nor keys, nor that a key was looked for in vain."""
    known.hand.say(DISCOVERY, DOWN)
    with pytest.raises(ProviderTimeout):
        known.kids()
    known.hand.clock.now -= back
    known.hand.say(DISCOVERY, answer(DOCUMENT))
    assert known.kids_anew() == ["main"]
    known.hand.clock.now -= back
    known.hand.say(JWKS, answer({"keys": [jwk("RS256", "next")]}), answer({"keys": [jwk()]}))
    assert known.kids() == ["next"]
    known.hand.clock.now -= back
    assert known.kids_anew() == ["main"]


def test_keys_that_are_known_serve_though_the_clock_is_set_back_and_the_provider_is_down(
    known: Known,
) -> None:
    """TM-04."""
    known.kids()
    known.hand.say(JWKS, DOWN)
    known.hand.clock.now -= 7200
    assert known.kids() == ["main"]
    known.hand.clock.now -= STALEST
    with pytest.raises(ProviderTimeout):
        known.kids()


def test_whoever_waited_for_a_fetch_that_failed_fails_with_it(known: Known) -> None:
    known.hand.say(DISCOVERY, DOWN)
    first, second = (known.hand.start(known.provider.metadata()) for _ in range(2))
    for running in (first, second):
        with pytest.raises(ProviderTimeout):
            known.hand.finish(running)
    assert len(known.hand.fetched(DISCOVERY)) == 1


def test_a_provider_that_is_back_is_used_again(known: Known) -> None:
    known.hand.say(DISCOVERY, DOWN, answer(DOCUMENT))
    with pytest.raises(ProviderTimeout):
        known.kids()
    known.hand.clock.now += FAILURE_SHARED
    assert known.kids() == ["main"]


def test_what_is_stale_is_asked_for_again_once_the_failure_is_no_longer_shared(
    known: Known,
) -> None:
    known.kids()
    known.hand.say(JWKS, DOWN)
    known.hand.clock.now += KEYS_FRESH
    assert known.kids() == known.kids() == ["main"]
    assert len(known.hand.fetched(JWKS)) == 2
    known.hand.say(JWKS, answer({"keys": [jwk("RS256", "next")]}))
    known.hand.clock.now += FAILURE_SHARED
    assert known.kids() == ["next"]


@pytest.mark.parametrize("issuer", [f"{ISSUER}/", "https://evil.example", None])
def test_a_document_of_another_issuer_is_refused(known: Known, issuer: str | None) -> None:
    """DJ-09, CF-C03: both when first seen and when the provider has changed."""
    theirs = answer({**DOCUMENT, "issuer": issuer, "token_endpoint": "https://evil.example/token"})
    known.hand.say(DISCOVERY, theirs)
    with pytest.raises(AnswerInvalid, match="another issuer"):
        known.hand.play(known.provider.metadata())
    known.hand.say(DISCOVERY, answer(DOCUMENT), theirs)
    known.hand.clock.now += FAILURE_SHARED
    first = known.hand.play(known.provider.metadata())
    known.hand.clock.now += METADATA_FRESH
    assert known.hand.play(known.provider.metadata()) == first


def test_keys_that_were_fetched_for_an_unknown_key_are_as_fresh_as_any(known: Known) -> None:
    known.kids()
    known.hand.clock.now += KEYS_FRESH - 1
    known.kids_anew()
    known.hand.clock.now += KEYS_FRESH - 1
    known.kids()
    assert len(known.hand.fetched(JWKS)) == 2


def test_an_unknown_key_is_looked_for_once_and_then_not_for_a_while(known: Known) -> None:
    """CF-C05, DJ-10: tokens that name keys nobody has do not make us hammer the provider."""
    known.kids()
    known.hand.say(JWKS, answer({"keys": [jwk("RS256", "next")]}))
    assert known.kids_anew() == ["next"]
    for _ in range(5):
        assert known.kids_anew() == ["next"]
    assert len(known.hand.fetched(JWKS)) == 2
    known.hand.clock.now += UNKNOWN_KEY_COOL_DOWN
    known.kids_anew()
    assert len(known.hand.fetched(JWKS)) == 3


def test_the_cool_down_does_not_keep_old_keys_from_being_renewed(known: Known) -> None:
    """DJ-12."""
    known.kids()
    known.hand.clock.now += KEYS_FRESH - 1
    known.hand.say(JWKS, DOWN)
    with pytest.raises(ProviderTimeout):
        known.kids_anew()
    known.hand.say(JWKS, answer({"keys": [jwk("RS256", "next")]}))
    known.hand.clock.now += 1
    assert known.kids_anew() == ["next"]


def test_a_search_for_a_key_that_fails_leaves_the_old_keys(known: Known) -> None:
    """DJ-13."""
    known.kids()
    known.hand.say(JWKS, DOWN)
    with pytest.raises(ProviderTimeout):
        known.kids_anew()
    assert known.kids_anew() == known.kids() == ["main"]


def test_two_searches_for_a_key_are_one(known: Known) -> None:
    known.kids()
    known.hand.say(JWKS, answer({"keys": [jwk("RS256", "next")]}))
    first, second = (known.hand.start(known.provider.keys_anew()) for _ in range(2))
    assert isinstance(second.wants, Pause)
    known.hand.step(second)
    assert known.hand.finish(first) == known.hand.finish(second)
    assert len(known.hand.fetched(JWKS)) == 2


def test_a_provider_that_announces_no_s256_gets_it_all_the_same_with_a_warning(
    known: Known, caplog: pytest.LogCaptureFixture
) -> None:
    """RQ-04."""
    known.hand.say(DISCOVERY, answer({**DOCUMENT, "code_challenge_methods_supported": ["plain"]}))
    known.hand.play(known.provider.metadata())
    assert "event=pkce_s256_not_announced" in caplog.text


def test_an_error_of_another_kind_is_not_taken_for_the_providers(known: Known) -> None:
    known.hand.say(DISCOVERY, RuntimeError("a mistake of ours"))
    with pytest.raises(RuntimeError):
        known.hand.play(known.provider.metadata())
    known.hand.say(DISCOVERY, ProviderError("in trouble"), answer(DOCUMENT))
    with pytest.raises(ProviderError):
        known.hand.play(known.provider.metadata())
