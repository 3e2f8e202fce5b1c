"""What an ID token that comes with a refresh must say (OpenID Connect Core section 12.2)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intastellar_auth.errors import TokenInvalid
from intastellar_auth.oidc.id_token import MAX_LIFETIME, IdToken, KeyUnknown
from intastellar_auth.oidc.jose import ALGORITHMS, encode_base64url
from intastellar_auth.oidc.refreshed_id_token import MAX_AGE, read_refreshed_id_token

from . import forge
from .forge import ACCESS_TOKEN, CLIENT_ID, ISSUER, NONCE, NOW, jwk, key_set, sign, token
from .forge_logout import logout_claims
from .test_json_object import JSON_VALUES

if TYPE_CHECKING:
    from intastellar_auth.oidc.json_object import Json
    from intastellar_auth.oidc.jwks import KeySet

LEEWAY = 60.0
SIGNED_IN = NOW - 3600
ALGS = tuple(ALGORITHMS)


def claims(**changes: Json) -> dict[str, Json]:
    """Return the claims of a good refreshed ID token, with ``changes``."""
    return forge.claims(**{"nonce": None, "auth_time": SIGNED_IN, **changes})


@dataclass(frozen=True)
class Refresh:
    """What is known of the sign-in that a refreshed token is held against."""

    keys: KeySet = field(default_factory=key_set)
    issuer: str = ISSUER
    access_token: str = ACCESS_TOKEN
    allowed_algs: tuple[str, ...] = ALGS
    leeway: float = LEEWAY
    sub: str = "alice"
    auth_time: float | None = SIGNED_IN

    def read(self, raw: str) -> IdToken:
        """Return ``raw`` if it is believed."""
        return read_refreshed_id_token(
            raw,
            self.keys,
            issuer=self.issuer,
            client_id=CLIENT_ID,
            access_token=self.access_token,
            allowed_algs=self.allowed_algs,
            now=NOW,
            leeway=self.leeway,
            sub=self.sub,
            auth_time=self.auth_time,
        )

    def refusal(self, raw: str) -> str:
        """Return why ``raw`` is refused; a missing key would be another answer."""
        with pytest.raises(TokenInvalid) as caught:
            self.read(raw)
        assert not isinstance(caught.value, KeyUnknown)
        return caught.value.detail


REFRESH = Refresh()


def refusal(**changes: Json) -> str:
    return REFRESH.refusal(token(claims(**changes)))


def accepted(**changes: Json) -> bool:
    return REFRESH.read(token(claims(**changes))).sub == "alice"


def test_a_good_token_is_believed() -> None:
    """CF-R01, RF-05."""
    id_token = REFRESH.read(token(claims(email="new@example.com", roles=["editor"])))
    assert id_token.claims["email"] == "new@example.com"
    assert id_token.claims["roles"] == ["editor"]


@pytest.mark.parametrize(
    "iss", [None, "", f"{ISSUER}/", ISSUER.upper(), f"{ISSUER}.evil.example", [ISSUER], 1, {}]
)
def test_iss_is_the_issuer_to_the_character(iss: Json) -> None:
    """CF-R02, RF-05."""
    assert "(iss)" in refusal(iss=iss)
    assert "(iss)" in Refresh(issuer="").refusal(token(claims(iss=iss)))


@pytest.mark.parametrize("sub", ["mallory", "Alice", "alice ", "alic", "alice2"])
def test_sub_is_the_users_who_signed_in(sub: Json) -> None:
    """CF-R03, RF-05, RF-15."""
    assert "another user's (sub)" in refusal(sub=sub)


@pytest.mark.parametrize("sub", [None, "", 7, ["alice"], {}, "a" * 256, "aliçe", "alice\r\nX: y"])
def test_sub_is_one_at_all(sub: Json) -> None:
    """CF-R03, ID-10."""
    assert "sub of 1 to 255" in refusal(sub=sub)


@pytest.mark.parametrize(
    "aud", [None, "", "other", f"{CLIENT_ID}-2", [], ["other"], [CLIENT_ID, "other"], {}, 1, True]
)
def test_aud_is_us_and_nobody_else(aud: Json) -> None:
    """RF-05, ID-04."""
    assert "(aud)" in refusal(aud=aud)


def test_aud_may_be_a_list_of_us_and_azp_is_us_where_it_is() -> None:
    """RF-05, ID-03, ID-06."""
    assert accepted(aud=[CLIENT_ID], azp=CLIENT_ID)
    wrong: list[Json] = ["other", "", [CLIENT_ID], 1, False]
    for azp in wrong:
        assert "(azp)" in refusal(azp=azp)


def test_iat_is_the_time_of_the_refresh_and_not_that_of_the_sign_in() -> None:
    """RF-05, ID-08."""
    assert accepted(iat=NOW + LEEWAY)
    assert "from the future" in refusal(iat=NOW + LEEWAY + 1)
    assert accepted(iat=NOW - MAX_AGE - LEEWAY)
    assert "too old" in refusal(iat=NOW - MAX_AGE - LEEWAY - 1)
    assert "too old" in refusal(iat=SIGNED_IN)
    assert "(iat)" in refusal(iat=None)


def test_exp_and_nbf_are_as_for_any_id_token() -> None:
    """ID-07, ID-09."""
    assert "expired" in refusal(exp=NOW - LEEWAY)
    assert "more than a year" in refusal(exp=NOW + MAX_LIFETIME + 1)
    assert "(exp)" in refusal(exp=None)
    assert "not valid yet" in refusal(nbf=NOW + LEEWAY + 1)
    assert "expired" in Refresh(leeway=0).refusal(token(claims(exp=NOW)))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize("value", [str(int(NOW)), "", True, [NOW], {}])
def test_a_time_is_a_number(name: str, value: Json) -> None:
    """RF-05, ID-07, ID-08, ID-09, ID-15."""
    assert f"{name} is not a time in seconds" in refusal(**{name: value})


@pytest.mark.parametrize("auth_time", [NOW, SIGNED_IN - 1, SIGNED_IN + 1, SIGNED_IN + 0.5, -1])
def test_auth_time_is_that_of_the_sign_in(auth_time: Json) -> None:
    """RF-05: a later one would be another sign-in, which we have not seen."""
    assert "(auth_time)" in refusal(auth_time=auth_time)


def test_auth_time_may_be_unknown_to_either_side() -> None:
    """RF-05: zero is what some providers say instead of nothing."""
    for unknown in (None, 0):
        assert accepted(auth_time=unknown)
        assert Refresh(auth_time=unknown).read(token(claims(auth_time=NOW))).sub == "alice"


@pytest.mark.parametrize("nonce", [NONCE, "other", "", 7, ["a"]])
def test_a_nonce_is_ignored(nonce: Json) -> None:
    """RF-05: there should be none, and that of the sign-in is not kept."""
    assert accepted(nonce=nonce)


def test_at_hash_is_of_the_new_access_token_where_it_is() -> None:
    """RF-05, ID-13."""
    digest = hashlib.sha256(ACCESS_TOKEN.encode()).digest()
    raw = token(claims(at_hash=encode_base64url(digest[:16])))
    assert REFRESH.read(raw).sub == "alice"
    assert "(at_hash)" in Refresh(access_token="the old one").refusal(raw)
    assert "(at_hash)" in refusal(at_hash="")


def test_a_logout_token_is_not_an_id_token() -> None:
    """ID-19."""
    assert "another kind of token" in refusal(events={})
    assert "another kind of token" in REFRESH.refusal(token(logout_claims()))


def test_a_token_is_signed_by_the_provider() -> None:
    """RF-05, JW-15."""
    good = token(claims())
    assert "signature" in REFRESH.refusal(f"{good.rpartition('.')[0]}.{'A' * 342}")
    header: dict[str, Json] = {"alg": "RS256", "kid": "main"}
    assert "signature" in REFRESH.refusal(token(claims(), header, name="other"))


def test_a_token_is_signed_with_an_algorithm_of_the_providers() -> None:
    """RF-05."""
    assert "alg" in Refresh(allowed_algs=("ES256",)).refusal(token(claims()))
    unsigned = token(claims(), {"alg": "none"}).rpartition(".")[0]
    with pytest.raises(TokenInvalid):
        REFRESH.read(f"{unsigned}.")


def test_a_key_that_is_unknown_may_be_a_new_one() -> None:
    """RF-05: another set of keys may have it, as after a sign-in."""
    with pytest.raises(KeyUnknown):
        REFRESH.read(token(claims(), name="next"))


def test_no_refusal_quotes_the_token() -> None:
    """JW-20, JW-21."""
    for name in ("iss", "aud", "azp", "exp", "iat", "sub", "auth_time", "at_hash", "events"):
        assert "s3cr3t" not in refusal(**{name: "s3cr3t\n"})
    assert "s3cr3t" not in refusal(sub="s3cr3t")


FAST = Refresh(key_set(jwk("EdDSA")))


@given(
    st.dictionaries(
        st.sampled_from([*claims(), "azp", "nbf", "nonce", "at_hash", "events"]),
        JSON_VALUES,
        min_size=1,
    )
)
@example({"azp": CLIENT_ID})
@example({"nonce": None})
def test_any_signed_claims_are_believed_or_an_error_of_ours(changes: dict[str, Json]) -> None:
    payload = json.dumps({**claims(), **changes}).encode()
    try:
        believed = FAST.read(token(payload, alg="EdDSA"))
    except TokenInvalid:
        return
    assert (believed.claims["iss"], believed.sub) == (ISSUER, "alice")
    assert believed.claims["aud"] in (CLIENT_ID, [CLIENT_ID])
    assert believed.claims["auth_time"] in (None, 0, SIGNED_IN)


@given(st.text() | st.text("eyJhbGciOiJSUzI1NiJ9."))
def test_any_text_is_refused(raw: str) -> None:
    with pytest.raises(TokenInvalid):
        REFRESH.read(raw)


@given(st.binary(max_size=200))
def test_any_signed_bytes_are_an_error_of_ours(payload: bytes) -> None:
    header = encode_base64url(b'{"alg":"EdDSA","kid":"main"}')
    head = f"{header}.{encode_base64url(payload)}"
    signature = encode_base64url(sign(head.encode(), "EdDSA"))
    with pytest.raises(TokenInvalid):
        FAST.read(f"{head}.{signature}")
