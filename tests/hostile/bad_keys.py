"""ID tokens signed with the wrong key, the wrong algorithm, or a key that nobody should trust."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .cases import Case, Verdict, algorithms, both, id_token, jwks
from .jose import Json, as_bytes, b64, compact, ec_key, ed_key, hs256, jws, main_key, rsa_key
from .provider import CLIENT_SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    from .provider import Misbehaviour

ACCEPT, REJECT, SAFE = Verdict.ACCEPT, Verdict.REJECT, Verdict.SAFE
HEADER: Json = {"alg": "RS256", "kid": "main"}


def _es256(signature: bytes) -> Misbehaviour:
    es256: Json = {"alg": "ES256", "kid": "curve"}
    keys = jwks(lambda given: [*given, ec_key("curve").jwk()])
    forged = id_token(lambda given: compact(es256, given, signature))
    return both(algorithms("RS256", "ES256"), keys, forged)


def _confusion(encoding: Encoding, form: PublicFormat) -> Misbehaviour:
    """Sign by HMAC with the provider's public key as the secret (CVE-2016-10555 and its heirs)."""
    public = main_key().private.public_key().public_bytes(encoding, form)
    return both(algorithms("RS256", "HS256"), id_token(lambda given: hs256(given, public)))


def _only(key: Json, forge: Callable[[Json], object]) -> Misbehaviour:
    return both(algorithms("RS256", "ES256", "PS256"), jwks(lambda _: [key]), id_token(forge))


def _exponent_one(given: Json) -> str:
    """With e=1 a signature is the padded digest itself: anyone can write it."""
    key = rsa_key("attacker")
    unsigned = f"{b64(as_bytes(HEADER))}.{b64(as_bytes(given))}"
    signed = int.from_bytes(key.sign(unsigned.encode()))
    numbers = key.private.public_key().public_numbers()  # type: ignore[union-attr]  # RSA by name
    padded = pow(signed, numbers.e, numbers.n)  # type: ignore[union-attr]
    return f"{unsigned}.{b64(padded.to_bytes(256))}"


def _es256_as_rs256(given: Json) -> str:
    return jws(given, ec_key("main"), {"alg": "RS256", "kid": "main"})


def _p384_as_es256(given: Json) -> str:
    return jws(given, ec_key("main384", "ES384"), {"alg": "ES256", "kid": "main384"})


ES256 = both(algorithms("RS256", "ES256"), jwks(lambda keys: [*keys, ec_key("curve").jwk()]))
SIGNED_ES256 = id_token(lambda given: jws(given, ec_key("curve")))
ALL_ALGORITHMS = algorithms("RS256", "HS256")

CASES = (
    *(
        Case("JW-02", f"hmac_with_{name}", REJECT, _confusion(encoding, form))
        for name, encoding, form in (
            ("spki_pem", Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            ("spki_der", Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            ("pkcs1_pem", Encoding.PEM, PublicFormat.PKCS1),
            ("pkcs1_der", Encoding.DER, PublicFormat.PKCS1),
            ("openssh", Encoding.OpenSSH, PublicFormat.OpenSSH),
        )
    ),
    Case(
        "JW-02",
        "hmac_with_jwk_text",
        REJECT,
        both(ALL_ALGORITHMS, id_token(lambda c: hs256(c, as_bytes(main_key().jwk())))),
    ),
    Case(
        "JW-03 CF-D07",
        "hmac_with_client_secret",
        REJECT,
        id_token(lambda c: hs256(c, CLIENT_SECRET.encode())),
    ),
    Case("JW-03", "hmac_with_empty_key", REJECT, id_token(lambda c: hs256(c, b""))),
    Case(
        "DJ-14",
        "hmac_with_a_published_oct_key",
        REJECT,
        both(
            ALL_ALGORITHMS,
            jwks(lambda k: [*k, {"kty": "oct", "k": b64(b"k" * 32), "kid": "oct", "alg": "HS256"}]),
            id_token(lambda c: hs256(c, b"k" * 32, kid="oct")),
        ),
    ),
    Case(
        "CF-B06",
        "kid_absent_one_key",
        ACCEPT,
        id_token(lambda c: jws(c, main_key(), {"alg": "RS256"})),
    ),
    Case(
        "CF-B07",
        "kid_absent_several_keys",
        SAFE,
        both(
            jwks(lambda _: [rsa_key("attacker").jwk(kid=None), main_key().jwk(kid=None)]),
            id_token(lambda c: jws(c, main_key(), {"alg": "RS256"})),
        ),
    ),
    Case(
        "JW-07",
        "kid_twice_in_jwks",
        SAFE,
        jwks(lambda k: [rsa_key("attacker").jwk(kid="main"), *k]),
    ),
    Case(
        "JW-10",
        "jwk_says_another_alg",
        REJECT,
        _only(main_key().jwk(alg="PS256"), lambda c: jws(c, main_key())),
    ),
    Case(
        "JW-10",
        "curve_key_under_rs256",
        REJECT,
        _only(ec_key("main").jwk(alg=None), _es256_as_rs256),
    ),
    Case(
        "JW-11",
        "jwk_for_encryption",
        REJECT,
        _only(main_key().jwk(use="enc"), lambda c: jws(c, main_key())),
    ),
    Case(
        "JW-11",
        "jwk_without_verify",
        REJECT,
        _only(main_key().jwk(use=None, key_ops=["encrypt"]), lambda c: jws(c, main_key())),
    ),
    Case("CF-D07", "es256_announced", ACCEPT, both(ES256, SIGNED_ES256)),
    Case(
        "CF-P09 ID-17",
        "es256_not_announced",
        REJECT,
        both(jwks(lambda k: [*k, ec_key("curve").jwk()]), SIGNED_ES256),
    ),
    *(
        Case("JW-12 CF-D07", f"es256_signature_{name}", REJECT, _es256(signature))
        for name, signature in (
            ("zero", bytes(64)),
            ("short", b"\x01" * 63),
            ("long", b"\x01" * 65),
            ("all_ones", b"\xff" * 64),
            ("der", bytes.fromhex("3006020101020101")),
            ("empty", b""),
        )
    ),
    Case(
        "JW-13",
        "es256_on_p_384",
        REJECT,
        _only(ec_key("main384", "ES384").jwk(alg="ES256"), _p384_as_es256),
    ),
    Case(
        "JW-13",
        "es256_on_secp256k1",
        REJECT,
        _only(
            ec_key("koblitz", "ES256K").jwk(alg="ES256"),
            lambda c: jws(c, ec_key("koblitz", "ES256K"), {"alg": "ES256", "kid": "koblitz"}),
        ),
    ),
    Case(
        "JW-13",
        "es256_point_off_the_curve",
        REJECT,
        _only(ec_key("curve").jwk(y=b64(b"\x01" * 32)), lambda c: jws(c, ec_key("curve"))),
    ),
    Case(
        "JW-14",
        "rsa_of_1024_bits",
        REJECT,
        _only(rsa_key("weak", 1024).jwk(), lambda c: jws(c, rsa_key("weak", 1024))),
    ),
    Case(
        "JW-14",
        "rsa_exponent_one",
        REJECT,
        _only(rsa_key("attacker").jwk(kid="main", e="AQ"), _exponent_one),
    ),
    Case(
        "JW-14",
        "rsa_exponent_even",
        REJECT,
        _only(main_key().jwk(e="AQAA"), lambda c: jws(c, main_key())),
    ),
    Case(
        "JW-14",
        "rsa_of_16384_bits",
        REJECT,
        _only(
            main_key().jwk(n=b64(b"\xff" + secrets.token_bytes(2046) + b"\xff")),
            lambda c: compact(HEADER, c, b"\x01" * 2048),
        ),
    ),
    Case("JW-23", "eddsa_not_announced", REJECT, id_token(lambda c: jws(c, ed_key("edwards")))),
    Case(
        "JW-23",
        "eddsa_announced",
        SAFE,
        both(algorithms("RS256", "EdDSA"), id_token(lambda c: jws(c, ed_key("edwards")))),
    ),
)
