"""Who signed: steps 6 to 8 of OpenID Connect Core section 3.1.3.7."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import HMACAlgorithm
from jwt.utils import raw_to_der_signature

from intastellar_auth.oidc.id_token import KeyUnknown, read_claims
from intastellar_auth.oidc.jose import decode_base64url, encode_base64url, read_header

from .forge import CURVES, claims, jwk, key_set, private_key, token
from .sign_in import ALGS, SIGN_IN, SignIn

if TYPE_CHECKING:
    from intastellar_auth.oidc.json_object import Json


@pytest.mark.parametrize("alg", ALGS)
def test_every_asymmetric_algorithm_is_verified(alg: str) -> None:
    sign_in = SignIn(key_set(jwk(alg)), allowed_algs=(alg,))
    assert sign_in.read(token(alg=alg)).sub == "alice"


@pytest.mark.parametrize("alg", ALGS)
def test_a_broken_signature_is_refused(alg: str) -> None:
    """CF-B10, CF-D07."""
    sign_in = SignIn(key_set(jwk(alg)))
    head, _, signature = token(alg=alg).rpartition(".")
    raw = bytearray(decode_base64url(signature))
    raw[-1] ^= 1
    assert "signature" in sign_in.refusal(f"{head}.{encode_base64url(bytes(raw))}")
    assert "signature" in sign_in.refusal(f"{head}.{encode_base64url(bytes(raw[:-1]))}")
    assert "signature" in sign_in.refusal(f"{head}.{encode_base64url(bytes(raw) + bytes(1))}")


def test_an_altered_payload_is_refused() -> None:
    header, _, signature = token().split(".")
    payload = encode_base64url(json.dumps(claims(sub="mallory")).encode())
    assert "signature" in SIGN_IN.refusal(f"{header}.{payload}.{signature}")


def test_another_key_of_the_same_name_is_refused() -> None:
    """JW-06, DJ-14, DJ-20."""
    header: dict[str, Json] = {"alg": "RS256", "kid": "main"}
    assert "signature" in SIGN_IN.refusal(token(header=header, name="attacker"))


@pytest.mark.parametrize("member", ["jku", "x5u", "x5c"])
def test_a_key_that_the_header_points_to_is_not_used(member: str) -> None:
    """JW-05, JW-06."""
    header: dict[str, Json] = {"alg": "RS256", "kid": "main", member: "https://evil.example/"}
    assert "signature" in SIGN_IN.refusal(token(header=header, name="attacker"))
    assert SIGN_IN.read(token(header=header)).sub == "alice"


def test_a_key_that_the_token_brings_is_not_used() -> None:
    """JW-04, AD-48."""
    header: dict[str, Json] = {"alg": "RS256", "jwk": jwk("RS256", "attacker")}
    assert "brings its own key" in SIGN_IN.refusal(token(header=header, name="attacker"))


def _public_key_texts() -> list[bytes]:
    key = private_key("RSA")
    assert isinstance(key, RSAPrivateKey)
    public = key.public_key()
    return [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        json.dumps(jwk()).encode(),
        decode_base64url(str(jwk()["n"])),
        b"client-secret",
        b"",
    ]


@pytest.mark.parametrize("secret", _public_key_texts())
@pytest.mark.parametrize("claimed", ["HS256", "RS256"])
def test_the_public_key_is_never_a_shared_secret(secret: bytes, claimed: str) -> None:
    """JW-02, JW-03, AD-42, AD-53, AD-54, AD-61, AD-63."""
    header = encode_base64url(json.dumps({"alg": claimed, "kid": "main"}).encode())
    head = f"{header}.{encode_base64url(json.dumps(claims()).encode())}"
    mac = HMACAlgorithm(HMACAlgorithm.SHA256).sign(head.encode(), secret)
    SIGN_IN.refusal(f"{head}.{encode_base64url(mac)}")


def test_an_unsigned_token_is_refused() -> None:
    """CF-B09, CF-C04, CF-P08, JW-01, AD-49."""
    header: dict[str, Json] = {"alg": "none"}
    head = token(header=header).rpartition(".")[0]
    assert "part of the token is empty" in SIGN_IN.refusal(f"{head}.")
    assert "alg is not" in SIGN_IN.refusal(f"{head}.AAAA")


@pytest.mark.parametrize("alg", sorted(CURVES))
def test_an_ecdsa_signature_is_two_numbers_within_the_order(alg: str) -> None:
    """JW-12."""
    sign_in = SignIn(key_set(jwk(alg)))
    head, _, text = token(alg=alg).rpartition(".")
    good = decode_base64url(text)
    half = len(good) // 2
    key = private_key(alg)
    assert isinstance(key, EllipticCurvePrivateKey)
    for bad in (
        bytes(len(good)),
        bytes(half) + good[half:],
        good[:half] + bytes(half),
        b"\xff" * len(good),
        good[:half] + b"\xff" * half,
        raw_to_der_signature(good, key.curve),
        good[:-1],
        good + b"\0",
    ):
        assert "signature" in sign_in.refusal(f"{head}.{encode_base64url(bad)}")


def test_the_algorithm_is_one_that_the_provider_says_it_uses() -> None:
    """ID-17, CF-P09, CF-K05."""
    keys = key_set(jwk("RS256"), jwk("ES256"))
    assert "says it signs with" in SignIn(keys, allowed_algs=("RS256",)).refusal(token(alg="ES256"))
    assert "says it signs with" in SignIn(keys, allowed_algs=("ES256",)).refusal(token(alg="RS256"))
    assert "says it signs with" in SignIn(keys, allowed_algs=()).refusal(token())
    assert "says it signs with" in SignIn(keys, allowed_algs=("none", "HS256")).refusal(token())


def test_a_key_that_is_not_there_is_told_from_a_bad_signature() -> None:
    """CF-C05, DJ-10."""
    for keys in (key_set(jwk("RS256", "old")), key_set(jwk("ES256")), key_set(jwk(use="enc"))):
        with pytest.raises(KeyUnknown, match="no key of the provider fits"):
            SignIn(keys).read(token())


def test_a_missing_key_is_explained_by_the_keys_that_were_left_out() -> None:
    with pytest.raises(KeyUnknown, match=r"left out: key 1 is not for signatures \(use\)"):
        SignIn(key_set(jwk(use="enc"))).read(token())


def test_a_key_that_was_taken_away_no_longer_signs() -> None:
    """CF-C06, DJ-15."""
    with pytest.raises(KeyUnknown):
        SignIn(key_set(jwk("RS256", "new"))).read(token())


def test_without_a_kid_one_of_several_keys_may_verify() -> None:
    """CF-B06, CF-B07."""
    keys = key_set(jwk("RS256", "other", kid=None), jwk(kid=None), jwk("ES256"))
    header: dict[str, Json] = {"alg": "RS256"}
    assert SignIn(keys).read(token(header=header)).sub == "alice"
    assert "signature" in SignIn(keys).refusal(token(header=header, name="attacker"))


def test_a_header_can_be_read_before_there_are_keys() -> None:
    assert read_header(token()).kid == "main"


def test_claims_can_be_read_without_judging_them() -> None:
    header, read = read_claims(
        token({"any": 1}, {"alg": "RS256", "typ": "logout+jwt", "kid": "main"}),
        key_set(),
        allowed_algs=("RS256",),
        types=("logout+jwt",),
    )
    assert header.alg == "RS256"
    assert read == {"any": 1}
