"""The authorization endpoint and the sign-in page behind it (OpenID Connect Core section 3.1.2)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from intastellar_auth.devprovider.authorization_request import (
    AuthorizationRequest,
    read_authorization_request,
    read_reply_to,
)
from intastellar_auth.devprovider.authorization_response import send_code, send_error
from intastellar_auth.devprovider.errors import OAuthError
from intastellar_auth.devprovider.grants import Grant
from intastellar_auth.devprovider.pages import consent_page, error_page, sign_in_page
from intastellar_auth.devprovider.par import take_pushed
from intastellar_auth.devprovider.parameters import read_form, read_parameters
from intastellar_auth.devprovider.recording import note
from intastellar_auth.devprovider.state import Provider, provider_of
from intastellar_auth.devprovider.web import refuse_cross_site, set_session_cookie

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from intastellar_auth.devprovider.sessions import Session
    from intastellar_auth.devprovider.users import DevUser


async def authorize(request: Request) -> Response:
    """Answer with a code, an error, or a page; an untrusted address gets a page only."""
    provider = provider_of(request)
    try:
        parameters = take_pushed(provider, await read_parameters(request))
        reply_to = read_reply_to(parameters, provider.clients)
    except OAuthError as refusal:
        note(request, outcome=refusal.error)
        return error_page(refusal)
    note(request, client_id=reply_to.client_id)
    try:
        asked = read_authorization_request(parameters, reply_to, provider.scopes)
        return _decide(request, provider, asked)
    except OAuthError as refusal:
        note(request, outcome=refusal.error)
        return send_error(provider, reply_to, refusal)


def _decide(request: Request, provider: Provider, asked: AuthorizationRequest) -> Response:
    session = provider.session(request)
    needed = interaction_needed(provider, asked, session)
    if session is not None and needed is None:
        note(request, outcome="code")
        return _send_code(provider, asked, session)
    if "none" in asked.prompt:
        raise OAuthError(needed or "login_required", "prompt is none, but the user must be asked")
    note(request, outcome="page")
    interaction = secrets.token_urlsafe(32)
    provider.interactions.put(interaction, asked, provider.lifetimes.interaction)
    client_id = asked.reply_to.client_id
    if session is not None and needed == "consent_required":
        user = provider.users[session.sub]
        return consent_page(interaction, client_id, asked.scope, user)
    hint = asked.login_hint or ""
    users = sorted(provider.users.values(), key=lambda user: not user.is_called(hint))
    return sign_in_page(interaction, client_id, asked.scope, users)


def interaction_needed(
    provider: Provider, asked: AuthorizationRequest, session: Session | None
) -> str | None:
    """Return why the user must be asked (section 3.1.2.6), ``None`` where silence will do."""
    if session is None or "login" in asked.prompt:
        return "login_required"
    if asked.max_age is not None and provider.clock() - session.auth_time > asked.max_age:
        return "login_required"
    if asked.login_hint is not None and not provider.users[session.sub].is_called(asked.login_hint):
        return "login_required"
    # Section 11: nobody's absence is used without having been asked.
    offline = "offline_access" in asked.scope
    if "consent" in asked.prompt or (offline and asked.reply_to.client_id not in session.offline):
        return "consent_required"
    return None


async def sign_in(request: Request) -> Response:
    """Take the choice made on the page. Choosing a user also gives the consent the page names."""
    provider = provider_of(request)
    try:
        asked, user = await _read_choice(request, provider)
    except OAuthError as refusal:
        note(request, outcome=refusal.error)
        return error_page(refusal)
    note(request, client_id=asked.reply_to.client_id)
    if user is None:
        note(request, outcome="access_denied")
        cancelled = OAuthError("access_denied", "the user cancelled")
        return send_error(provider, asked.reply_to, cancelled)
    session = _session_for(provider, asked, user, provider.session(request))
    note(request, outcome="code")
    response = _send_code(provider, asked, session)
    set_session_cookie(response, provider, session)
    return response


async def _read_choice(
    request: Request, provider: Provider
) -> tuple[AuthorizationRequest, DevUser | None]:
    """Return what was asked for and who was chosen, ``None`` for cancel."""
    refuse_cross_site(request)
    form = await read_form(request)
    user = provider.users.get(form.get("login", ""))
    if user is None and form.get("action") != "cancel":
        raise OAuthError("invalid_request", "the form names no test user")
    asked = provider.interactions.take(form.get("interaction", ""))
    if asked is None:
        raise OAuthError(
            "invalid_request", "this sign-in has ended: start again at the site you came from"
        )
    return asked, user


def _session_for(
    provider: Provider, asked: AuthorizationRequest, user: DevUser, before: Session | None
) -> Session:
    # Who only gave consent did not sign in again: auth_time stays.
    if (
        before is not None
        and before.sub == user.sub
        and interaction_needed(provider, asked, before) == "consent_required"
    ):
        return before
    return provider.sessions.sign_in(user.sub, before)


def _send_code(provider: Provider, asked: AuthorizationRequest, session: Session) -> Response:
    client_id = asked.reply_to.client_id
    provider.sessions.join(session, client_id, offline="offline_access" in asked.scope)
    grant = Grant(client_id, session.sub, asked.scope, session.auth_time, session.sid, asked.nonce)
    code = provider.grants.issue_code(
        grant, asked.reply_to.redirect_uri, asked.code_challenge, provider.lifetimes.code
    )
    return send_code(provider, asked.reply_to, code)
