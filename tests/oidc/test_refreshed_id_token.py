"""An ID token that came with a refresh is about the user who signed in, or is not believed."""

from __future__ import annotations

import hashlib
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.errors import TokenInvalid
from intastellar_auth.oidc.id_token import IdToken, KeyUnknown
from intastellar_auth.oidc.jose import encode_base64url
from intastellar_auth.oidc.json_object import Json
from intastellar_auth.oidc.refreshed_id_token import read_refreshed_id_token

from .forge import ACCESS_TOKEN, CLIENT_ID, ISSUER, NOW, claims, key_set, token

SIGNED_IN = NOW - 3600


class Sign(TypedDict, total=False):
    """How a token is signed."""

    alg: str
    name: str


def read(text: str, *, auth_time: float | None = SIGNED_IN) -> IdToken:
    """Return the token if it is believed."""
    return read_refreshed_id_token(
        text,
        key_set(),
        issuer=ISSUER,
        client_id=CLIENT_ID,
        access_token=ACCESS_TOKEN,
        allowed_algs=("RS256",),
        now=NOW,
        leeway=60,
        sub="alice",
        auth_time=auth_time,
    )


def at_hash(access_token: str) -> str:
    """Return the ``at_hash`` of an RS256 token."""
    return encode_base64url(hashlib.sha256(access_token.encode()).digest()[:16])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"nonce": None},
        {"auth_time": SIGNED_IN},
        {"auth_time": 0},
        {"auth_time": None},
        {"aud": [CLIENT_ID]},
        {"azp": CLIENT_ID},
        {"at_hash": at_hash(ACCESS_TOKEN)},
    ],
)
def test_a_token_of_the_same_user_is_believed(changes: dict[str, Json]) -> None:
    """OpenID Connect Core section 12.2."""
    assert read(token(claims(**changes))).sub == "alice"


def test_a_sign_in_whose_time_nobody_knows_proves_nothing_about_it() -> None:
    assert read(token(claims(auth_time=NOW)), auth_time=None).sub == "alice"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": f"{ISSUER}/"},
        {"sub": "mallory"},
        {"sub": None},
        {"aud": "another"},
        {"aud": [CLIENT_ID, "another"]},
        {"azp": "another"},
        {"iat": NOW - 90_000},
        {"iat": NOW + 61},
        {"iat": None},
        {"exp": NOW - 61},
        {"exp": None},
        {"auth_time": NOW},
        {"auth_time": "now"},
        {"at_hash": at_hash("another")},
        {"events": {}},
    ],
)
def test_a_token_of_anyone_or_anything_else_is_not(changes: dict[str, Json]) -> None:
    """OpenID Connect Core section 12.2."""
    with pytest.raises(TokenInvalid):
        read(token(claims(**changes)))


@pytest.mark.parametrize(
    ("signed", "raised"),
    [
        (Sign(alg="ES256"), TokenInvalid),
        (Sign(name="another"), KeyUnknown),
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_not_believed(
    signed: Sign, raised: type[TokenInvalid]
) -> None:
    """JW rows."""
    with pytest.raises(raised):
        read(token(claims(), **signed))


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_no_text_raises_anything_else(text: str) -> None:
    with pytest.raises(TokenInvalid):
        read(text)
