"""Believe a logout token, or don't (OpenID Connect Back-Channel Logout 1.0 section 2.6).

It is signed like an ID token, and must not pass for one, nor the other way round: ``events`` is
required here and refused there, ``nonce`` the reverse.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from intastellar_auth.errors import TokenInvalid
from intastellar_auth.oidc.id_token import check_sub, check_times, read_claims
from intastellar_auth.oidc.json_object import Json
from intastellar_auth.oidc.jwks import KeySet

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
MAX_AGE: Final = 600.0
"""Seconds after which a logout token is too old: section 2.4 has it end within minutes."""
TYPES: Final = ("jwt", "logout+jwt")
"""What ``typ`` may say, where it says anything: section 2.4, and what providers sent before it."""
_LONGEST_ID: Final = 512


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """Whom to sign out: a session ``sid``, or all of ``sub`` that began until ``issued``.

    ``jti`` is the token's own name; ``issued`` is seconds since 1970.
    """

    jti: str = field(repr=False)
    issued: float
    sub: str | None = field(repr=False)
    sid: str | None = field(repr=False)


def read_logout_token(
    token: str,
    keys: KeySet,
    *,
    issuer: str,
    client_id: str,
    allowed_algs: tuple[str, ...],
    now: float,
    leeway: float,
) -> LogoutToken:
    """Return what ``token`` asks for; raises ``KeyUnknown`` or ``TokenInvalid``.

    ``now`` is seconds since 1970, ``leeway`` seconds. The steps are those of section 2.6 in their
    order, less the last: whether ``jti`` came before is for the store.
    """
    # Steps 1 to 3: no decryption, the signature, and the algorithm.
    _, claims = read_claims(token, keys, allowed_algs=allowed_algs, types=TYPES)
    # Step 4: iss, aud, iat and exp as for an ID token.
    if claims.get("iss") != issuer:
        raise TokenInvalid("the logout token is from another issuer (iss)")
    audience = claims.get("aud")
    if client_id not in (audience if isinstance(audience, list) else [audience]):
        raise TokenInvalid("the logout token is not for this client (aud)")
    issued = check_times(claims, now=now, leeway=leeway, max_iat_age=MAX_AGE)
    # Step 5.
    sub = None if claims.get("sub") is None else check_sub(claims, "the logout token", TokenInvalid)
    sid = None if claims.get("sid") is None else _text(claims, "sid")
    if sub is None and sid is None:
        raise TokenInvalid("the logout token names neither a session nor a user (sid, sub)")
    # Step 6. Other events beside it, and what is in it, are ignored.
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise TokenInvalid("the token is not about a logout (events)")
    # Step 7: any value, null as well.
    if "nonce" in claims:
        raise TokenInvalid("the logout token has a nonce: it may be an ID token")
    return LogoutToken(jti=_text(claims, "jti"), issued=issued, sub=sub, sid=sid)


def _text(claims: dict[str, Json], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID:
        raise TokenInvalid(f"the logout token's {name} is not a text of at most {_LONGEST_ID}")
    return value
