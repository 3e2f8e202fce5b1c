"""An ID token as bytes: no change to one survives, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from intastellar_auth.errors import TokenInvalid
from intastellar_auth.oidc.id_token import KeyUnknown
from intastellar_auth.oidc.jose import MAX_TOKEN, encode_base64url

from .forge import CLIENT_ID, ISSUER, NONCE, claims, jwk, key_set, sign, token
from .sign_in import SIGN_IN, SignIn, refusal
from .test_json_object import JSON_VALUES

if TYPE_CHECKING:
    from intastellar_auth.oidc.json_object import Json


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"null",
        b'"iss"',
        b"{",
        b'{"iss": "\xff"}',
        rb'{"name": "\ud800"}',
        json.dumps(claims()).encode()[:-1] + b', "iss": "https://evil.example"}',
        json.dumps(claims()).encode()[:-1] + b', "sub": "alice"}',
        json.dumps(claims()).encode()[:-1] + b', "exp2": 1e400}',
        json.dumps(claims()).encode()[:-1] + b', "a": ' + b"[" * 9000 + b"]" * 9000 + b"}",
    ],
)
def test_a_payload_that_is_not_one_clear_object_is_refused(payload: bytes) -> None:
    """ID-20, ID-21, AD-66."""
    assert "the token's payload" in SIGN_IN.refusal(token(payload))


def test_strange_names_are_names() -> None:
    """ID-22."""
    strange: dict[str, Json] = {"__proto__": {"is_authenticated": True}, "constructor": 1}
    assert SIGN_IN.read(token(claims(**strange))).claims["__proto__"] == {"is_authenticated": True}


def test_claims_of_a_megabyte_are_refused() -> None:
    """ID-22, JW-17."""
    assert "longer than" in refusal(deep=["x" * 1000] * (MAX_TOKEN // 1000))


GOOD = {alg: token(alg=alg) for alg in ("RS256", "ES256", "EdDSA")}
ALL_KEYS = SignIn(key_set(*(jwk(alg) for alg in GOOD)))


@given(
    st.sampled_from(sorted(GOOD)),
    st.integers(0, 2000),
    st.integers(0, 2),
    st.text("A-_.=e0\n\0é", max_size=3),
)
def test_no_change_to_a_token_leaves_it_valid(alg: str, at: int, drop: int, put: str) -> None:
    """JW-15, AD-75."""
    good = GOOD[alg]
    at %= len(good) + 1
    changed = good[:at] + put + good[at + drop :]
    assume(changed != good)
    with pytest.raises(TokenInvalid):
        ALL_KEYS.read(changed)


@given(st.text() | st.text("eyJhbGciOiJSUzI1NiJ9."))
def test_any_text_is_refused(raw: str) -> None:
    with pytest.raises(TokenInvalid):
        SIGN_IN.read(raw)


@given(
    st.dictionaries(
        st.sampled_from([*claims(), "azp", "nbf", "auth_time", "at_hash", "events", "acr"]),
        JSON_VALUES,
        min_size=1,
    )
)
@example({"azp": CLIENT_ID})
@example({"azp": "other"})
def test_any_signed_claims_are_believed_or_an_error_of_ours(changes: dict[str, Json]) -> None:
    # Signed with a fast key: the claims are the point.
    payload = json.dumps({**claims(), **changes}).encode()
    try:
        id_token = ALL_KEYS.read(token(payload, alg="EdDSA"))
    except TokenInvalid:
        return
    assert id_token.claims["iss"] == ISSUER
    assert id_token.claims["nonce"] == NONCE
    assert id_token.claims["aud"] in (CLIENT_ID, [CLIENT_ID])


@given(st.binary(max_size=200))
def test_any_signed_bytes_are_an_error_of_ours(payload: bytes) -> None:
    header = encode_base64url(b'{"alg":"EdDSA","kid":"main"}')
    head = f"{header}.{encode_base64url(payload)}"
    signature = encode_base64url(sign(head.encode(), "EdDSA"))
    with pytest.raises(TokenInvalid):
        ALL_KEYS.read(f"{head}.{signature}")


def test_no_refusal_quotes_the_token() -> None:
    """JW-20, JW-21, AD-68."""
    secret = "s3cr3t"
    for name in ("iss", "aud", "azp", "exp", "iat", "nonce", "sub", "at_hash", "events"):
        assert secret not in refusal(**{name: secret + "\n"})
    assert secret not in SIGN_IN.refusal(token(header={"alg": secret}))
    with pytest.raises(KeyUnknown) as caught:
        SIGN_IN.read(token(header={"alg": "RS256", "kid": secret}))
    assert secret not in caught.value.detail
    assert caught.value.sentence == TokenInvalid.sentence
    assert caught.value.status == TokenInvalid.status
