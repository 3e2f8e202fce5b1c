"""Finish a sign-in, exactly once, and answer every repetition of the callback alike.

The provider sends the browser here with a code that is good for one use; browsers come here at
least once. Which of the promise's rows a callback is depends on what this browser keeps of the
attempt, and on what has come of it so far.
"""

from __future__ import annotations

import logging

from intastellar_auth import log
from intastellar_auth.core import pages, refused, replies
from intastellar_auth.core.attempt import Attempt, State
from intastellar_auth.core.effects import Flow
from intastellar_auth.core.ended import has_ended
from intastellar_auth.core.exchange import exchange, exchange_of
from intastellar_auth.core.login import start
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.once import No, once, recall, was_claimed
from intastellar_auth.core.outcome import Outcome, decode_outcome
from intastellar_auth.core.parameters import form_of
from intastellar_auth.core.session import Session
from intastellar_auth.core.site import Site
from intastellar_auth.errors import AuthError, RequestRefused, StoreUnavailable
from intastellar_auth.oidc.authorization import single_parameters

# Row P8: a sign-in starts again by itself this often.
_RESTARTS = 1
_NO_RECEIPT = "the callback was finished before, and this browser has no receipt of it"


def callback(site: Site, request: Request) -> Flow[Reply]:
    """``GET /auth/callback``, or ``POST`` where the provider posts its response."""
    parameters = single_parameters(_response(site, request))
    text = parameters.get("state")
    state = site.attempts.read_state(text)
    header = request.cookie_header.encode("latin-1")
    attempt = site.attempts.find(header, str(text), state)
    try:
        if attempt is None:
            return (yield from _without_cookie(site, request, state, parameters))
        if not ("code" in parameters or "error" in parameters):
            raise RequestRefused("the response has neither a code nor an error")
        return (yield from _with_cookie(site, request, attempt, parameters))
    except AuthError as error:
        return_to = (state if attempt is None else attempt).return_to
        return refused.refused(site, request, error, _target(site, return_to))


def _response(site: Site, request: Request) -> str:
    """The response's parameters, from where this site asked for them and from nowhere else."""
    posts = site.settings.response_mode == "form_post"
    if posts != (request.method == "POST"):
        raise RequestRefused(f"the response came by {request.method}; RESPONSE_MODE says otherwise")
    if not posts:
        return request.query
    return form_of(request)


def _with_cookie(
    site: Site, request: Request, attempt: Attempt, parameters: dict[str, str]
) -> Flow[Reply]:
    """This browser started the attempt: it may have the outcome."""
    what = exchange_of(site, attempt)
    if not site.attempts.is_open(attempt, site.clock()):
        found = yield from recall(what)
        if found is No.WINDOW_OVER and not attempt.finished:
            return (yield from _start_again(site, request, attempt, "it took too long"))
    else:
        # All that can fail without the code is done before it is claimed: nothing is lost by it.
        metadata = yield from site.provider.metadata()
        if site.settings.openid:
            yield from site.provider.keys()
        found = yield from once(what, lambda: exchange(site, metadata, attempt, parameters))
    if found is No.LAPSED:
        return (yield from _start_again(site, request, attempt, found.value))
    if found is No.WINDOW_OVER:
        return (yield from _too_late(site, request, attempt.return_to))
    outcome = decode_outcome(found)
    if outcome is None:
        return (yield from _start_again(site, request, attempt, "its outcome cannot be read"))
    return (yield from _answer(site, request, attempt, parameters["state"], outcome))


def _answer(
    site: Site, request: Request, attempt: Attempt, text: str, outcome: Outcome
) -> Flow[Reply]:
    """The same for everyone who asks: rows P1 to P4, and P9 where it went wrong."""
    session, failure = outcome.session, outcome.failure
    if failure is not None and failure.restart and attempt.restarts < _RESTARTS:
        return (yield from _start_again(site, request, attempt, failure.code))
    if failure is not None:
        return refused.failed(site, request, failure, attempt.return_to)
    if session is None or not (yield from _lives(site, session)):
        # Row P6: a captured callback must not bring back what a logout has ended.
        because = "the session that the callback gave has ended"
        return (yield from _too_late(site, request, attempt.return_to, because))
    header = request.cookie_header.encode("latin-1")
    session_cookies = site.sessions.set_cookies(session, header, site.clock())
    set_cookies = [
        *session_cookies,
        *site.hints.set_cookies(outcome.id_token, beside=session_cookies),
        site.attempts.receipt_cookie(attempt, text),
    ]
    target = _target(site, attempt.return_to)
    if site.settings.cookie_samesite == "strict":
        # A redirect would still be the provider's navigation, without Strict cookies: the visitor
        # would arrive as nobody, and be sent to sign in once more, without end (CK-21).
        return replies.step(pages.signed_in(target), target, set_cookies)
    return replies.redirect(target, set_cookies)


def _without_cookie(
    site: Site, request: Request, state: State, parameters: dict[str, str]
) -> Flow[Reply]:
    """This browser did not start the attempt, or has lost what shows it: the code is not sent.

    A code from elsewhere could be an attacker's own (RFC 9700 section 4.7). To start again is
    harmless: whoever is at this browser signs in as themselves.
    """
    if (yield from was_claimed(state.id)):
        return (yield from _too_late(site, request, state.return_to))
    if "error" in parameters:
        return refused.expired(
            site, request, "an error of the provider came without a login cookie", state.return_to
        )
    return (yield from _start_again(site, request, state, "its login cookie is gone"))


def _too_late(
    site: Site, request: Request, return_to: str, because: str = _NO_RECEIPT
) -> Flow[Reply]:
    """The attempt was finished before: rows P5 to P7."""
    if (yield from _is_signed_in(site, request)):
        return replies.redirect(_target(site, return_to))
    return refused.not_here(site, request, because, return_to)


def _start_again(site: Site, request: Request, lost: Attempt | State, because: str) -> Flow[Reply]:
    """Rows P8 and P9: by itself, but not twice, or a browser without cookies would never stop."""
    return_to = _target(site, lost.return_to)
    if (yield from _is_signed_in(site, request)):
        return replies.redirect(return_to)
    if lost.restarts >= _RESTARTS:
        detail = (
            f"the sign-in cannot be finished, for the second time: {because}; does the browser take"
            f" cookies, and open the site at INTASTELLAR_BASE_URL ({site.settings.base_url[:200]})?"
        )
        return refused.expired(site, request, detail, return_to)
    log.event(logging.INFO, "sign_in_started_again", {"because": because})
    return (yield from start(site, request, return_to, lost.restarts + 1))


def _is_signed_in(site: Site, request: Request) -> Flow[bool]:
    header = request.cookie_header.encode("latin-1")
    session = yield from site.sessions.find(header, site.clock())
    return session is not None and (yield from _lives(site, session))


def _lives(site: Site, session: Session) -> Flow[bool]:
    """Whether nobody has ended ``session``, as far as anyone can tell.

    The store answered a moment ago. If it fails just now, the session is held against it anyway
    within ``REVOCATION_CHECK`` seconds: better than a sign-in lost with its code.
    """
    try:
        ended = yield from has_ended(session)
    except StoreUnavailable as error:
        log.event(logging.WARNING, "revocation_not_checked", {"detail": error.detail})
        ended = False
    return not ended and site.clock() < site.sessions.ends_at(session)


def _target(site: Site, return_to: str) -> str:
    """Checked when it came in, and again now that it is used (RD-13)."""
    return site.return_path(return_to, site.landing)
