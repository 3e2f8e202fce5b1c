"""The provider's signing keys: made at start, rotated by an order, never written anywhere."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intastellar_auth.devprovider.jsons import Json

ALGORITHMS: Final = ("RS256", "ES256")
# The newest of each algorithm and the one before it: a token signed just before a rotation can
# still be checked, and a client sees several keys to choose from.
_PUBLISHED: Final = 2


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair with the name that tokens call it by."""

    kid: str
    alg: str
    private: RSAPrivateKey | EllipticCurvePrivateKey = field(repr=False)

    def public_jwk(self) -> dict[str, Json]:
        """Return the public half (RFC 7517)."""
        if isinstance(self.private, RSAPrivateKey):
            jwk = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            jwk = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**jwk, "kid": self.kid, "alg": self.alg, "use": "sig"}


def _new_key(alg: str) -> SigningKey:
    kid = secrets.token_urlsafe(8)
    if alg == "RS256":
        return SigningKey(kid, alg, generate_rsa_key(public_exponent=65537, key_size=2048))
    return SigningKey(kid, alg, generate_private_key(SECP256R1()))


class Keys:
    """All keys there have been, newest last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, list[SigningKey]] = {alg: [_new_key(alg)] for alg in ALGORITHMS}

    def rotate(self) -> None:
        """Sign with new keys from now on."""
        fresh = [_new_key(alg) for alg in ALGORITHMS]
        with self._lock:
            for key in fresh:
                self._keys[key.alg].append(key)

    def published(self) -> dict[str, Json]:
        """Return the JWK Set document."""
        with self._lock:
            keys = [key for keys in self._keys.values() for key in keys[-_PUBLISHED:]]
        return {"keys": [key.public_jwk() for key in keys]}

    def sign(
        self,
        claims: Mapping[str, Json],
        alg: str,
        *,
        typ: str = "JWT",
        with_kid: bool = True,
        spoiled: bool = False,
    ) -> str:
        """Return ``claims`` as a signed JWT.

        ``with_kid=False`` leaves the key's name out; ``spoiled`` gives it the signature of another
        token, which no key verifies.
        """
        with self._lock:
            key = self._keys[alg][-1]
        headers = {"typ": typ} | ({"kid": key.kid} if with_kid else {})
        token = jwt.encode(dict(claims), key.private, key.alg, headers)
        if not spoiled:
            return token
        other = jwt.encode({}, key.private, key.alg, headers)
        return token.rpartition(".")[0] + "." + other.rpartition(".")[2]

    def verify(self, token: str) -> dict[str, Json] | None:
        """Return the claims if a key of ours, current or past, signed ``token``; else ``None``.

        Its times are not looked at: a hint may have expired long ago.
        """
        with self._lock:
            keys = [key for keys in self._keys.values() for key in keys]
        for key in keys:
            try:
                claims: dict[str, Json] = jwt.decode(
                    token,
                    key.private.public_key(),
                    algorithms=[key.alg],
                    options={
                        "verify_exp": False,
                        "verify_iat": False,
                        "verify_nbf": False,
                        "verify_aud": False,
                    },
                )
            except jwt.InvalidTokenError:
                continue
            return claims
        return None
