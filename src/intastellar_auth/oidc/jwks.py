"""The provider's public keys (RFC 7517), and which of them may verify a given token.

A key set is read once and then only asked. What can't be read is left out, never an error: one
new kind of key must not end all sign-ins. This file doesn't fetch, and doesn't decide when to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.errors import AnswerInvalid
from intastellar_auth.oidc.jose import ALGORITHMS, JoseHeader, SignedToken, decode_base64url
from intastellar_auth.oidc.json_object import Json, check_status, read_object

MAX_KEYS: Final = 100
MAX_CANDIDATES: Final = 4
"""Keys tried for one token; without a ``kid`` several may fit, and each try costs time."""

MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192
_MIN_EXPONENT: Final = 3
_MAX_EXPONENT: Final = 2**32

_RSA_ALGS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_OKP_ALGS: Final = frozenset({"EdDSA", "Ed25519"})
# RFC 7518 section 3.4 ties each ECDSA algorithm to one curve; coordinates have its full length
# (section 6.2.1.2).
_CURVES: Final[dict[Json, tuple[EllipticCurve, int, str]]] = {
    "P-256": (SECP256R1(), 32, "ES256"),
    "P-384": (SECP384R1(), 48, "ES384"),
    "P-521": (SECP521R1(), 66, "ES512"),
}
# RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1; RFC 8037 section 2.
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Key:
    """One public key: ``algs`` are the algorithms that both its kind and its own ``alg`` allow."""

    kid: str | None
    kty: str
    alg: str | None
    algs: frozenset[str]
    public_key: PublicKey = field(repr=False)

    def verifies(self, token: SignedToken) -> bool:
        """Return whether this key made the signature of ``token``."""
        alg = token.header.alg
        # Asked again, though ``candidates`` has: a key used with an algorithm that isn't its own
        # is the classic forgery (CVE-2026-48523).
        return alg in self.algs and ALGORITHMS[alg].verify(
            token.signing_input, self.public_key, token.signature
        )


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of a provider; ``skipped`` says for the log why others are not among them."""

    keys: tuple[Key, ...]
    skipped: tuple[str, ...] = ()

    def candidates(self, header: JoseHeader) -> tuple[Key, ...]:
        """Return the keys that may have signed a token with ``header``, at most four.

        Key id, key type, use and algorithm must all agree: providers publish keys of several kinds
        under one ``kid``. A token without ``kid`` may be from any key of the right kind (RFC 7515
        section 6).
        """
        fitting = (
            key
            for key in self.keys
            if header.alg in key.algs and (header.kid is None or key.kid == header.kid)
        )
        return tuple(key for key, _ in zip(fitting, range(MAX_CANDIDATES), strict=False))


class _Unusable(Exception):
    """The reason why a key is left out; it never leaves this file."""


def build_jwks_request(jwks_uri: str) -> Fetch:
    """Return the request for the keys at ``jwks_uri``."""
    return Fetch(
        "GET", jwks_uri, headers=(("accept", "application/jwk-set+json, application/json"),)
    )


def read_jwks_answer(answer: Answer) -> KeySet:
    """Return the keys in ``answer`` that can verify a token.

    Raises ``AnswerInvalid`` where it isn't a key set (RFC 7517 section 5) or has more than 100
    keys.
    """
    # Its media type is not asked for: key sets are often plain files on a web server that knows
    # no better, and a page in place of a key set isn't JSON.
    check_status(answer, "the key set")
    entries = read_object(answer.body, "the key set").get("keys")
    if not isinstance(entries, list):
        raise AnswerInvalid("the key set has no array named keys")
    if len(entries) > MAX_KEYS:
        raise AnswerInvalid(f"the key set has more than {MAX_KEYS} keys")
    keys: list[Key] = []
    skipped: list[str] = []
    for number, entry in enumerate(entries, start=1):
        try:
            keys.append(_key(entry))
        except _Unusable as reason:
            skipped.append(f"key {number} {reason}")
    return KeySet(tuple(keys), tuple(skipped))


def _key(entry: Json) -> Key:
    if not isinstance(entry, dict):
        raise _Unusable("is not an object")
    # A private key in public is no longer anybody's own: whatever it signs proves nothing.
    if not _PRIVATE.isdisjoint(entry):
        raise _Unusable("carries secret members and cannot be trusted")
    _check_use(entry)
    kid, alg = entry.get("kid"), entry.get("alg")
    if not isinstance(kid, str | None) or not isinstance(alg, str | None):
        raise _Unusable("has a kid or an alg that is not a string")
    kty, public_key, algs = _material(entry)
    if alg is not None:
        algs = algs & {alg}
    if not algs:
        raise _Unusable("has an alg that is not for signatures of its kind")
    return Key(kid, kty, alg, algs, public_key)


def _material(entry: dict[str, Json]) -> tuple[str, PublicKey, frozenset[str]]:
    try:
        match entry.get("kty"):
            case "RSA":
                return "RSA", _rsa(entry), _RSA_ALGS
            case "EC":
                return "EC", *_ec(entry)
            case "OKP":
                return "OKP", _okp(entry), _OKP_ALGS
    except (ValueError, UnsupportedAlgorithm):
        # A point that isn't on its curve (invalid-curve attack), or a curve that this machine's
        # cryptography leaves out.
        raise _Unusable("is not a valid key of its kind") from None
    # An "oct" key is a shared secret; one that is published is a forgery waiting to happen.
    raise _Unusable("has a kty that is not RSA, EC or OKP")


def _check_use(entry: dict[str, Json]) -> None:
    # RFC 7517 sections 4.2 and 4.3. Absent means "anything"; present, it is the owner's word.
    if entry.get("use") not in (None, "sig"):
        raise _Unusable("is not for signatures (use)")
    operations = entry.get("key_ops")
    if operations is None:
        return
    if not isinstance(operations, list) or "verify" not in operations:
        raise _Unusable("is not for verifying (key_ops)")


def _rsa(entry: dict[str, Json]) -> RSAPublicKey:
    exponent, modulus = _unsigned(entry, "e"), _unsigned(entry, "n")
    # Small ones are factored; large ones make each verification, which anybody can cause, slow.
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS:
        raise _Unusable(f"does not have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
    # With e = 1 everybody can sign.
    if not _MIN_EXPONENT <= exponent <= _MAX_EXPONENT or exponent % 2 == 0:
        raise _Unusable("has an exponent that is not safe")
    # Not the product of two large primes, and the library doesn't look.
    if modulus % 2 == 0:
        raise _Unusable("has an even modulus")
    return RSAPublicNumbers(exponent, modulus).public_key()


def _ec(entry: dict[str, Json]) -> tuple[EllipticCurvePublicKey, frozenset[str]]:
    name = entry.get("crv")
    if not isinstance(name, str) or name not in _CURVES:
        raise _Unusable("is on a curve we do not know")
    curve, length, alg = _CURVES[name]
    x, y = _octets(entry, "x"), _octets(entry, "y")
    if len(x) != length or len(y) != length:
        raise _Unusable("has coordinates of the wrong length")
    numbers = EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), curve)
    return numbers.public_key(), frozenset({alg})


def _okp(entry: dict[str, Json]) -> Ed25519PublicKey:
    if entry.get("crv") != "Ed25519":
        raise _Unusable("is on a curve we do not know")
    return Ed25519PublicKey.from_public_bytes(_octets(entry, "x"))


def _unsigned(entry: dict[str, Json], name: str) -> int:
    return int.from_bytes(_octets(entry, name))


def _octets(entry: dict[str, Json], name: str) -> bytes:
    value = entry.get(name)
    if not isinstance(value, str):
        raise _Unusable(f"lacks {name}")
    try:
        return decode_base64url(value)
    except ValueError:
        raise _Unusable(f"has a malformed {name}") from None
