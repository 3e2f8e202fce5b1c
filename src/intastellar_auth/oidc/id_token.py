"""Believe an ID token, or don't (OpenID Connect Core 1.0 section 3.1.3.7).

The steps stand in the order of the specification, each with its number, except that the signature
(steps 6 to 8) goes first: nothing is read from a token that the provider didn't sign. The
specification would let us skip the signature of a token that came straight from the token endpoint;
we never do.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from dataclasses import dataclass, field
from typing import Final

from intastellar_auth.errors import AnswerInvalid, TokenInvalid
from intastellar_auth.oidc.jose import (
    JoseHeader,
    SignedToken,
    encode_base64url,
    read_header,
    split_token,
)
from intastellar_auth.oidc.json_object import Json, read_object
from intastellar_auth.oidc.jwks import KeySet

__all__ = [
    "IdToken",
    "JoseHeader",
    "KeyUnknown",
    "check_access_token",
    "check_audience",
    "check_sub",
    "check_times",
    "read_claims",
    "read_header",
    "read_id_token",
    "read_time",
]

MAX_SUB: Final = 255
DAY: Final = 86_400.0
MAX_LIFETIME: Final = 366 * DAY
"""Seconds that ``exp`` may lie ahead: "the year 9999" is a provider without an expiry."""

# Core section 3.1.3.6: at_hash is made with the hash of the signature. All others of ALGORITHMS use
# SHA-512, Ed25519 too (RFC 8032 section 5.1).
_HASHES: Final = {"256": hashlib.sha256, "384": hashlib.sha384}


class KeyUnknown(TokenInvalid):
    """No key of the set fits the token's header. The set may be old: fetch it again, once."""


@dataclass(frozen=True, slots=True)
class IdToken:
    """The claims of an ID token that passed every check."""

    claims: dict[str, Json] = field(repr=False)

    @property
    def sub(self) -> str:
        """The user, unique at this issuer only (Core section 2)."""
        return str(self.claims["sub"])


def read_claims(
    token: str,
    keys: KeySet,
    *,
    allowed_algs: tuple[str, ...],
    types: tuple[str, ...] = ("jwt",),
) -> tuple[JoseHeader, dict[str, Json]]:
    """Return the header and the claims of ``token``, whose signature is one of ``keys``'.

    What the claims say isn't judged here. ``types`` as in ``split_token``. Raises ``KeyUnknown``
    where no key fits, ``TokenInvalid`` for everything else.
    """
    signed = split_token(token, types=types)
    # Step 7: the token doesn't choose its algorithm, whatever the key could do (RFC 8725
    # section 3.1). Step 8, on MACs, has no case: no symmetric algorithm is ever allowed.
    if signed.header.alg not in allowed_algs:
        raise TokenInvalid("the token's alg is not one that the provider says it signs with")
    _check_signature(signed, keys)
    return signed.header, read_object(signed.payload, "the token's payload", TokenInvalid)


def read_id_token(
    token: str,
    keys: KeySet,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str,
    allowed_algs: tuple[str, ...],
    now: float,
    leeway: float,
    max_age: float | None,
    acr_values: tuple[str, ...] = (),
    max_iat_age: float = DAY,
) -> IdToken:
    """Return the ID token that came with ``access_token`` if it is for this client and sign-in.

    ``now`` is seconds since 1970; ``leeway``, ``max_age`` and ``max_iat_age`` are seconds.
    ``max_age`` and ``acr_values`` are what the sign-in asked for. A claim that is ``null`` counts
    as absent. ``c_hash`` and ``s_hash`` are ignored: they belong to flows that we don't have.
    Raises ``KeyUnknown`` where another set of keys may help, ``TokenInvalid`` otherwise.
    """
    # Step 1, decryption, has no case: an encrypted token is refused. Steps 6 to 8.
    header, claims = read_claims(token, keys, allowed_algs=allowed_algs)
    # Step 2. Equal, not similar: a prefix or substring rule is CVE-2024-53861.
    if not issuer or claims.get("iss") != issuer:
        raise TokenInvalid(
            "the ID token is from another issuer (iss); set INTASTELLAR_ISSUER to exactly what "
            "your provider documents",
            permanent=True,
        )
    # Steps 3 to 5.
    check_audience(claims, client_id)
    # Steps 9 and 10.
    check_times(claims, now=now, leeway=leeway, max_iat_age=max_iat_age)
    # Step 11.
    _check_nonce(claims, nonce)
    # Step 12.
    if acr_values and claims.get("acr") not in acr_values:
        raise TokenInvalid("the user was not signed in the way that was asked for (acr)")
    # Step 13.
    _check_auth_time(claims, now=now, leeway=leeway, max_age=max_age)
    # Section 3.1.3.8.
    check_access_token(claims, access_token, header.alg)
    # Section 2.
    check_sub(claims, "the ID token", TokenInvalid)
    # Back-Channel Logout section 2.4: a logout token is one with events, and it isn't a sign-in.
    if "events" in claims:
        raise TokenInvalid("the ID token has events: it is another kind of token")
    return IdToken(claims)


def check_sub(claims: dict[str, Json], what: str, error: type[AnswerInvalid]) -> str:
    """Return ``sub``: 1 to 255 printable ASCII characters (Core section 2). Raises ``error``."""
    sub = claims.get("sub")
    # Control characters would be legal, and would end up in a header or an environment variable.
    if (
        not isinstance(sub, str)
        or not 1 <= len(sub) <= MAX_SUB
        or not (sub.isascii() and sub.isprintable())
    ):
        raise error(f"{what} has no sub of 1 to {MAX_SUB} printable ASCII characters")
    return sub


def _check_signature(signed: SignedToken, keys: KeySet) -> None:
    # Step 6.
    candidates = keys.candidates(signed.header)
    if not candidates:
        reasons = f" (left out: {'; '.join(keys.skipped)})" if keys.skipped else ""
        raise KeyUnknown(f"no key of the provider fits the token's kid and alg{reasons}")
    if not any(key.verifies(signed) for key in candidates):
        raise TokenInvalid("the token's signature is not the provider's")


def check_audience(claims: dict[str, Json], client_id: str) -> None:
    """Check that the token is for this client and no other; raises ``TokenInvalid``."""
    # Step 3: every audience beside us is one "not trusted by the Client", since none can be
    # configured. The list form with one member is as good as the string.
    audience = claims.get("aud")
    if audience not in (client_id, [client_id]):
        raise TokenInvalid(
            "the ID token is not for this client, or not for it alone (aud); is "
            "INTASTELLAR_CLIENT_ID the one that you have registered?",
            permanent=True,
        )
    # Steps 4 and 5.
    if claims.get("azp") not in (None, client_id):
        raise TokenInvalid("the ID token was issued to another client (azp)")


def check_times(claims: dict[str, Json], *, now: float, leeway: float, max_iat_age: float) -> float:
    """Return when the token was issued, if it was, and has not ended; raises ``TokenInvalid``.

    Seconds, as in ``read_id_token``. A logout token's times are checked alike.
    """
    # Step 9. "On or after" exp is too late (RFC 7519 section 4.1.4).
    expires = read_time(claims, "exp")
    if expires is None:
        raise TokenInvalid("the token has no expiry (exp)")
    if now >= expires + leeway:
        raise TokenInvalid(
            "the token has expired (exp); is this machine's clock right? "
            "INTASTELLAR_CLOCK_SKEW is what it may be wrong by"
        )
    if expires > now + MAX_LIFETIME:
        raise TokenInvalid("the token expires more than a year from now (exp)")
    # Step 10.
    issued = read_time(claims, "iat")
    if issued is None:
        raise TokenInvalid("the token does not say when it was issued (iat)")
    if issued > now + leeway:
        raise TokenInvalid(
            "the token is from the future (iat); is this machine's clock right? "
            "INTASTELLAR_CLOCK_SKEW is what it may be wrong by"
        )
    if issued < now - max_iat_age - leeway:
        raise TokenInvalid("the token is too old (iat)")
    # RFC 7519 section 4.1.5.
    valid_from = read_time(claims, "nbf")
    if valid_from is not None and valid_from > now + leeway:
        raise TokenInvalid(
            "the token is not valid yet (nbf); is this machine's clock right? "
            "INTASTELLAR_CLOCK_SKEW is what it may be wrong by"
        )
    return issued


def _check_nonce(claims: dict[str, Json], nonce: str) -> None:
    # A sign-in that has lost its nonce is refused, not excused: a check that its input can switch
    # off is CVE-2023-27490.
    claimed = claims.get("nonce")
    if not nonce or not isinstance(claimed, str):
        raise TokenInvalid("the ID token, or the sign-in it belongs to, has no nonce")
    if not hmac.compare_digest(claimed.encode(), nonce.encode()):
        raise TokenInvalid("the ID token belongs to another sign-in (nonce)")


def _check_auth_time(
    claims: dict[str, Json], *, now: float, leeway: float, max_age: float | None
) -> None:
    # Read even if it wasn't asked for: applications see it. Zero is "unknown" to some providers.
    signed_in = read_time(claims, "auth_time")
    if max_age is None:
        return
    if signed_in is None:
        raise TokenInvalid("the ID token does not say when the user signed in (auth_time)")
    if not now - max_age - leeway <= signed_in <= now + leeway:
        raise TokenInvalid("the user signed in longer ago than was asked for (auth_time)")


def check_access_token(claims: dict[str, Json], access_token: str, alg: str) -> None:
    """Check ``at_hash``, if there is one (section 3.1.3.6); raises ``TokenInvalid``."""
    # Optional in the code flow, binding where it is: the access token wasn't swapped.
    at_hash = claims.get("at_hash")
    if at_hash is None:
        return
    digest = _HASHES.get(alg[-3:], hashlib.sha512)(access_token.encode()).digest()
    expected = encode_base64url(digest[: len(digest) // 2])
    if not isinstance(at_hash, str) or not hmac.compare_digest(at_hash.encode(), expected.encode()):
        raise TokenInvalid("the access token is not the one the ID token came with (at_hash)")


def read_time(claims: dict[str, Json], name: str) -> float | None:
    """Return the claim ``name`` in seconds since 1970, ``None`` where there is none.

    Raises ``TokenInvalid`` for what is no time.
    """
    value = claims.get(name)
    if value is None:
        return None
    # To Python, True is the number 1.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TokenInvalid(f"the token's {name} is not a time in seconds")
    return float(value)
