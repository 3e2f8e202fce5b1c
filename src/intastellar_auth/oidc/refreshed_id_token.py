"""Believe an ID token that came with a refresh, or don't (OpenID Connect Core section 12.2).

It must be about the user who signed in. A ``nonce`` proves nothing here: that of the sign-in is not
kept, and the section says that there should be none.
"""

from __future__ import annotations

from intastellar_auth.errors import TokenInvalid
from intastellar_auth.oidc.id_token import (
    DAY,
    IdToken,
    check_access_token,
    check_audience,
    check_sub,
    check_times,
    read_claims,
    read_time,
)
from intastellar_auth.oidc.jwks import KeySet


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
    # "The time that the new ID Token is issued": not the original's.
    check_times(claims, now=now, leeway=leeway, max_iat_age=DAY)
    check_audience(claims, client_id)
    signed_in = read_time(claims, "auth_time")
    if signed_in and auth_time and signed_in != auth_time:
        raise TokenInvalid("the refreshed ID token is of another sign-in (auth_time)")
    check_access_token(claims, access_token, header.alg)
    if "events" in claims:
        raise TokenInvalid("the refreshed ID token has events: it is another kind of token")
    return IdToken(claims)
