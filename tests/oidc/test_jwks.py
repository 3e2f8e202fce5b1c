"""Which keys are taken from a key set, and which of them are asked."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import example, given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from intastellar_auth.core.effects import Fetch
from intastellar_auth.errors import AnswerInvalid
from intastellar_auth.oidc.jose import ALGORITHMS, JoseHeader, encode_base64url, split_token
from intastellar_auth.oidc.jwks import (
    MAX_CANDIDATES,
    MAX_KEYS,
    build_jwks_request,
    read_jwks_answer,
)

from .forge import CURVES, answer, jwk, key_set, private_key, token
from .test_json_object import JSON_VALUES

if TYPE_CHECKING:
    from intastellar_auth.oidc.json_object import Json


def reason(*entries: Json) -> str:
    keys = key_set(*entries)
    assert keys.keys == ()
    assert len(keys.skipped) == 1
    return keys.skipped[0]


def number(value: int) -> str:
    return encode_base64url(value.to_bytes((value.bit_length() + 7) // 8 or 1))


def test_the_request_asks_for_a_key_set() -> None:
    """CF-C02."""
    assert build_jwks_request("https://a.example/jwks") == Fetch(
        "GET",
        "https://a.example/jwks",
        headers=(("accept", "application/jwk-set+json, application/json"),),
    )


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
def test_a_key_verifies_what_it_signed_and_nothing_else(alg: str) -> None:
    key, other = key_set(jwk(alg), jwk(alg, "other")).keys
    signed = split_token(token(alg=alg))
    assert key.verifies(signed)
    assert not other.verifies(signed)


@pytest.mark.parametrize(("key_alg", "token_alg"), [*product(sorted(ALGORITHMS), repeat=2)])
def test_a_key_with_an_alg_verifies_that_alg_alone(key_alg: str, token_alg: str) -> None:
    """JW-10, JW-23, CF-S10, AD-58, AD-110."""
    keys = key_set(jwk(key_alg, alg=key_alg))
    signed = split_token(token(alg=token_alg))
    assert bool(keys.candidates(signed.header)) is (key_alg == token_alg)
    assert keys.keys[0].verifies(signed) is (key_alg == token_alg)


def test_a_key_without_an_alg_verifies_what_its_kind_can() -> None:
    """CF-S10, JW-13."""
    rsa_algs = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    assert key_set(jwk("RS256")).keys[0].algs == rsa_algs
    assert key_set(jwk("EdDSA")).keys[0].algs == {"EdDSA", "Ed25519"}
    for alg in CURVES:
        assert key_set(jwk(alg)).keys[0].algs == {alg}


def test_decoys_under_the_same_kid_are_passed_over() -> None:
    """CF-S10, DJ-20."""
    keys = key_set(
        jwk("ES256", kid="k"),
        jwk("RS256", "decoy", kid="k", alg="PS256"),
        jwk("RS256", "encryption", kid="k", use="enc"),
        jwk("RS256", kid="k", alg="RS256"),
    )
    (candidate,) = keys.candidates(JoseHeader("RS256", "k"))
    assert candidate.verifies(split_token(token()))


def test_a_kid_is_looked_up_exactly() -> None:
    """JW-07."""
    keys = key_set(jwk(kid="k"), jwk(kid=None))
    assert [key.kid for key in keys.candidates(JoseHeader("RS256", "k"))] == ["k"]
    for kid in ("K", "k ", "", "kk"):
        assert keys.candidates(JoseHeader("RS256", kid)) == ()


def test_without_a_kid_the_one_key_that_fits_is_taken() -> None:
    """CF-B06."""
    keys = key_set(jwk("ES256"), jwk("RS256", "enc", use="enc"), jwk("RS256"), jwk("EdDSA"))
    (candidate,) = keys.candidates(JoseHeader("RS256", None))
    assert candidate.kty == "RSA"


def test_without_a_kid_only_so_many_keys_are_tried() -> None:
    """CF-B07, SS-10."""
    keys = key_set(*(jwk("ES256", f"key-{n}", kid=None) for n in range(MAX_CANDIDATES + 2)))
    assert len(keys.keys) == MAX_CANDIDATES + 2
    assert keys.candidates(JoseHeader("ES256", None)) == keys.keys[:MAX_CANDIDATES]


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"{}", b'{"keys": {}}', b'{"keys": null}', b"<html>", b""]
)
def test_what_is_not_a_key_set_is_refused(body: bytes) -> None:
    """DJ-14."""
    with pytest.raises(AnswerInvalid, match="the key set"):
        read_jwks_answer(answer(body))


def test_a_key_set_must_come_with_status_200() -> None:
    """DJ-05."""
    for status in (302, 404, 503):
        with pytest.raises(AnswerInvalid, match=f"status {status}"):
            read_jwks_answer(answer({"keys": []}, status))


def test_a_key_set_from_a_plain_file_server_is_read() -> None:
    keys = read_jwks_answer(answer({"keys": [jwk()]}, media_type="application/octet-stream"))
    assert len(keys.keys) == 1


def test_a_key_set_has_a_sane_size() -> None:
    """DJ-14."""
    entries: list[Json] = [{}] * MAX_KEYS
    assert len(read_jwks_answer(answer({"keys": entries})).skipped) == MAX_KEYS
    with pytest.raises(AnswerInvalid, match="more than 100 keys"):
        read_jwks_answer(answer({"keys": [*entries, {}]}))


def test_one_bad_key_does_not_hide_a_good_one() -> None:
    """DJ-14, CF-S10."""
    bad: list[Json] = [None, 7, "x", [], {}, {"kty": None, "kid": []}, jwk(n="!")]
    keys = key_set(*bad, jwk())
    assert [key.kid for key in keys.keys] == ["main"]
    assert len(keys.skipped) == len(bad)
    assert keys.skipped[0] == "key 1 is not an object"


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_key_given_away_is_not_trusted(member: str) -> None:
    """DJ-14."""
    assert "secret members" in reason(jwk(**{member: "AQAB"}))


def test_a_shared_secret_is_never_a_key() -> None:
    """DJ-14, JW-03, AD-61."""
    assert "secret members" in reason({"kty": "oct", "k": "AAAA", "kid": "main"})
    assert "kty that is not" in reason({"kty": "oct", "kid": "main"})


@pytest.mark.parametrize("kty", ["rsa", "", None, 1, ["RSA"], {}])
def test_an_unknown_kind_of_key_is_skipped(kty: Json) -> None:
    """CF-S10."""
    assert "kty that is not" in reason({**jwk(), "kty": kty})


@pytest.mark.parametrize("use", ["enc", "SIG", "", 1, ["sig"]])
def test_a_key_for_another_use_is_skipped(use: Json) -> None:
    """JW-11."""
    assert "(use)" in reason(jwk(use=use))


@pytest.mark.parametrize("key_ops", [[], ["sign"], ["encrypt"], "verify", 1, {}])
def test_a_key_without_the_operation_verify_is_skipped(key_ops: Json) -> None:
    """JW-11."""
    assert "(key_ops)" in reason(jwk(key_ops=key_ops))


def test_a_key_for_signatures_is_taken() -> None:
    assert (
        len(key_set(jwk(use="sig"), jwk(key_ops=["verify"]), jwk(use="sig", alg="RS256")).keys) == 3
    )


@pytest.mark.parametrize("members", [{"kid": 1}, {"kid": ["k"]}, {"alg": 1}, {"alg": ["RS256"]}])
def test_a_kid_or_alg_that_is_not_a_string_is_skipped(members: dict[str, Json]) -> None:
    """JW-07."""
    assert "not a string" in reason({**jwk(), **members})


@pytest.mark.parametrize(
    ("kind", "alg"),
    [
        ("RS256", "ES256"),
        ("RS256", "HS256"),
        ("RS256", "none"),
        ("RS256", "RSA-OAEP"),
        ("RS256", ""),
        ("ES256", "ES384"),
        ("ES256", "RS256"),
        ("EdDSA", "ES256"),
    ],
)
def test_an_alg_that_does_not_fit_the_kind_of_key_is_skipped(kind: str, alg: str) -> None:
    """JW-10, JW-13."""
    assert "alg that is not for signatures" in reason(jwk(kind, alg=alg))


@pytest.mark.parametrize("bits", [512, 1024, 2047, 8193, 16384])
def test_an_rsa_key_is_neither_weak_nor_slow(bits: int) -> None:
    """JW-14, SS-10."""
    assert "does not have 2048 to 8192 bits" in reason(jwk(n=number(2 ** (bits - 1) + 1)))


@pytest.mark.parametrize("exponent", [0, 1, 2, 65536, 2**32 + 1, 2**2047 + 1])
def test_an_rsa_exponent_is_safe(exponent: int) -> None:
    """JW-14."""
    assert "exponent" in reason(jwk(e=number(exponent)))


def test_an_rsa_modulus_is_odd() -> None:
    """JW-14."""
    assert "even modulus" in reason(jwk(n=number(2**2048 - 2)))


@pytest.mark.parametrize("name", ["n", "e"])
def test_an_rsa_key_without_a_number_is_skipped(name: str) -> None:
    """CF-S10."""
    values: list[Json] = [None, 65537, [], "AQAB=", "A", " AQAB"]
    for value in values:
        entry: dict[str, Json] = {**jwk(), name: value}
        assert reason(entry).endswith((f"lacks {name}", f"has a malformed {name}"))


def test_a_curve_we_do_not_know_is_skipped() -> None:
    """JW-13, CF-S10."""
    koblitz = ec.generate_private_key(ec.SECP256K1()).public_key()
    edwards = ed448.Ed448PrivateKey.generate().public_key()
    entries: list[Json] = [
        dict(ECAlgorithm.to_jwk(koblitz, as_dict=True)),
        dict(OKPAlgorithm.to_jwk(edwards, as_dict=True)),
        {**jwk("ES256"), "crv": None},
        {**jwk("ES256"), "crv": ["P-256"]},
    ]
    for entry in entries:
        assert "curve we do not know" in reason(entry)


def test_a_point_is_on_its_curve() -> None:
    """JW-13."""
    good = jwk("ES256")
    swapped: dict[str, Json] = {**good, "x": good["y"], "y": good["x"]}
    assert "is not a valid key" in reason(swapped)
    zero = encode_base64url(bytes(32))
    assert "is not a valid key" in reason({**good, "x": zero, "y": zero})


def test_coordinates_have_the_length_of_their_curve() -> None:
    """JW-13."""
    assert "wrong length" in reason({**jwk("ES256"), "crv": "P-384"})
    assert "wrong length" in reason({**jwk("ES256"), "y": "AAAA"})


def test_an_ed25519_key_has_32_bytes() -> None:
    """JW-23."""
    assert "is not a valid key" in reason(jwk("EdDSA", x="AAAA"))


def test_a_key_set_shows_no_more_than_it_must() -> None:
    assert "public_key" not in repr(key_set())


MEMBERS = st.sampled_from(
    ["kty", "kid", "alg", "use", "key_ops", "n", "e", "crv", "x", "y", "d", "k"]
)
VALUES = JSON_VALUES | st.sampled_from(["RSA", "EC", "OKP", "oct", "sig", "P-256", "Ed25519", "AQ"])


@given(
    st.sampled_from(["RS256", "ES256", "EdDSA"]),
    st.dictionaries(MEMBERS, VALUES, min_size=1, max_size=3),
)
@example("ES256", {"use": "sig"})
@example("ES256", {"use": "enc"})
def test_any_entry_is_a_key_or_skipped(kind: str, changes: dict[str, Json]) -> None:
    body = json.dumps({"keys": [{**jwk(kind), **changes}]}).encode()
    keys = read_jwks_answer(answer(body))
    assert len(keys.keys) + len(keys.skipped) == 1
    for key in keys.keys:
        assert key.algs <= set(ALGORITHMS)


def test_a_published_private_key_verifies_nothing() -> None:
    """DJ-14, AD-98."""
    key = private_key("RSA")
    assert isinstance(key, RSAPrivateKey)
    given_away = RSAAlgorithm.to_jwk(key, as_dict=True)
    assert key_set({**given_away, "kid": "main"}).candidates(JoseHeader("RS256", "main")) == ()
