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

from intastellar_auth.oidc.client_auth import Client
from intastellar_auth.oidc.jose import ALGORITHMS, split_token
from intastellar_auth.oidc.private_key import load_private_key, load_private_keys

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


def key_set_of(*jwks: str) -> str:
    """Return a JWK Set of private keys."""
    return f'{{"keys": [{", ".join(jwks)}]}}'


def test_of_a_set_the_first_key_signs_and_all_are_known() -> None:
    """PJ-06."""
    old, new = private_jwk("RS256", kid="old"), private_jwk("ES256", kid="new")
    assert [key.kid for key in load_private_keys(key_set_of(old, new))] == ["old", "new"]
    assert load_private_key(key_set_of(old, new)).kid == "old"
    assert load_private_key(key_set_of(new, old)).alg == "ES256"


def test_several_pems_are_a_set() -> None:
    """PJ-06: with or without line breaks, and whatever a tool writes between them."""
    first, second = pem(private_key("ES256")), pem(private_key("RS256"))
    text = f"{first}\nBag Attributes: none\n{second}"
    kids = [key.kid for key in load_private_keys(text)]
    assert kids == [load_private_key(first).kid, load_private_key(second).kid]
    assert [key.kid for key in load_private_keys(text.replace("\n", "\\n"))] == kids


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"keys": []}', "must be a list of one JWK or more"),
        ('{"keys": {}}', "must be a list of one JWK or more"),
        ('{"keys": null}', "must be a list of one JWK or more"),
        ('{"keys": ["hunter2"]}', "key 1: not a JWK"),
        (key_set_of(private_jwk("ES256"), "{}"), "key 2: the private key's kty must be"),
        (key_set_of(json.dumps(jwk())), "key 1: the private key is a public key"),
        (key_set_of(private_jwk("ES256", use="enc")), "key 1: the private key's use must be sig"),
        (key_set_of(*[private_jwk("ES256")] * 2), "two keys of one kid"),
        (
            key_set_of(private_jwk("ES256", kid="a"), private_jwk("RS256", kid="a")),
            "two keys of one kid",
        ),
        (pem(private_key("ES256")) * 2, "two keys of one kid"),
    ],
)
def test_a_set_that_cannot_be_used_is_explained(text: str, words: str) -> None:
    """PJ-06."""
    explained = refusal(text)
    assert words in explained
    assert "hunter2" not in explained


PUBLIC = {
    "RSA": {"kty", "n", "e"},
    "EC": {"kty", "crv", "x", "y"},
    "OKP": {"kty", "crv", "x"},
}


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
def test_what_is_published_verifies_and_has_no_private_member(alg: str) -> None:
    """CF-S09, PJ-07: the members are listed here one by one, so that none comes along."""
    key = load_private_key(private_jwk(alg, alg=alg, kid="2026-01", use="sig"))
    public = key.public_jwk()
    assert public.keys() == PUBLIC[public["kty"]] | {"use", "alg", "kid"}
    assert (public["use"], public["alg"], public["kid"]) == ("sig", alg, "2026-01")
    assert key_set({**public}).keys[0].verifies(split_token(key.sign({})))


def test_a_published_pem_is_called_by_its_thumbprint() -> None:
    """PJ-07."""
    key = load_private_key(pem(private_key("ES256")))
    assert key.public_jwk() == {**jwk("ES256"), "use": "sig", "alg": "ES256", "kid": key.kid}
