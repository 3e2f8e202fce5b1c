"""End a session of ours: nothing of it opens again, here or in any other process.

The part of a logout that needs no browser and no provider, and happens without them.
"""

from __future__ import annotations

import logging

from intastellar_auth import log
from intastellar_auth.core.effects import Flow, unbroken
from intastellar_auth.core.ended import end_session
from intastellar_auth.core.refresh import newest
from intastellar_auth.core.revocation import revoke
from intastellar_auth.core.session import Session
from intastellar_auth.core.site import Site
from intastellar_auth.errors import StoreUnavailable


def end(site: Site, session: Session) -> Flow[None]:
    """End ``session``, and take back its tokens; never raises an error.

    First the tombstone: a slow request that keeps the session anew after this keeps a dead one.
    """
    try:
        yield from end_session(session, site.sessions.lasts_until(session) - site.clock())
        yield from site.sessions.keeper.drop(session)
    except StoreUnavailable as error:
        # The browser loses its cookie all the same; a stolen copy of it lives on until it expires.
        log.event(logging.ERROR, "logout_not_recorded", {"detail": error.detail})
    site.admissions.forget(session.id)
    log.event(logging.INFO, "signed_out", {})
    if session.tokens is not None:
        # A visitor who does not wait for the provider wants to be signed out no less.
        yield from unbroken(_revoke_newest(site, session))


def _revoke_newest(site: Site, session: Session) -> Flow[None]:
    try:
        session = yield from newest(site, session)
    except StoreUnavailable as error:
        log.event(logging.WARNING, "tokens_may_be_newer", {"detail": error.detail})
    if session.tokens is not None:
        yield from revoke(site, session.tokens)
