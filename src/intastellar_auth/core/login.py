"""Start a sign-in: an attempt, its login cookie, and a redirect to the provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from intastellar_auth.core import replies
from intastellar_auth.core.effects import Flow, fetch
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.navigation import is_certainly_not_navigation
from intastellar_auth.core.parameters import parameters
from intastellar_auth.core.refused import sign_in_needed
from intastellar_auth.core.seal import to_text
from intastellar_auth.core.site import Site
from intastellar_auth.errors import ProviderError, about
from intastellar_auth.oidc.authorization import (
    Parameters,
    build_authorization_parameters,
    build_authorization_url,
    build_pushed_authorization_url,
)
from intastellar_auth.oidc.client_auth import naming_credential
from intastellar_auth.oidc.discovery import Metadata
from intastellar_auth.oidc.pushed_authorization import (
    build_pushed_authorization_request,
    read_pushed_authorization_answer,
)
from intastellar_auth.settings import Settings

_NO_WISHES: Final[Mapping[str, str]] = MappingProxyType({})
_MAX_LOGIN_HINT: Final = 255
_MAX_UI_LOCALES: Final = 100
# Core section 3.1.2.1: language tags of BCP 47, separated by spaces.
_UI_LOCALES: Final = re.compile(
    r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*(?: [A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)*", re.ASCII
)


def login(site: Site, request: Request) -> Flow[Reply]:
    """``GET /auth/login?next=/path``, with ``login_hint``, ``ui_locales`` or ``prompt=none``."""
    given = parameters(request)
    return_to = site.return_path(given.get("next"), site.landing)
    if is_certainly_not_navigation(request):
        # A fetch that follows redirects would use up an attempt and end in a CORS error (RQ-12).
        return sign_in_needed(site, request, return_to)
    return (yield from start(site, request, return_to, wishes=_wishes(site.settings, given)))


def start(
    site: Site,
    request: Request,
    return_to: str,
    restarts: int = 0,
    *,
    wishes: Mapping[str, str] = _NO_WISHES,
) -> Flow[Reply]:
    """Return the redirect to the provider (OpenID Connect Core section 3.1.2.1).

    ``restarts`` says how often this sign-in has started again by itself: it travels with the
    attempt, so that it happens once (row P8). ``wishes`` are parameters of this request alone.
    """
    metadata = yield from site.provider.metadata()
    settings = site.settings
    extra = _extra(settings, restarts, wishes)
    attempt, state = site.attempts.begin(
        return_to, site.clock(), restarts, silent=extra.get("prompt") == "none"
    )
    asked = build_authorization_parameters(
        client_id=settings.client_id,
        redirect_uri=settings.redirect_uri,
        scope=settings.scope,
        state=state,
        nonce=attempt.nonce,
        code_verifier=attempt.code_verifier,
        response_mode=settings.response_mode,
        extra=extra,
    )
    location = yield from _location(site, metadata, asked)
    header = request.cookie_header.encode("latin-1")
    return replies.redirect(location, site.attempts.keep(attempt, state, header))


def _wishes(settings: Settings, given: Mapping[str, str]) -> dict[str, str]:
    """Return what of ``given`` is passed on; a stranger may have written it (RQ-08, RQ-15)."""
    wishes = {}
    login_hint, ui_locales = given.get("login_hint", ""), given.get("ui_locales", "")
    if 0 < len(login_hint) <= _MAX_LOGIN_HINT and login_hint.isprintable():
        wishes["login_hint"] = login_hint
    if len(ui_locales) <= _MAX_UI_LOCALES and _UI_LOCALES.fullmatch(ui_locales):
        wishes["ui_locales"] = ui_locales
    # A prompt in the settings is the owner's rule, say to ask for the password each time: a link
    # must not get around it.
    if given.get("prompt") == "none" and "prompt" not in settings.authorization_params:
        wishes["prompt"] = "none"
    return wishes


def _extra(
    settings: Settings, restarts: int, wishes: Mapping[str, str]
) -> dict[str, str | tuple[str, ...]]:
    extra: dict[str, str | tuple[str, ...]] = {**settings.authorization_params, **wishes}
    if restarts and extra.get("prompt") == "none":
        # The provider has said that it needs the visitor: let it ask (Core section 3.1.2.6).
        del extra["prompt"]
    if settings.resource:
        extra["resource"] = settings.resource
    return extra


def _location(site: Site, metadata: Metadata, asked: Parameters) -> Flow[str]:
    """Return where the browser goes, once the request is pushed if that is how it travels."""
    endpoint = _pushed_to(site.settings, metadata)
    if endpoint is None:
        return build_authorization_url(metadata, asked)
    client = site.client(metadata)
    answer = yield from fetch(
        build_pushed_authorization_request(
            endpoint,
            asked,
            client,
            # Without discovery there may be no issuer; RFC 9126 section 2 then takes the endpoint.
            audience=metadata.issuer or endpoint,
            now=site.clock(),
            jti=to_text(site.token_bytes(16)),
        )
    )
    with about(endpoint), naming_credential(client):
        request_uri = read_pushed_authorization_answer(answer)
    return build_pushed_authorization_url(metadata, asked, request_uri=request_uri)


def _pushed_to(settings: Settings, metadata: Metadata) -> str | None:
    """Return the endpoint to push to, ``None`` where the browser carries the request itself.

    Where pushing is asked for and there is nowhere to push to, nothing is sent: who makes the
    endpoint disappear must not get the request into the open (PA-02).
    """
    if settings.pushed_authorization_request_endpoint is not None:
        return settings.pushed_authorization_request_endpoint
    if settings.pushed_authorization_requests:
        because = "INTASTELLAR_PUSHED_AUTHORIZATION_REQUESTS is true"
    elif metadata.require_pushed_authorization_requests:
        because = "the provider requires pushed authorization requests"
    else:
        return None
    if metadata.pushed_authorization_request_endpoint is None:
        raise ProviderError(
            f"{because}, and the provider announces no endpoint for them; set"
            " INTASTELLAR_PUSHED_AUTHORIZATION_REQUEST_ENDPOINT",
            permanent=True,
        )
    return metadata.pushed_authorization_request_endpoint
