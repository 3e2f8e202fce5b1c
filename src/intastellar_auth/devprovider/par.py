"""Pushed authorization requests (RFC 9126)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

from intastellar_auth.devprovider.authorization_request import (
    read_authorization_request,
    read_reply_to,
)
from intastellar_auth.devprovider.client_auth import authenticate
from intastellar_auth.devprovider.errors import OAuthError
from intastellar_auth.devprovider.parameters import Parameters, read_form
from intastellar_auth.devprovider.state import Provider, provider_of

if TYPE_CHECKING:
    from starlette.requests import Request

_URN: Final = "urn:ietf:params:oauth:request_uri:"


async def push(request: Request) -> Response:
    """Check the request as the authorization endpoint would and keep it (section 2.1)."""
    provider = provider_of(request)
    form = await read_form(request)
    client = authenticate(request, form, provider)
    if "request_uri" in form:
        raise OAuthError("invalid_request", "request_uri cannot itself be pushed")
    parameters = form | {"client_id": client.client_id}
    reply_to = read_reply_to(parameters, provider.clients)
    read_authorization_request(parameters, reply_to, provider.scopes)
    request_uri = _URN + secrets.token_urlsafe(32)
    lifetime = provider.lifetimes.pushed_request
    provider.pushed.put(request_uri, parameters, lifetime)
    return JSONResponse({"request_uri": request_uri, "expires_in": int(lifetime)}, 201)


def take_pushed(provider: Provider, parameters: Parameters) -> Parameters:
    """Return the parameters that count: the pushed ones alone where ``request_uri`` names some.

    Raises ``OAuthError`` for one that is unknown, used, expired or another client's, and where a
    client that must push did not.
    """
    client_id = parameters.get("client_id", "")
    request_uri = parameters.get("request_uri", "")
    if not request_uri.startswith(_URN):
        client = provider.clients.get(client_id)
        if client is not None and client.require_pushed_authorization_requests:
            raise OAuthError("invalid_request", "this client must push its request (PAR)")
        return parameters
    pushed = provider.pushed.take(request_uri)
    if pushed is None or pushed["client_id"] != client_id:
        raise OAuthError(
            "invalid_request_uri", "request_uri is unknown, used, expired or another client's"
        )
    return pushed
