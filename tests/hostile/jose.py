"""Keys and compact JWS with nothing checked: what a hostile provider signs with."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

Json = dict[str, object]
"""A JSON object."""

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
"""Any key that signs here."""


def b64(data: bytes) -> str:
    """Return ``data`` in base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def as_bytes(value: Json | bytes) -> bytes:
    """Return JSON text; bytes are taken as they are, so that a test can send what is no JSON."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@dataclass(frozen=True, slots=True)
class Key:
    """A private key with the ``kid`` and ``alg`` that its JWK announces."""

    kid: str
    alg: str
    private: PrivateKey

    def sign(self, message: bytes) -> bytes:
        """Return the signature of ``message`` in the form that JWS has it."""
        return bytes(get_default_algorithms()[self.alg].sign(message, self.private))

    def jwk(self, **members: object) -> Json:
        """Return the public JWK; a member given as ``None`` is left out."""
        to_jwk = get_default_algorithms()[self.alg].to_jwk
        public: Json = json.loads(to_jwk(self.private.public_key()))
        public.pop("key_ops", None)
        every = {**public, "kid": self.kid, "alg": self.alg, "use": "sig", **members}
        return {name: value for name, value in every.items() if value is not None}


@cache
def rsa_key(kid: str, bits: int = 2048) -> Key:
    """Return the RSA key called ``kid``, the same one each time."""
    return Key(kid, "RS256", rsa.generate_private_key(public_exponent=65537, key_size=bits))


@cache
def ec_key(kid: str, alg: str = "ES256") -> Key:
    """Return the elliptic-curve key called ``kid`` on the curve that ``alg`` goes with."""
    curves: dict[str, ec.EllipticCurve] = {
        "ES256": ec.SECP256R1(),
        "ES384": ec.SECP384R1(),
        "ES256K": ec.SECP256K1(),
    }
    return Key(kid, alg, ec.generate_private_key(curves[alg]))


@cache
def ed_key(kid: str) -> Key:
    """Return the Ed25519 key called ``kid``."""
    return Key(kid, "EdDSA", ed25519.Ed25519PrivateKey.generate())


def main_key() -> Key:
    """Return the key a well-behaved provider signs with."""
    return rsa_key("main")


def compact(header: Json | bytes, payload: Json | bytes, signature: bytes) -> str:
    """Return the three parts with dots between them."""
    return ".".join(b64(part) for part in (as_bytes(header), as_bytes(payload), signature))


def jws(payload: Json | bytes, key: Key, header: Json | bytes | None = None) -> str:
    """Return ``payload`` signed by ``key`` under ``header``, whatever that header claims."""
    header = {"alg": key.alg, "kid": key.kid} if header is None else header
    unsigned = f"{b64(as_bytes(header))}.{b64(as_bytes(payload))}"
    return f"{unsigned}.{b64(key.sign(unsigned.encode()))}"


def hs256(payload: Json, secret: bytes, kid: str = "main") -> str:
    """Return ``payload`` under HS256 with any bytes as the secret, a public key's among them."""
    hmac = get_default_algorithms()["HS256"]
    header = as_bytes({"alg": "HS256", "kid": kid})
    unsigned = f"{b64(header)}.{b64(as_bytes(payload))}"
    return f"{unsigned}.{b64(hmac.sign(unsigned.encode(), secret))}"


def default_jwks() -> list[Json]:
    """CF-S10: the signing key among keys that must not be taken for it, one under its own kid."""
    return [
        {"kty": "OKP", "crv": "X25519", "x": b64(bytes(32)), "kid": "exchange", "use": "enc"},
        {"kty": "XYZ", "kid": "main"},
        {"kty": "RSA", "kid": "broken", "alg": "RS256", "use": "sig"},
        ec_key("main").jwk(alg=None),
        ec_key("koblitz", "ES256K").jwk(),
        ed_key("edwards").jwk(),
        rsa_key("encryption").jwk(use="enc", alg="RSA-OAEP"),
        main_key().jwk(),
    ]
