"""The end-session endpoint (OpenID Connect RP-Initiated Logout)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from intastellar_auth.devprovider.authorization_response import with_query
from intastellar_auth.devprovider.backchannel import end_session
from intastellar_auth.devprovider.end_session_request import (
    EndSessionRequest,
    read_end_session_request,
)
from intastellar_auth.devprovider.errors import OAuthError
from intastellar_auth.devprovider.pages import confirm_logout_page, error_page, message_page
from intastellar_auth.devprovider.parameters import read_form, read_parameters
from intastellar_auth.devprovider.recording import note
from intastellar_auth.devprovider.state import Provider, provider_of
from intastellar_auth.devprovider.web import clear_session_cookie, refuse_cross_site

if TYPE_CHECKING:
    from starlette.requests import Request


async def end_session_endpoint(request: Request) -> Response:
    """Sign out, or ask first where the request does not show that the user's client sent it."""
    provider = provider_of(request)
    try:
        asked = read_end_session_request(await read_parameters(request), provider)
    except OAuthError as refusal:
        note(request, outcome=refusal.error)
        return error_page(refusal)
    note(request, client_id=asked.client_id)
    session = provider.session(request)
    # Section 2: without a hint, or with another user's, anyone's link would sign the user out.
    if session is not None and session.sub != asked.hinted_sub:
        note(request, outcome="page")
        interaction = secrets.token_urlsafe(32)
        provider.logouts.put(interaction, asked, provider.lifetimes.interaction)
        return confirm_logout_page(interaction, provider.users[session.sub])
    return await _sign_out(request, provider, asked)


async def confirm_sign_out(request: Request) -> Response:
    """Take the answer to the question of the page."""
    provider = provider_of(request)
    try:
        asked, wanted = await _read_decision(request, provider)
    except OAuthError as refusal:
        note(request, outcome=refusal.error)
        return error_page(refusal)
    note(request, client_id=asked.client_id)
    if not wanted:
        note(request, outcome="declined")
        return message_page("Still signed in", "You stay signed in. You can close this page.")
    return await _sign_out(request, provider, asked)


async def _read_decision(request: Request, provider: Provider) -> tuple[EndSessionRequest, bool]:
    """Return what was asked for and whether the user wants it."""
    refuse_cross_site(request)
    form = await read_form(request)
    asked = provider.logouts.take(form.get("interaction", ""))
    if asked is None:
        raise OAuthError("invalid_request", "this page has ended: sign out again")
    return asked, form.get("logout") == "yes"


async def _sign_out(request: Request, provider: Provider, asked: EndSessionRequest) -> Response:
    session = provider.session(request)
    if session is not None:
        await end_session(provider, session)
    response: Response
    if asked.post_logout_redirect_uri is None:
        response = message_page("Signed out", "You are signed out. You can close this page.")
    else:
        fields = {"state": asked.state} if asked.state is not None else {}
        response = RedirectResponse(with_query(asked.post_logout_redirect_uri, fields), 303)
    clear_session_cookie(response, provider)
    return response
