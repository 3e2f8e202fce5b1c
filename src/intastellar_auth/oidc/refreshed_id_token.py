"""Believe an ID token that came with a refresh, or don't (OpenID Connect Core section 12.2).

It must be about the user who signed in, and new. There should be no ``nonce``. One that is there
would have to be that of the sign-in; it is ignored, because that one is not kept.
"""

from __future__ import annotations

from typing import Final

from intastellar_auth.errors import TokenInvalid
from intastellar_auth.oidc.id_token import (
    IdToken,
    check_access_token,
    check_audience,
    check_sub,
    check_times,
    read_claims,
    read_time,
)
from intastellar_auth.oidc.jwks import KeySet

MAX_AGE: Final = 600.0
"""Seconds after which it is the sign-in's, or a copy; some providers date theirs minutes back."""


def read_refreshed_id_token(
    token: str,
    keys: KeySet,
    *,
    issuer: str,
    client_id: str,
    access_token: str,
    allowed_algs: tuple[str, ...],
    now: float,
    leeway: float,
    sub: str,
    auth_time: float | None,
) -> IdToken:
    """Return the ID token if it is one that ``sub`` of ``issuer`` can have after a refresh.

    ``sub`` and ``auth_time`` are those of the sign-in; the latter is ``None`` where nobody knows.
    ``now`` and ``auth_time`` are seconds since 1970, ``leeway`` seconds. Raises ``KeyUnknown``
    where another set of keys may help, ``TokenInvalid`` otherwise.
    """
    header, claims = read_claims(token, keys, allowed_algs=allowed_algs)
    if not issuer or claims.get("iss") != issuer:
        raise TokenInvalid("the refreshed ID token is from another issuer (iss)")
    if check_sub(claims, "the refreshed ID token", TokenInvalid) != sub:
        raise TokenInvalid("the refreshed ID token is another user's (sub)")
    # "iat MUST represent the time that the new ID Token is issued": not the original's.
    check_times(claims, now=now, leeway=leeway, max_iat_age=MAX_AGE)
    # The original's aud and azp passed the same check: an azp that came or went is still ours.
    check_audience(claims, client_id)
    # Zero is "unknown" to some providers.
    signed_in = read_time(claims, "auth_time")
    if signed_in and auth_time and signed_in != auth_time:
        raise TokenInvalid("the refreshed ID token is of another sign-in (auth_time)")
    # Section 3.1.3.6.
    check_access_token(claims, access_token, header.alg)
    # Back-Channel Logout section 2.4, as in read_id_token.
    if "events" in claims:
        raise TokenInvalid("the refreshed ID token has events: it is another kind of token")
    return IdToken(claims)
