"""Show the provider that it is us (RFC 6749 section 2.3, RFC 7521, RFC 7523).

One method per request, chosen once. Time and randomness come as arguments, so that an assertion
is made anew for each request and a test can see which.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import quote_plus, urlencode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from intastellar_auth.core.effects import Fetch
from intastellar_auth.errors import AnswerInvalid
from intastellar_auth.oidc.jose import ALGORITHMS, encode_base64url
from intastellar_auth.oidc.json_object import Json, optional_text, read_object

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFETIME: Final = 60
"""Seconds. Long enough for a slow network, too short for a stolen log."""

METHODS: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
_MIN_RSA_BITS: Final = 2048

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


@dataclass(frozen=True, slots=True)
class Client:
    """This site as the provider knows it, and the one ``method`` by which it proves itself."""

    client_id: str
    method: str
    secret: str | None = field(default=None, repr=False)
    private_key: SigningKey | None = field(default=None, repr=False)


def load_private_key(text: str) -> SigningKey:
    """Return the signing key in ``text``: a PEM or a JWK, RSA, EC or Ed25519.

    A JWK's ``alg`` and ``kid`` are used; otherwise the ``alg`` is the usual one of the key's kind
    and the ``kid`` its RFC 7638 thumbprint. Raises ``ValueError`` with what to mend.
    """
    text = text.strip()
    if text.startswith("{"):
        jwk = _jwk(text)
        key = _key_of_jwk(jwk)
        alg, kid = _member(jwk, "alg"), _member(jwk, "kid")
    else:
        key = _key_of_pem(text)
        alg, kid = None, None
    public, algs = _describe(key)
    if alg is not None and alg not in algs:
        raise ValueError(f"the private key's alg must be one of {', '.join(algs)}")
    return SigningKey(alg or algs[0], kid or _thumbprint(public), key)


def choose_method(
    *, has_secret: bool, has_private_key: bool, supported: tuple[str, ...], wanted: str | None
) -> str:
    """Return the method a client uses; ``wanted`` wins.

    ``supported`` is the provider's list, empty where there was no discovery: then a secret goes
    into the body, as Intastellar documents it. A secret otherwise goes into the header where the
    provider takes it there, which every provider should (RFC 6749 section 2.3.1).
    """
    if wanted is not None:
        return wanted
    if has_private_key:
        return "private_key_jwt"
    if not has_secret:
        return "none"
    return "client_secret_basic" if "client_secret_basic" in supported else "client_secret_post"


def authenticate(
    client: Client, *, audience: str, now: float, jti: str
) -> tuple[tuple[tuple[str, str], ...], dict[str, str]]:
    """Return the headers and the body fields by which ``client`` authenticates a request.

    ``audience`` is the provider's issuer, ``now`` seconds since 1970 and ``jti`` a fresh random
    text; all three matter to ``private_key_jwt`` only. Raises ``ValueError`` where the method's
    credential is missing or the method unknown.
    """
    if client.method == "none":
        return (), {"client_id": client.client_id}
    if client.method == "private_key_jwt" and client.private_key is not None:
        return (), {
            "client_id": client.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": client.private_key.sign(
                _assertion(client.client_id, audience, now, jti)
            ),
        }
    if client.method == "client_secret_post" and client.secret is not None:
        return (), {"client_id": client.client_id, "client_secret": client.secret}
    if client.method == "client_secret_basic" and client.secret is not None:
        # RFC 6749 section 2.3.1: each part form-encoded first, or a colon in it would move the
        # border between them. No client_id in the body: "exactly one method".
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.secret)}"
        credentials = base64.b64encode(pair.encode("ascii")).decode("ascii")
        return (("authorization", f"Basic {credentials}"),), {}
    raise ValueError(f"{client.method} is not a method, or its secret or key is missing")


def build_form_request(
    url: str, fields: Mapping[str, str], client: Client, *, audience: str, now: float, jti: str
) -> Fetch:
    """Return an authenticated form ``POST`` of ``fields``; the rest as in ``authenticate``.

    The token, revocation and pushed-authorization endpoints all take this form (RFC 6749
    section 3.2, RFC 7009 section 2.1, RFC 9126 section 2.1).
    """
    headers, credentials = authenticate(client, audience=audience, now=now, jti=jti)
    return Fetch(
        "POST",
        url,
        headers=(
            ("accept", "application/json"),
            ("content-type", "application/x-www-form-urlencoded"),
            *headers,
        ),
        body=urlencode({**fields, **credentials}).encode("ascii"),
    )


def _assertion(client_id: str, audience: str, now: float, jti: str) -> dict[str, Json]:
    # RFC 7523 section 3. The audience is the issuer as one string: an endpoint's address could be
    # another server's, named by a provider that wants our assertion for it (CVE-2025-27370). No
    # nbf: a provider whose clock is behind would refuse it.
    return {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": jti,
        "iat": int(now),
        "exp": int(now) + ASSERTION_LIFETIME,
    }


def _jwk(text: str) -> dict[str, Json]:
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
        # An environment variable often has its line breaks written as two characters.
        key = load_pem_private_key(text.replace("\\n", "\n").encode(), password=None)
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
