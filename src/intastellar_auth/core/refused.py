"""What a visitor, or a script, is told when a request of theirs is not done.

One sentence, a reference, and a way on; why it happened is in the log under that reference.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from intastellar_auth import log
from intastellar_auth.core import pages, replies
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.navigation import is_navigation
from intastellar_auth.core.outcome import Failure
from intastellar_auth.core.site import Site
from intastellar_auth.errors import (
    AttemptExpired,
    AuthError,
    RequestRefused,
    SignInNeeded,
    StateRefused,
)


def refused(site: Site, request: Request, error: AuthError, return_to: str) -> Reply:
    """Log ``error``, and return what the visitor is told, with a way on to ``return_to``."""
    reference = log.new_reference(site.token_bytes)
    log.refusal(error, reference)
    failure = Failure(
        error.code, error.status, error.sentence, reference, permanent=error.permanent
    )
    return failed(site, request, failure, return_to)


def failed(site: Site, request: Request, failure: Failure, return_to: str) -> Reply:
    """Return what the visitor is told of a ``failure`` that is in the log already."""
    ways = {"reference": failure.reference, "home": site.home}
    ways["sign_in"] = site.login_url(return_to)
    if failure.cancelled:
        html = pages.cancelled(**ways)
    elif failure.permanent:
        html = pages.failed_for_good(failure.sentence, **ways)
    else:
        html = pages.failed(failure.sentence, **ways)
    return replies.problem(
        request,
        status=failure.status,
        code=failure.code,
        sentence=failure.sentence,
        html=html,
        reference=failure.reference,
    )


def expired(site: Site, request: Request, detail: str, return_to: str) -> Reply:
    """Log why a sign-in does not start again by itself once more, and offer to start it again."""
    sign_in = site.login_url(return_to)
    return _told(
        site,
        request,
        AttemptExpired(detail),
        lambda reference: pages.expired(reference=reference, sign_in=sign_in, home=site.home),
    )


def not_here(site: Site, request: Request, detail: str, return_to: str) -> Reply:
    """Return the page for a callback whose answer this browser may not have (rows P6 and P7)."""
    sign_in = site.login_url(return_to)
    return _told(
        site,
        request,
        StateRefused(detail),
        lambda reference: pages.offer(reference=reference, sign_in=sign_in, home=site.home),
    )


def _told(site: Site, request: Request, error: RequestRefused, html: Callable[[str], str]) -> Reply:
    """Log ``error``, and return the page of its own that it has."""
    reference = log.new_reference(site.token_bytes)
    log.refusal(error, reference)
    return replies.problem(
        request,
        status=error.status,
        code=error.code,
        sentence=error.sentence,
        html=html(reference),
        reference=reference,
    )


def sign_in_needed(site: Site, request: Request, return_to: str) -> Reply:
    """Return the 401 for whoever cannot follow a redirect to the provider: it says where to go.

    Scripts of the site's own pages ask for every visitor and show none of it: that is no event for
    a log, unless a visitor came here and sees it.
    """
    reference = log.new_reference(site.token_bytes)
    level = logging.WARNING if is_navigation(request) else logging.DEBUG
    log.event(level, "sign_in_needed", {"reference": reference, "path": request.path})
    return replies.data(
        {
            "error": SignInNeeded.code,
            "message": SignInNeeded.sentence,
            "reference": reference,
            "login_url": site.settings.origin + site.login_url(return_to),
        },
        status=SignInNeeded.status,
        headers=(("www-authenticate", f'Cookie realm="{site.settings.origin}"'),),
    )


def method_refused(site: Site, request: Request, methods: tuple[str, ...]) -> Reply:
    """Return the 405 for a method that a path of ours does not have (RFC 9110 section 15.5.6)."""
    reference, code = log.new_reference(site.token_bytes), "method_not_allowed"
    allowed = " or ".join(methods)
    log.refused(reference, code, f"{request.path} takes {allowed}, not {request.method}")
    sentence = f"Use {allowed} here."
    return replies.problem(
        request,
        status=405,
        code=code,
        sentence=sentence,
        html=pages.not_like_this(sentence, reference=reference, home=site.home),
        reference=reference,
        headers=(("allow", ", ".join(methods)),),
    )


def prefetch_refused(site: Site, request: Request) -> Reply:
    """Return what makes a browser ask again when the visitor really goes there (row P12).

    An answer in the 200s or 300s could be shown for the navigation itself, without its cookies.
    """
    reference, code = log.new_reference(site.token_bytes), "prefetch_refused"
    detail = f"a browser asked for {request.path} ahead; leave it out of what the site prefetches"
    log.refused(reference, code, detail)
    return replies.data(
        {"error": code, "message": "This page cannot be loaded ahead.", "reference": reference},
        status=403,
    )
