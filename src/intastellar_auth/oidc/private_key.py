"""The keys that a client signs its assertions with (RFC 7517, RFC 7518, RFC 7638).

The first key signs. The others are there so that a provider can know the next one before it is
used, and the last one until nobody uses it any more: that is a rotation.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from intastellar_auth.errors import AnswerInvalid
from intastellar_auth.oidc.jose import ALGORITHMS, encode_base64url
from intastellar_auth.oidc.json_object import Json, optional_text, read_object

_MIN_RSA_BITS: Final = 2048
_PEM: Final = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----.*?-----END (?:[A-Z]+ )*PRIVATE KEY-----", re.DOTALL
)

PrivateKey: TypeAlias = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, the ``alg`` it signs with and the ``kid`` the provider knows it by."""

    alg: str
    kid: str
    key: PrivateKey = field(repr=False)

    def sign(self, claims: Mapping[str, Json]) -> str:
        """Return ``claims`` as a signed JWT (RFC 7515 section 7.1)."""
        header = {"alg": self.alg, "kid": self.kid, "typ": "JWT"}
        parts = (encode_base64url(_compact(part)) for part in (header, claims))
        signing_input = ".".join(parts)
        signature = ALGORITHMS[self.alg].sign(signing_input.encode("ascii"), self.key)
        return f"{signing_input}.{encode_base64url(signature)}"

    def public_jwk(self) -> dict[str, str]:
        """Return the public half, as a provider registers it (RFC 7517 section 4).

        It is put together from the public key alone, so no private member can be in it (PJ-07).
        """
        public, _ = _describe(self.key)
        return {**public, "use": "sig", "alg": self.alg, "kid": self.kid}


def load_private_keys(text: str) -> tuple[SigningKey, ...]:
    """Return the keys in ``text``, in their order: RSA, EC or Ed25519.

    ``text`` is a PEM, several of them, a JWK, or a JWK Set (RFC 7517 section 5). A JWK's ``alg``
    and ``kid`` are used; otherwise the ``alg`` is the usual one of the key's kind and the ``kid``
    its RFC 7638 thumbprint. Raises ``ValueError`` with what to mend.
    """
    text = text.strip()
    if not text.startswith("{"):
        # An environment variable often has its line breaks written as two characters.
        text = text.replace("\\n", "\n")
        return _distinct([_signing_key(_key_of_pem(pem)) for pem in _PEM.findall(text) or [text]])
    document = _document(text)
    return _distinct(_set(document["keys"]) if "keys" in document else [_from_jwk(document)])


def load_private_key(text: str) -> SigningKey:
    """Return the key in ``text`` that signs; as ``load_private_keys`` in all else."""
    return load_private_keys(text)[0]


def _distinct(keys: list[SigningKey]) -> tuple[SigningKey, ...]:
    # The provider picks the key to verify with by its kid.
    if len({key.kid for key in keys}) != len(keys):
        raise ValueError("the private key set has two keys of one kid; give each its own")
    return tuple(keys)


def _set(members: Json) -> list[SigningKey]:
    if not isinstance(members, list) or not members:
        raise ValueError("the private key set's keys must be a list of one JWK or more")
    keys = []
    for number, jwk in enumerate(members, start=1):
        if not isinstance(jwk, dict):
            raise ValueError(f"the private key set, key {number}: not a JWK")  # noqa: TRY004  all of it is one kind of mistake
        try:
            keys.append(_from_jwk(jwk))
        except ValueError as error:
            raise ValueError(f"the private key set, key {number}: {error}") from None
    return keys


def _from_jwk(jwk: dict[str, Json]) -> SigningKey:
    if jwk.get("use", "sig") != "sig":
        raise ValueError("the private key's use must be sig: it is for signatures")
    return _signing_key(_key_of_jwk(jwk), _member(jwk, "alg"), _member(jwk, "kid"))


def _signing_key(key: PrivateKey, alg: str | None = None, kid: str | None = None) -> SigningKey:
    public, algs = _describe(key)
    if alg is not None and alg not in algs:
        raise ValueError(f"the private key's alg must be one of {', '.join(algs)}")
    return SigningKey(alg or algs[0], kid or _thumbprint(public), key)


def _document(text: str) -> dict[str, Json]:
    try:
        return read_object(text.encode(), "the private key")
    except (AnswerInvalid, UnicodeError):
        raise ValueError("the private key begins like a JWK, but is not valid JSON") from None


def _member(jwk: dict[str, Json], name: str) -> str | None:
    try:
        return optional_text(jwk, name, "the private key")
    except AnswerInvalid as error:
        raise ValueError(error.detail) from None


def _key_of_jwk(jwk: dict[str, Json]) -> PrivateKey:
    readers: dict[str, Callable[[dict[str, Json]], object]] = {
        "RSA": RSAAlgorithm.from_jwk,
        "EC": ECAlgorithm.from_jwk,
        "OKP": OKPAlgorithm.from_jwk,
    }
    reader = readers.get(str(jwk.get("kty")))
    if reader is None:
        raise ValueError("the private key's kty must be RSA, EC or OKP")
    try:
        key = reader(jwk)
    # The parser trusts its input: a member of the wrong type surfaces as whatever it runs into.
    except (InvalidKeyError, ValueError, TypeError, AttributeError):
        raise ValueError("the private key is a JWK with missing or malformed members") from None
    return _checked(key)


def _key_of_pem(text: str) -> PrivateKey:
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except TypeError:
        raise ValueError("the private key is encrypted; give it without a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(
            "the private key is neither a JWK nor a PEM, which begins with -----BEGIN PRIVATE KEY"
        ) from None
    return _checked(key)


def _checked(key: object) -> PrivateKey:
    match key:
        case RSAPrivateKey() if key.key_size < _MIN_RSA_BITS:
            raise ValueError(f"the private key must have {_MIN_RSA_BITS} bits or more")
        case RSAPrivateKey() | EllipticCurvePrivateKey() | Ed25519PrivateKey():
            return key
    raise ValueError("the private key is a public key, or not RSA, EC or Ed25519")


def _describe(key: PrivateKey) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the members that make up a thumbprint, and the algorithms, the usual one first."""
    if isinstance(key, RSAPrivateKey):
        jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        algs = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
        return {"e": jwk["e"], "kty": "RSA", "n": jwk["n"]}, algs
    if isinstance(key, Ed25519PrivateKey):
        jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {"crv": "Ed25519", "kty": "OKP", "x": jwk["x"]}, ("EdDSA", "Ed25519")
    curve_algs = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
    if key.curve.name not in curve_algs:
        raise ValueError("the private key must be on the curve P-256, P-384 or P-521")
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    members = {"crv": jwk["crv"], "kty": "EC", "x": jwk["x"], "y": jwk["y"]}
    return members, (curve_algs[key.curve.name],)


def _thumbprint(public: dict[str, str]) -> str:
    # RFC 7638 section 3: the required members alone, in lexicographic order, without white space.
    return encode_base64url(hashlib.sha256(_compact(dict(sorted(public.items())))).digest())


def _compact(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")
