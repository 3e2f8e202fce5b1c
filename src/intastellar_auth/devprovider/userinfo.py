"""Userinfo (OpenID Connect Core section 5.3), with the token in the header alone (RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

from intastellar_auth.devprovider.errors import OAuthError
from intastellar_auth.devprovider.recording import note
from intastellar_auth.devprovider.state import provider_of

if TYPE_CHECKING:
    from starlette.requests import Request

_INVALID: Final = 'Bearer error="invalid_token"'


async def userinfo(request: Request) -> Response:
    """Tell the claims of the access token's scope; raises ``OAuthError`` ``invalid_token``."""
    provider = provider_of(request)
    if provider.faults.use("userinfo_500"):
        note(request, outcome="fault")
        return JSONResponse({"error": "server_error"}, 500)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        # RFC 6750 section 3.1: whoever showed nothing is told only what to show. A token in the
        # query or a form counts as nothing: it would end up in logs and histories.
        raise OAuthError(
            "invalid_token",
            "there is no Bearer token in Authorization",
            status=401,
            challenge="Bearer",
        )
    live = provider.grants.access(token.strip())
    if live is None:
        raise OAuthError(
            "invalid_token",
            "the access token is unknown, expired or revoked",
            status=401,
            challenge=_INVALID,
        )
    grant, scope = live
    note(request, client_id=grant.client_id)
    claims = provider.users[grant.sub].claims(scope)
    if provider.faults.use("userinfo_wrong_sub"):
        claims["sub"] = "mallory"
    return JSONResponse(claims)
