"""``private_key_jwt``: a client proves itself with a signed statement (RFC 7523 section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jwt

from intastellar_auth.devprovider.clients import DevClient, assertion_algorithms
from intastellar_auth.devprovider.errors import OAuthError

if TYPE_CHECKING:
    from jwt.types import Options

    from intastellar_auth.devprovider.jsons import Json
    from intastellar_auth.devprovider.state import Provider

_LONGEST: Final = 600
_SKEW: Final = 30
# The times are held against the provider's own clock below; PyJWT knows only the system's.
_NO_TIMES: Final[Options] = {
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
}


def _refused(description: str) -> OAuthError:
    return OAuthError("invalid_client", f"client_assertion: {description}", status=401)


def claimed_client_id(assertion: str) -> str:
    """Return who ``assertion`` says it is of, unverified: it only says which key to try."""
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise _refused("not a JWT") from None
    return str(claims.get("sub", ""))


def check_assertion(assertion: str, client: DevClient, provider: Provider) -> None:
    """Raise ``OAuthError`` ``invalid_client`` unless ``assertion`` proves ``client``, once."""
    key = client.public_key or ""
    try:
        claims: dict[str, Json] = jwt.decode(
            assertion, key, algorithms=assertion_algorithms(key), options=_NO_TIMES
        )
    except jwt.InvalidTokenError:
        raise _refused("the signature does not verify with the registered key") from None
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise _refused("iss and sub are not both the client_id")
    # The issuer alone: an assertion made out to one endpoint could be played to another.
    if claims.get("aud") not in (provider.issuer, [provider.issuer]):
        raise _refused(f"aud is not the issuer, {provider.issuer}")
    now, expires, jti = provider.clock(), claims.get("exp"), claims.get("jti")
    if not isinstance(expires, int | float) or not now - _SKEW < expires < now + _LONGEST:
        raise _refused(f"exp is missing, past, or more than {_LONGEST} seconds away")
    if not isinstance(jti, str) or not jti:
        raise _refused("jti is missing")
    if not provider.assertions.add(f"{client.client_id} {jti}", None, expires + _SKEW - now):
        raise _refused("jti was used before")
