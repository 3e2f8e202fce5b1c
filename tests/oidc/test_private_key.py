"""Which private keys are taken, and what is said of the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from intastellar_auth.oidc.client_auth import (
    Client,
    load_private_key,
)
from intastellar_auth.oidc.jose import ALGORITHMS, split_token

from .forge import CLIENT_ID, CURVES, jwk, key_set, private_key

if TYPE_CHECKING:
    from intastellar_auth.oidc.json_object import Json
    from intastellar_auth.oidc.jwks import Key

    from .forge import PrivateKey


def pem(key: PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def private_jwk(kind: str, **members: Json) -> str:
    key = private_key(kind)
    if isinstance(key, RSAPrivateKey):
        members = {**RSAAlgorithm.to_jwk(key, as_dict=True), **members}
    elif isinstance(key, EllipticCurvePrivateKey):
        members = {**ECAlgorithm.to_jwk(key, as_dict=True), **members}
    else:
        members = {**OKPAlgorithm.to_jwk(key, as_dict=True), **members}
    return json.dumps(members)


def refusal(text: str) -> str:
    with pytest.raises(ValueError, match=r"^the private key") as caught:
        load_private_key(text)
    return str(caught.value)


def published(kind: str, **members: Json) -> Key:
    """Return the public half as a provider has it registered."""
    return key_set(jwk(kind, **members)).keys[0]


@pytest.mark.parametrize(
    ("kind", "alg"),
    [
        ("RS256", "RS256"),
        ("ES256", "ES256"),
        ("ES384", "ES384"),
        ("ES512", "ES512"),
        ("EdDSA", "EdDSA"),
    ],
)
def test_a_pem_or_jwk_of_each_kind_signs_with_its_usual_algorithm(kind: str, alg: str) -> None:
    for text in (pem(private_key(kind)), private_jwk(kind)):
        key = load_private_key(f"\n{text}\n")
        assert key.alg == alg
        signed = split_token(key.sign({"a": 1}))
        assert signed.payload == b'{"a":1}'
        assert published(kind).verifies(signed)


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
def test_a_jwk_says_its_algorithm_and_its_name(alg: str) -> None:
    """CF-S05, PJ-06."""
    key = load_private_key(private_jwk(alg, alg=alg, kid="2026-01"))
    signed = split_token(key.sign({}))
    assert (signed.header.alg, signed.header.kid) == (alg, "2026-01")
    assert published(alg, alg=alg).verifies(signed)


def test_a_pem_may_have_its_line_breaks_written_out() -> None:
    text = pem(private_key("ES256"))
    assert load_private_key(text.replace("\n", "\\n")).kid == load_private_key(text).kid


def test_a_traditional_pem_is_read() -> None:
    text = private_key("RSA").private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    assert load_private_key(text.decode()).alg == "RS256"


def test_a_key_without_a_name_is_called_by_its_thumbprint() -> None:
    """RFC 8037 appendix A.3, and the same key in either form."""
    members = {
        "kty": "OKP",
        "crv": "Ed25519",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }
    key = load_private_key(json.dumps(members))
    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    for kind in ("RS256", "ES256", "ES384", "ES512", "EdDSA"):
        from_pem = load_private_key(pem(private_key(kind)))
        assert from_pem.kid == load_private_key(private_jwk(kind)).kid
        assert len(from_pem.kid) == 43


def test_an_rsa_jwk_without_its_primes_is_read() -> None:
    members = json.loads(private_jwk("RS256"))
    few = {name: members[name] for name in ("kty", "n", "e", "d")}
    assert load_private_key(json.dumps(few)).kid == load_private_key(private_jwk("RS256")).kid


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "neither a JWK nor a PEM"),
        ("hunter2", "neither a JWK nor a PEM"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "neither a JWK nor a PEM"),
        ("{", "not valid JSON"),
        ('{"kty": "RSA", "kty": "EC"}', "not valid JSON"),
        ('{"kty": "\ud800"}', "not valid JSON"),
        ("{}", "kty must be RSA, EC or OKP"),
        ('{"kty": "oct", "k": "AAAA"}', "kty must be RSA, EC or OKP"),
        ('{"kty": ["RSA"]}', "kty must be RSA, EC or OKP"),
        ('{"kty": "RSA"}', "missing or malformed members"),
        ('{"kty": "RSA", "n": 1, "e": 1, "d": 1}', "missing or malformed members"),
        ('{"kty": "EC", "crv": "P-256", "x": "AA", "y": [], "d": "AA"}', "missing or malformed"),
        ('{"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}', "missing or malformed"),
    ],
)
def test_a_text_that_is_no_private_key_is_explained(text: str, words: str) -> None:
    assert words in refusal(text)


def test_a_key_of_the_wrong_kind_is_explained() -> None:
    """JW-14, PJ-01."""
    assert "is a public key" in refusal(json.dumps(jwk()))
    assert "is a public key" in refusal(json.dumps(jwk("ES256")))
    assert "not RSA, EC or Ed25519" in refusal(
        ed448.Ed448PrivateKey.generate()
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )
    assert "not RSA, EC or Ed25519" in refusal(
        x25519.X25519PrivateKey.generate()
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )
    assert "P-256, P-384 or P-521" in refusal(pem(ec.generate_private_key(ec.SECP256K1())))
    assert "2048 bits or more" in refusal(
        pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))  # noqa: S505  the point
    )
    assert "not RSA, EC or Ed25519" in refusal(
        dsa.generate_private_key(key_size=2048)
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )
    public = private_key("RSA").public_key()
    assert "neither a JWK nor a PEM" in refusal(
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )


def test_an_encrypted_key_is_explained() -> None:
    text = private_key("ES256").private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
    )
    assert "without a passphrase" in refusal(text.decode())


def test_an_algorithm_that_the_key_cannot_do_is_explained() -> None:
    """CF-S05."""
    assert "alg must be one of RS256, " in refusal(private_jwk("RS256", alg="ES256"))
    assert "alg must be one of ES256" in refusal(private_jwk("ES256", alg="ES384"))
    assert "alg must be one of EdDSA, Ed25519" in refusal(private_jwk("EdDSA", alg="none"))
    assert "alg is not a string" in refusal(private_jwk("EdDSA", alg=1))
    assert "kid is not a string" in refusal(private_jwk("EdDSA", kid=["k"]))


@given(
    st.text()
    | st.dictionaries(
        st.sampled_from(["kty", "crv", "n", "e", "d", "x", "y", "p", "oth", "alg"]),
        st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519", "AQAB", "é", 1, None, [], {}]),
    ).map(json.dumps)
)
def test_any_text_is_a_key_or_an_explanation(text: str) -> None:
    with pytest.raises(ValueError, match=r"^the private key"):
        load_private_key(text)


def test_no_explanation_and_no_repr_shows_the_key() -> None:
    """TM-05."""
    key = load_private_key(private_jwk("ES256"))
    client = Client(CLIENT_ID, "private_key_jwt", secret="hunter2", private_key=key)
    assert repr(key) == f"SigningKey(alg='ES256', kid={key.kid!r})"
    assert repr(client) == f"Client(client_id={CLIENT_ID!r}, method='private_key_jwt')"
    assert "hunter2" not in refusal('{"kty": "RSA", "d": "hunter2"')


def test_curves_have_one_algorithm_each() -> None:
    """JW-13."""
    for alg in CURVES:
        assert load_private_key(pem(private_key(alg))).alg == alg
