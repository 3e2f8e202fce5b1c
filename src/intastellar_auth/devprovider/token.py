"""The token endpoint (RFC 6749 section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from starlette.responses import HTMLResponse, JSONResponse, Response

from intastellar_auth.devprovider.client_auth import authenticate
from intastellar_auth.devprovider.errors import OAuthError
from intastellar_auth.devprovider.id_token import make_id_token
from intastellar_auth.devprovider.parameters import Parameters, read_form
from intastellar_auth.devprovider.recording import note
from intastellar_auth.devprovider.state import Provider, provider_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from intastellar_auth.devprovider.clients import DevClient
    from intastellar_auth.devprovider.grants import Grant
    from intastellar_auth.devprovider.jsons import Json


async def token(request: Request) -> ASGIApp:
    """Give tokens for a code or a refresh token; raises ``OAuthError`` to refuse."""
    provider = provider_of(request)
    provider.log.count("token_requests")
    instead = _answer_instead(provider)
    if instead is not None:
        note(request, outcome="fault")
        return instead
    try:
        answer = await _grant(request, provider)
        if provider.faults.use("token_drop_connection"):
            note(request, outcome="fault")
            return _cut_short
        return answer
    finally:
        if provider.faults.use("token_slow"):
            await anyio.sleep(provider.faults.seconds)
            if await request.is_disconnected():
                provider.log.count("answers_unheard")


async def _grant(request: Request, provider: Provider) -> Response:
    form = await read_form(request)
    client = authenticate(request, form, provider)
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise OAuthError("invalid_request", "grant_type is missing")
    if grant_type == "authorization_code":
        answer = _for_code(provider, client, form)
    elif grant_type == "refresh_token":
        answer = _for_refresh_token(provider, client, form)
    else:
        raise OAuthError(
            "unsupported_grant_type", "grant_type is neither authorization_code nor refresh_token"
        )
    return JSONResponse(answer)


def _for_code(provider: Provider, client: DevClient, form: Parameters) -> dict[str, Json]:
    """RFC 6749 section 4.1.3."""
    if "code" not in form:
        raise OAuthError("invalid_request", "code is missing")
    grant = provider.grants.redeem(
        form["code"],
        client.client_id,
        form.get("redirect_uri", ""),
        form.get("code_verifier", ""),
    )
    return _tokens(provider, client, grant, grant.scope, grant.nonce)


def _for_refresh_token(provider: Provider, client: DevClient, form: Parameters) -> dict[str, Json]:
    """RFC 6749 section 6."""
    if "refresh_token" not in form:
        raise OAuthError("invalid_request", "refresh_token is missing")
    wished = tuple(form["scope"].split(" ")) if "scope" in form else None
    grant, scope = provider.grants.spend_refresh_token(
        form["refresh_token"], client.client_id, wished
    )
    return _tokens(provider, client, grant, scope, None)


def _tokens(
    provider: Provider,
    client: DevClient,
    grant: Grant,
    scope: tuple[str, ...],
    nonce: str | None,
) -> dict[str, Json]:
    lifetimes = provider.lifetimes
    lasts: float = lifetimes.access_token
    if provider.faults.use("short_access_token"):
        lasts = provider.faults.seconds
    access_token = provider.grants.issue_access_token(grant, scope, lasts)
    answer: dict[str, Json] = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": lasts,
        "scope": " ".join(scope),
    }
    if "offline_access" in grant.scope:
        answer["refresh_token"] = provider.grants.issue_refresh_token(
            grant, lifetimes.refresh_token
        )
    if "openid" in scope:
        answer["id_token"] = make_id_token(provider, client, grant, access_token, nonce)
    return answer


def _answer_instead(provider: Provider) -> Response | None:
    if provider.faults.use("token_500"):
        return JSONResponse({"error": "server_error"}, 500)
    if provider.faults.use("token_html"):
        return HTMLResponse("<!doctype html><title>Maintenance</title><p>Back soon.")
    if provider.faults.use("token_invalid_grant"):
        return JSONResponse({"error": "invalid_grant", "error_description": "as ordered"}, 400)
    return None


async def _cut_short(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Promise more than is sent: the server closes the connection, as a dying provider would."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"application/json"), (b"content-length", b"1000")],
        }
    )
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
