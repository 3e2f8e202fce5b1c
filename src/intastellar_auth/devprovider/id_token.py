"""The ID token (OpenID Connect Core sections 2 and 3.1.3.6)."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intastellar_auth.devprovider.clients import DevClient
    from intastellar_auth.devprovider.grants import Grant
    from intastellar_auth.devprovider.jsons import Json
    from intastellar_auth.devprovider.state import Provider


def at_hash(access_token: str) -> str:
    """Return the left half of the token's SHA-256, which both of our algorithms go by."""
    half = hashlib.sha256(access_token.encode("ascii")).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode("ascii")


def make_id_token(
    provider: Provider,
    client: DevClient,
    grant: Grant,
    access_token: str,
    nonce: str | None,
) -> str:
    """Return the signed ID token; ``nonce`` is ``None`` for a refresh (section 12.2)."""
    now = int(provider.clock())
    claims: dict[str, Json] = {
        "iss": provider.issuer,
        "sub": grant.sub,
        "aud": client.client_id,
        "iat": now,
        "exp": now + provider.lifetimes.id_token,
        "auth_time": grant.auth_time,
        "sid": grant.sid,
        "at_hash": at_hash(access_token),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if client.claims_in_id_token:
        claims |= provider.users[grant.sub].claims(grant.scope)
    faults = provider.faults
    wrong: dict[str, dict[str, Json]] = {
        "wrong_nonce": {"nonce": "wrong-nonce"},
        "wrong_iss": {"iss": "https://wrong-issuer.example"},
        "wrong_aud": {"aud": "wrong-client"},
        "expired_id_token": {"iat": now - 7200, "exp": now - 3600},
    }
    for fault, changes in wrong.items():
        if faults.use(fault):
            claims |= changes
    return provider.keys.sign(
        claims,
        client.id_token_signed_response_alg,
        with_kid=not faults.use("no_kid"),
        spoiled=faults.use("bad_signature"),
    )
