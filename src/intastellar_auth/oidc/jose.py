"""The parts of a signed token before any key is asked (RFC 7515, RFC 8725).

Everything here looks at bytes that nobody has vouched for yet, so it is strict and does little:
size, shape, one encoding for one value, and a header that asks for nothing unusual. Nothing in a
header is ever fetched or used as a key.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from jwt.algorithms import Algorithm, get_default_algorithms

from intastellar_auth.errors import TokenInvalid
from intastellar_auth.oidc.json_object import Json, read_object

MAX_TOKEN: Final = 64 * 1024
MAX_KID: Final = 512
_PARTS: Final = 3

_KNOWN: Final = get_default_algorithms()

ALGORITHMS: Final[Mapping[str, Algorithm]] = MappingProxyType(
    {
        "RS256": _KNOWN["RS256"],
        "RS384": _KNOWN["RS384"],
        "RS512": _KNOWN["RS512"],
        "PS256": _KNOWN["PS256"],
        "PS384": _KNOWN["PS384"],
        "PS512": _KNOWN["PS512"],
        "ES256": _KNOWN["ES256"],
        "ES384": _KNOWN["ES384"],
        "ES512": _KNOWN["ES512"],
        "EdDSA": _KNOWN["EdDSA"],
        # RFC 9864 section 2.2: the same signature under the name of its curve.
        "Ed25519": _KNOWN["EdDSA"],
    }
)
"""The signature algorithms there are for us. All are asymmetric: without ``none`` and ``HS256`` in
the table there is no way to forge a signature with a public key or with no key at all."""


@dataclass(frozen=True, slots=True)
class JoseHeader:
    """What a header may decide: which algorithm of the allowed ones, and which key of ours."""

    alg: str
    kid: str | None


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token in its parts, not yet verified."""

    header: JoseHeader
    signing_input: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def split_token(token: str, *, types: tuple[str, ...] = ("jwt",)) -> SignedToken:
    """Return the parts of ``token``, a JWS in compact form (RFC 7515 section 7.1).

    ``types`` are the values of ``typ`` to allow, in lower case, where there is one. Raises
    ``TokenInvalid``.
    """
    # Before decoding: the size of what an attacker makes us decode is the cost they cause.
    if len(token) > MAX_TOKEN:
        raise TokenInvalid(f"the token is longer than {MAX_TOKEN} characters")
    parts = token.split(".")
    if len(parts) != _PARTS:
        # Five parts are an encrypted token (RFC 7516); we hold no key for one.
        raise TokenInvalid("the token does not have three parts: it is not a signed JWT")
    header, payload, signature = (_part(part) for part in parts)
    return SignedToken(
        header=_header(read_object(header, "the token's header", TokenInvalid), types),
        signing_input=token.rpartition(".")[0].encode("ascii"),
        payload=payload,
        signature=signature,
    )


def read_header(token: str, *, types: tuple[str, ...] = ("jwt",)) -> JoseHeader:
    """Return the header of ``token`` after the checks of ``split_token``."""
    return split_token(token, types=types).header


def decode_base64url(text: str) -> bytes:
    """Return what ``text`` encodes (RFC 7515 section 2). Raises ``ValueError``.

    No padding, no white space, no ``+`` or ``/``, and no loose bits at the end: each value has
    one spelling, so a token can't be altered and stay valid.
    """
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise ValueError("not base64url") from None
    # The library skips what it does not know; what it skipped is missing here.
    if encode_base64url(decoded) != text:
        raise ValueError("not base64url in its one form")
    return decoded


def encode_base64url(value: bytes) -> str:
    """Return ``value`` in base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def _part(part: str) -> bytes:
    try:
        decoded = decode_base64url(part)
    except ValueError:
        raise TokenInvalid("a part of the token is not base64url in its one form") from None
    # An empty signature is an unsecured token, an empty payload a detached one (RFC 7797).
    if not decoded:
        raise TokenInvalid("a part of the token is empty")
    return decoded


def _header(header: dict[str, Json], types: tuple[str, ...]) -> JoseHeader:
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        raise TokenInvalid("the token's alg is not an asymmetric signature we accept")
    # RFC 7515 section 4.1.11: what crit lists must be understood, and we understand none of it.
    if "crit" in header or "b64" in header:
        raise TokenInvalid("the token's header asks for an extension (crit or b64)")
    # A key that comes with the token proves nothing about who signed it (CVE-2018-0114).
    if "jwk" in header:
        raise TokenInvalid("the token's header brings its own key (jwk)")
    # RFC 8725 section 3.11: an access token or a logout token must not pass for this one.
    typ = header.get("typ", "jwt")
    if not isinstance(typ, str) or typ.lower() not in types:
        raise TokenInvalid("the token's typ says that it is another kind of token")
    kid = header.get("kid")
    if "kid" in header and (not isinstance(kid, str) or len(kid) > MAX_KID):
        raise TokenInvalid(f"the token's kid is not a string of at most {MAX_KID} characters")
    return JoseHeader(alg, kid if isinstance(kid, str) else None)
