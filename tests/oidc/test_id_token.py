"""What a signed ID token must say to be believed (OpenID Connect Core section 3.1.3.7)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.errors import AnswerInvalid
from intastellar_auth.oidc.id_token import DAY, MAX_LIFETIME, check_sub
from intastellar_auth.oidc.jose import encode_base64url

from .forge import ACCESS_TOKEN, CLIENT_ID, ISSUER, NONCE, NOW, claims, jwk, key_set, token
from .sign_in import ALGS, LEEWAY, SIGN_IN, SignIn, accepted, refusal

if TYPE_CHECKING:
    from intastellar_auth.oidc.json_object import Json


def test_a_good_token_is_believed() -> None:
    """CF-B01, CF-B08, ID-02."""
    id_token = SIGN_IN.read(token(claims(email="alice@example.com", unknown=[1])))
    assert id_token.sub == "alice"
    assert id_token.claims["email"] == "alice@example.com"


def test_claims_do_not_show() -> None:
    """TM-05, JW-21."""
    assert "alice" not in repr(SIGN_IN.read(token()))


# --- iss: step 2


@pytest.mark.parametrize(
    "iss",
    [
        None,
        "",
        f"{ISSUER}/",
        ISSUER.upper(),
        ISSUER.replace("https", "http"),
        ISSUER[:-1],
        f"{ISSUER}.evil.example",
        f"https://evil.example/?{ISSUER}",
        f"{ISSUER}:443",
        [ISSUER],
        1,
        {},
    ],
)
def test_iss_is_the_issuer_to_the_character(iss: Json) -> None:
    """ID-01, ID-24, CF-B02, CF-P04, AD-55, AD-90, AD-104."""
    assert "(iss)" in refusal(iss=iss)
    assert "(iss)" in SignIn(issuer="").refusal(token(claims(iss=iss)))


# --- aud and azp: steps 3 to 5


def test_aud_may_be_a_list_of_us() -> None:
    """ID-02, ID-03, CF-P07."""
    assert accepted(aud=[CLIENT_ID])


@pytest.mark.parametrize(
    "aud",
    [
        None,
        "",
        "other",
        CLIENT_ID[:-1],
        f"{CLIENT_ID}-2",
        f"{CLIENT_ID} other",
        CLIENT_ID.upper(),
        [],
        ["other"],
        [[CLIENT_ID]],
        [CLIENT_ID, "other"],
        ["other", CLIENT_ID],
        {CLIENT_ID: 1},
        1,
        True,
    ],
)
@pytest.mark.parametrize("azp", [None, CLIENT_ID, "other"])
def test_aud_is_us_and_nobody_else(aud: Json, azp: str | None) -> None:
    """ID-04, ID-05, CF-B04, CF-D08, CF-P05, CF-P06, AD-90, AD-94.

    An extra audience would have to be configured as trusted, and there is no such setting.
    """
    assert "(aud)" in refusal(aud=aud, azp=azp)


def test_azp_is_us_where_it_is() -> None:
    """ID-06."""
    assert accepted(azp=CLIENT_ID)
    wrong: list[Json] = ["other", "", [CLIENT_ID], 1, False]
    for azp in wrong:
        assert "(azp)" in refusal(azp=azp)


# --- exp, iat, nbf: steps 9 and 10

NO_TIMES: list[Json] = [str(int(NOW)), "", True, False, [NOW], {}, "soon"]


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize("value", NO_TIMES)
def test_a_time_is_a_number(name: str, value: Json) -> None:
    """ID-07, ID-08, ID-09, ID-15."""
    assert f"{name} is not a time in seconds" in refusal(**{name: value})


@pytest.mark.parametrize("name", ["exp", "iat"])
def test_a_token_says_when_it_was_issued_and_when_it_ends(name: str) -> None:
    """ID-07, ID-08, CF-B05, CF-P10."""
    assert f"({name})" in refusal(**{name: None})


def test_exp_is_past_at_its_very_second() -> None:
    """ID-07, CF-P10."""
    assert accepted(exp=NOW - LEEWAY + 0.5)
    assert "expired" in refusal(exp=NOW - LEEWAY)
    assert "expired" in refusal(exp=NOW - 301)
    assert "expired" in refusal(exp=0)
    assert "expired" in refusal(exp=-1)
    assert "expired" in SignIn(leeway=0).refusal(token(claims(exp=NOW)))


def test_exp_is_not_out_of_this_world() -> None:
    """ID-07."""
    assert accepted(exp=NOW + MAX_LIFETIME)
    assert "more than a year" in refusal(exp=NOW + MAX_LIFETIME + 1)
    assert "more than a year" in refusal(exp=253_370_764_800)
    assert "more than a year" in refusal(exp=1e308)


def test_a_time_may_have_a_fraction() -> None:
    """ID-07, RFC 7519 section 2: NumericDate."""
    assert accepted(exp=NOW + 0.25, iat=NOW - 0.25)


def test_iat_is_recent_and_not_ahead() -> None:
    """ID-08."""
    assert accepted(iat=NOW + LEEWAY)
    assert "from the future" in refusal(iat=NOW + LEEWAY + 1)
    assert accepted(iat=NOW - DAY - LEEWAY)
    assert "too old" in refusal(iat=NOW - DAY - LEEWAY - 1)
    assert "too old" in refusal(iat=NOW - 7 * DAY)


def test_the_greatest_age_can_be_chosen() -> None:
    """ID-08."""
    assert "too old" in SignIn(leeway=0, max_iat_age=99).refusal(token(claims(iat=NOW - 100)))


def test_nbf_has_come_where_it_is() -> None:
    """ID-09."""
    assert accepted(nbf=NOW + LEEWAY)
    assert "not valid yet" in refusal(nbf=NOW + LEEWAY + 1)


# --- nonce: step 11


@pytest.mark.parametrize(
    "nonce", [None, "", "other", NONCE[:-1], f"{NONCE}A", NONCE.swapcase(), "é", [NONCE], 1, True]
)
def test_the_nonce_is_ours_to_the_character(nonce: Json) -> None:
    """ID-11, CB-19, CF-B12, CF-P11, R9-03."""
    assert "nonce" in refusal(nonce=nonce)


@pytest.mark.parametrize("claimed", [None, "", NONCE])
def test_a_sign_in_without_a_nonce_believes_nothing(claimed: str | None) -> None:
    """ID-12, AD-81."""
    assert "has no nonce" in SignIn(nonce="").refusal(token(claims(nonce=claimed)))


# --- acr, auth_time: steps 12 and 13


def test_acr_is_one_of_those_asked_for() -> None:
    """ID-16."""
    sign_in = SignIn(acr_values=("gold", "silver"))
    assert sign_in.read(token(claims(acr="silver"))).sub == "alice"
    wrong: list[Json] = [None, "bronze", "", "gold silver", ["gold"], 1]
    for acr in wrong:
        assert "(acr)" in sign_in.refusal(token(claims(acr=acr)))
        assert accepted(acr=acr)


def test_auth_time_is_as_recent_as_was_asked() -> None:
    """ID-15."""
    sign_in = SignIn(max_age=300)
    oldest = NOW - 300 - LEEWAY
    for good in (NOW, NOW + LEEWAY, oldest):
        assert sign_in.read(token(claims(auth_time=good))).sub == "alice"
    for bad in (oldest - 1, NOW + LEEWAY + 1, 0):
        assert "longer ago than was asked for" in sign_in.refusal(token(claims(auth_time=bad)))
    assert "does not say when" in sign_in.refusal(token(claims(auth_time=None)))
    # Nobody asked: zero is what some providers say instead of nothing.
    assert accepted(auth_time=0)


def test_max_age_zero_asks_for_a_sign_in_just_now() -> None:
    """ID-15."""
    assert "(auth_time)" in SignIn(max_age=0).refusal(token(claims(auth_time=NOW - 61)))


# --- at_hash, c_hash: section 3.1.3.8


def at_hash(name: str) -> str:
    digest = hashlib.new(name, ACCESS_TOKEN.encode()).digest()
    return encode_base64url(digest[: len(digest) // 2])


HASHES = {alg: {"256": "sha256", "384": "sha384"}.get(alg[2:], "sha512") for alg in ALGS}


@pytest.mark.parametrize("alg", ALGS)
def test_at_hash_is_made_with_the_hash_of_the_signature(alg: str) -> None:
    """ID-13, CF-D06, AD-50."""
    sign_in = SignIn(key_set(jwk(alg)))
    for name in ("sha256", "sha384", "sha512"):
        raw = token(claims(at_hash=at_hash(name)), alg=alg)
        if name == HASHES[alg]:
            assert sign_in.read(raw).sub == "alice"
        else:
            assert "(at_hash)" in sign_in.refusal(raw)


def test_at_hash_is_the_one_of_the_example_in_the_specification() -> None:
    """Core appendix A.3: the access token above, RS256."""
    assert at_hash("sha256") == "77QmUPtjPfzWtF2AnpK9RQ"


@pytest.mark.parametrize("value", ["", "A" * 22, "é", 1, True, ["77QmUPtjPfzWtF2AnpK9RQ"]])
def test_a_wrong_at_hash_is_refused(value: Json) -> None:
    """ID-13, CF-D06."""
    assert "(at_hash)" in refusal(at_hash=value)


def test_a_swapped_access_token_is_noticed() -> None:
    """ID-13."""
    raw = token(claims(at_hash=at_hash("sha256")))
    assert "(at_hash)" in SignIn(access_token="another").refusal(raw)


def test_hashes_of_other_flows_are_ignored() -> None:
    """ID-14."""
    assert accepted(c_hash="A" * 22, s_hash=1)


# --- sub, events: section 2


@pytest.mark.parametrize(
    "sub", [None, "", 7, True, ["alice"], {}, "a" * 256, "aliçe", "alice\r\nX: y", "a\0", "a\x7f"]
)
def test_sub_is_255_printable_ascii_characters_at_most(sub: Json) -> None:
    """ID-10, CF-B03."""
    assert "sub of 1 to 255" in refusal(sub=sub)


def test_the_longest_sub_is_accepted() -> None:
    """ID-10."""
    assert SIGN_IN.read(token(claims(sub="a" * 255))).sub == "a" * 255


def test_a_sub_can_be_asked_for_with_another_error() -> None:
    assert check_sub({"sub": "alice"}, "it", AnswerInvalid) == "alice"
    with pytest.raises(AnswerInvalid, match="it has no sub"):
        check_sub({}, "it", AnswerInvalid)


@pytest.mark.parametrize(
    "events", [{"http://schemas.openid.net/event/backchannel-logout": {}}, {}, [], "", 0]
)
def test_a_logout_token_is_not_an_id_token(events: Json) -> None:
    """ID-19."""
    assert "another kind of token" in refusal(events=events)


def test_null_events_are_events() -> None:
    """ID-19."""
    payload = json.dumps(claims()).encode()[:-1] + b', "events": null}'
    assert "another kind of token" in SIGN_IN.refusal(token(payload))


def test_optional_claims_may_be_null() -> None:
    payload = json.dumps(claims()).encode()[:-1] + (
        b', "azp": null, "nbf": null, "auth_time": null, "at_hash": null}'
    )
    assert SIGN_IN.read(token(payload)).sub == "alice"
