"""Start a sign-in: an attempt, its login cookie, and a redirect to the provider."""

from __future__ import annotations

from intastellar_auth.core import replies
from intastellar_auth.core.effects import Flow
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.navigation import is_certainly_not_navigation
from intastellar_auth.core.parameters import parameters
from intastellar_auth.core.refused import sign_in_needed
from intastellar_auth.core.site import Site
from intastellar_auth.oidc.authorization import build_authorization_url


def login(site: Site, request: Request) -> Flow[Reply]:
    """``GET /auth/login?next=/path``."""
    return_to = site.return_path(parameters(request).get("next"), site.landing)
    if is_certainly_not_navigation(request):
        # A fetch that follows redirects would use up an attempt and end in a CORS error (RQ-12).
        return sign_in_needed(site, request, return_to)
    return (yield from start(site, request, return_to))


def start(site: Site, request: Request, return_to: str, restarts: int = 0) -> Flow[Reply]:
    """Return the redirect to the provider (OpenID Connect Core section 3.1.2.1).

    ``restarts`` says how often this sign-in has started again by itself: it travels with the
    attempt, so that it happens once (row P8).
    """
    metadata = yield from site.provider.metadata()
    settings = site.settings
    attempt, state = site.attempts.begin(return_to, site.clock(), restarts)
    extra = dict(settings.authorization_params)
    if restarts and extra.get("prompt") == "none":
        # The provider has said that it needs the visitor: let it ask (Core section 3.1.2.6).
        del extra["prompt"]
    location = build_authorization_url(
        metadata,
        client_id=settings.client_id,
        redirect_uri=settings.redirect_uri,
        scope=settings.scope,
        state=state,
        nonce=attempt.nonce,
        code_verifier=attempt.code_verifier,
        response_mode=settings.response_mode,
        extra=extra,
    )
    header = request.cookie_header.encode("latin-1")
    return replies.redirect(location, site.attempts.keep(attempt, state, header))
