"""Keys and tokens for the tests: real ones, and every kind of forgery.

Tokens are put together by hand, so that a test can make what no library would.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm, get_default_algorithms

from intastellar_auth.core.effects import Answer
from intastellar_auth.oidc.discovery import Metadata
from intastellar_auth.oidc.jose import encode_base64url
from intastellar_auth.oidc.jwks import KeySet, read_jwks_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intastellar_auth.oidc.json_object import Json

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

ISSUER = "https://accounts.example"
CLIENT_ID = "client-1"
NONCE = "n-0S6_WzA2Mj"
ACCESS_TOKEN = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
NOW = 1_800_000_000.0
ALGORITHMS = get_default_algorithms()

CURVES: dict[str, ec.EllipticCurve] = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
}


def private_key(alg: str, name: str = "main") -> PrivateKey:
    """Return the one key called ``name`` of the kind that ``alg`` needs."""
    if alg in CURVES:
        return _private_key(alg, name)
    return _private_key("OKP" if alg in ("EdDSA", "Ed25519") else "RSA", name)


# The name is for the cache: a key of each name, and RSA keys are slow to make.
@cache
def _private_key(kind: str, name: str) -> PrivateKey:  # noqa: ARG001
    if kind == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if kind == "OKP":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(CURVES[kind])


def jwk(kind: str = "RS256", name: str = "main", /, **members: Json) -> dict[str, Json]:
    """Return the public key as a JWK whose ``kid`` is ``name``.

    ``kind`` is an algorithm the key can do; a member that is ``None`` is left out.
    """
    key = private_key(kind, name)
    if isinstance(key, rsa.RSAPrivateKey):
        public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    public.pop("key_ops", None)
    named: dict[str, Json] = {**public, "kid": name, **members}
    return {name: value for name, value in named.items() if value is not None}


def answer(
    document: Json | bytes, status: int = 200, media_type: str = "application/json"
) -> Answer:
    """Return an answer whose body is ``document``."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Answer(status, media_type, body)


def key_set(*keys: Json) -> KeySet:
    """Return ``keys`` as they are read from a provider; without any, the main RSA key's."""
    return read_jwks_answer(answer({"keys": list(keys) or [jwk()]}))


def claims(**changes: Json) -> dict[str, Json]:
    """Return the claims of a good ID token, with ``changes``; a change to ``None`` removes."""
    good: dict[str, Json] = {
        "iss": ISSUER,
        "sub": "alice",
        "aud": CLIENT_ID,
        "exp": NOW + 300,
        "iat": NOW,
        "nonce": NONCE,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def sign(signing_input: bytes, alg: str = "RS256", name: str = "main") -> bytes:
    """Return a good signature."""
    algorithm = ALGORITHMS["EdDSA" if alg == "Ed25519" else alg]
    return algorithm.sign(signing_input, private_key(alg, name))


def token(
    payload: Mapping[str, Json] | bytes | None = None,
    header: Mapping[str, Json] | bytes | None = None,
    *,
    alg: str = "RS256",
    name: str = "main",
) -> str:
    """Return a token signed with the key ``name``; a ``header`` replaces the usual one."""
    parts = [
        part if isinstance(part, bytes) else json.dumps(part).encode()
        for part in (
            {"alg": alg, "kid": name} if header is None else header,
            claims() if payload is None else payload,
        )
    ]
    signing_input = ".".join(encode_base64url(part) for part in parts)
    signature = sign(signing_input.encode(), alg, name)
    return f"{signing_input}.{encode_base64url(signature)}"


def metadata(**changes: object) -> Metadata:
    """Return a provider's metadata, with ``changes``."""
    plain = Metadata(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        jwks_uri=f"{ISSUER}/jwks",
        userinfo_endpoint=f"{ISSUER}/userinfo",
        end_session_endpoint=f"{ISSUER}/logout",
        revocation_endpoint=None,
        pushed_authorization_request_endpoint=None,
        require_pushed_authorization_requests=False,
        token_endpoint_auth_methods=("client_secret_basic",),
        id_token_signing_algs=("RS256",),
        code_challenge_methods=("S256",),
        iss_parameter_supported=False,
    )
    # Which names there are and of what type is for Metadata to say, not for this signature.
    return replace(plain, **changes)  # type: ignore[arg-type]  # the tests pass what fits
