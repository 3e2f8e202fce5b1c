"""An ID token at the borders of what is believed, and what a refusal says."""

from __future__ import annotations

import math
import re

import pytest

from intastellar_auth.errors import TokenInvalid
from intastellar_auth.oidc.id_token import KeyUnknown, check_times, read_time
from intastellar_auth.oidc.json_object import Json

from .forge import NOW, claims, jwk, key_set, token
from .sign_in import SIGN_IN, SignIn, accepted, refusal

YEAR = 366 * 86_400


def test_a_token_may_live_for_366_days_and_no_second_longer() -> None:
    """ID-07."""
    assert accepted(exp=NOW + YEAR)
    assert "more than a year" in refusal(exp=NOW + YEAR + 1)


def test_a_sub_of_one_character_is_one() -> None:
    """ID-10."""
    assert SIGN_IN.read(token(claims(sub="7"))).sub == "7"


@pytest.mark.parametrize(
    ("name", "value", "for_good"),
    [("iss", "https://other.example", True), ("aud", "other", True), ("exp", 1, False)],
)
def test_only_what_the_owner_has_to_set_right_is_refused_for_good(
    name: str, value: Json, *, for_good: bool
) -> None:
    """To sign in once more helps where a clock is wrong, perhaps, and not where a setting is."""
    with pytest.raises(TokenInvalid) as caught:
        SIGN_IN.read(token(claims(**{name: value})))
    assert caught.value.permanent is for_good


def test_a_missing_sub_is_told_in_full() -> None:
    """ID-10."""
    said = refusal(sub=None)
    assert said == "the ID token has no sub of 1 to 255 printable ASCII characters"


def test_a_token_that_no_key_fits_is_told_apart_and_says_what_was_left_out() -> None:
    """The operator sees whether the keys are unknown or cannot be used."""
    stranger = token(header={"alg": "RS256", "kid": "another"})
    with pytest.raises(KeyUnknown) as caught:
        SIGN_IN.read(stranger)
    assert caught.value.detail == "no key of the provider fits the token's kid and alg"
    keys = key_set(jwk(), {"kty": "oct", "kid": "another", "k": "AAAA"})
    (reason,) = keys.skipped
    with pytest.raises(KeyUnknown, match=re.escape(f" (left out: {reason})") + "$"):
        SignIn(keys).read(stranger)


def test_a_token_says_when_it_was_issued() -> None:
    """ID-08: a logout token is held against that time."""
    issued = check_times(claims(iat=NOW - 5), now=NOW, leeway=0.0, max_iat_age=60.0)
    assert issued == NOW - 5


def test_a_time_is_a_number_of_seconds_with_a_fraction() -> None:
    """RFC 7519 section 2: NumericDate."""
    for value in (1, 1.5):
        read = read_time({"exp": value}, "exp")
        assert read == value
        assert isinstance(read, float)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, "1", True])
def test_what_is_no_moment_is_no_time(value: float | str) -> None:
    """ID-07: not a number would be neither before nor after any time."""
    with pytest.raises(TokenInvalid) as caught:
        read_time({"exp": value}, "exp")
    assert caught.value.detail == "the token's exp is not a time in seconds"
