"""Token revocation (RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from intastellar_auth.devprovider.client_auth import authenticate
from intastellar_auth.devprovider.errors import OAuthError
from intastellar_auth.devprovider.parameters import read_form
from intastellar_auth.devprovider.state import provider_of

if TYPE_CHECKING:
    from starlette.requests import Request


async def revoke(request: Request) -> Response:
    """Revoke the client's ``token``. ``token_type_hint`` is not needed: we look everywhere."""
    provider = provider_of(request)
    form = await read_form(request)
    client = authenticate(request, form, provider)
    if "token" not in form:
        raise OAuthError("invalid_request", "token is missing")
    provider.grants.revoke_token(form["token"], client.client_id)
    return Response(status_code=200)
