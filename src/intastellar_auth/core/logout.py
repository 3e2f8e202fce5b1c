"""Sign out: the browser SDK's cookies, our sessions, the provider's session, a public page.

In this order, each step whether or not the one before found anything. The local part always
happens, also when the provider is down or the store is.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from urllib.parse import urlsplit

from intastellar_auth import log
from intastellar_auth.core import cookies, pages, replies
from intastellar_auth.core.effects import Flow
from intastellar_auth.core.exchange import exchange_of
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.navigation import is_certainly_not_navigation, is_from_elsewhere
from intastellar_auth.core.once import No, recall
from intastellar_auth.core.outcome import decode_outcome
from intastellar_auth.core.parameters import parameters
from intastellar_auth.core.seal import from_text, to_text
from intastellar_auth.core.session import Session
from intastellar_auth.core.sign_out import end
from intastellar_auth.core.site import Site
from intastellar_auth.errors import (
    AnswerInvalid,
    LogoutNotConfirmed,
    ProviderError,
    SealBroken,
    StoreUnavailable,
)
from intastellar_auth.oidc.end_session import build_end_session_url


def logout(site: Site, request: Request) -> Flow[Reply]:
    """``GET`` or ``POST /auth/logout?next=/path``."""
    given = parameters(request)
    next_path = site.return_path(given.get("next"), site.after_logout)
    header = request.cookie_header.encode("latin-1")
    sessions = yield from _sessions(site, header)
    session = sessions[0] if sessions else None
    if is_from_elsewhere(request, site.settings.origin) and not _proved(site, session, given):
        if is_certainly_not_navigation(request):
            raise LogoutNotConfirmed("another site's script or frame asked for a logout")
        return _confirm(site, session, next_path, (yield from _end_session_endpoint(site)))
    for one in [*sessions, *(yield from _given_again(site, header, sessions))]:
        yield from end(site, one)
    # Only now: whoever gives up on a slow provider is signed out here all the same (LO-02).
    location = yield from _provider_logout(site, header, next_path)
    removed = [
        *_sdk_cookies(site),
        *site.sessions.clear_cookies(header),
        *site.hints.clear_cookies(header),
    ]
    if location is None:
        return _public_page(site, next_path, removed)
    return replies.redirect(location, removed)


def landed(site: Site, request: Request) -> Reply | None:
    """Answer the browser that the provider sends back to ``POST_LOGOUT_PATH`` with our ``state``.

    ``None`` for every other request to that path: it is the app's own page. The state is sealed, so
    a foreign one leads nowhere (CF-L02).
    """
    if request.method != "GET":
        return None
    try:
        text = parameters(request).get("state", "")
        next_path = site.landings.open(from_text(text.encode())).decode()
    except SealBroken:
        return None
    return _public_page(site, site.return_path(next_path, site.after_logout), [])


def _sessions(site: Site, header: bytes) -> Flow[list[Session]]:
    try:
        return (yield from site.sessions.find_all(header, site.clock()))
    except StoreUnavailable as error:
        # The browser loses its cookie all the same; a stolen copy of it lives on until it expires.
        log.event(logging.ERROR, "logout_not_recorded", {"detail": error.detail})
        return []


def _given_again(site: Site, header: bytes, known: list[Session]) -> Flow[list[Session]]:
    """Return what the callbacks of this browser's other tabs would give it again (row P6).

    A later sign-in has taken the place of those sessions in the cookie, and ended none of them.
    """
    found: dict[str, Session] = {}
    try:
        for attempt in site.attempts.kept(header):
            outcome = yield from recall(exchange_of(site, attempt))
            given = None if isinstance(outcome, No) else decode_outcome(outcome)
            if given is not None and given.session is not None:
                found[given.session.id] = given.session
    except StoreUnavailable as error:
        log.event(logging.ERROR, "logout_not_recorded", {"detail": error.detail})
    for session in known:
        found.pop(session.id, None)
    return list(found.values())


def _provider_logout(site: Site, header: bytes, next_path: str) -> Flow[str | None]:
    """Return where the provider's session ends, ``None`` if it is to go on or there is no way."""
    endpoint = yield from _end_session_endpoint(site)
    if endpoint is None:
        return None
    try:
        return build_end_session_url(
            endpoint,
            id_token_hint=site.hints.find(header),
            client_id=site.settings.client_id,
            post_logout_redirect_uri=site.settings.origin + site.after_logout,
            state=to_text(site.landings.seal(next_path.encode())),
        )
    except AnswerInvalid as error:
        log.event(logging.WARNING, "provider_logout_left_out", {"detail": error.detail})
        return None


def _end_session_endpoint(site: Site) -> Flow[str | None]:
    if not site.settings.idp_logout:
        return None
    try:
        metadata = yield from site.provider.metadata()
    except ProviderError as error:
        log.event(logging.WARNING, "provider_logout_left_out", {"detail": error.detail})
        return None
    return metadata.end_session_endpoint


def _sdk_cookies(site: Site) -> list[str]:
    """Script must be able to read them, so they are set without HttpOnly and removed like that."""
    host = urlsplit(site.settings.base_url).hostname or ""
    attributes = replace(site.sessions.attributes, http_only=False, domain=None, same_site=None)
    return [
        removal
        for name in site.settings.client_cookies
        for removal in cookies.clear_everywhere(name, host, attributes)
    ]


def _confirm(site: Site, session: Session | None, next_path: str, endpoint: str | None) -> Reply:
    """Another site may not sign the visitor out (LO-01), but it may ask."""
    html = pages.confirm_sign_out(
        action=f"{site.prefix}/logout",
        proof=to_text(site.proofs.seal(b"" if session is None else session.id.encode())),
        next_path=next_path,
        home=site.home,
    )
    # The form ends at the provider, and browsers hold form-action against redirects too.
    return replies.page(html, form_targets=(endpoint,) if endpoint else ())


def _proved(site: Site, session: Session | None, given: dict[str, str]) -> bool:
    """Whether the form is ours, and was shown to this session.

    Browsers without Fetch Metadata send ``Origin: null`` from a page with ``no-referrer``: there
    the origin proves nothing, and the form has to. Without a session nothing can: Lax cookies do
    not come with a cross-site POST, and a proof that was shown to nobody is anybody's.
    """
    if session is None:
        return False
    try:
        return site.proofs.open(from_text(given.get("proof", "").encode())) == session.id.encode()
    except SealBroken:
        return False


def _public_page(site: Site, path: str, set_cookies: list[str]) -> Reply:
    """The page asked for, unless it would send the visitor to sign in at once again."""
    if site.rules.needs_user(site.app_path(path)):
        html = pages.signed_out(sign_in=site.login_url(path), home=site.home)
        return replies.page(html, set_cookies=set_cookies)
    return replies.redirect(path, set_cookies)
