"""What both shells decide alike, before the app is called and instead of it.

A shell takes a scope or an environ apart, asks here, and writes down what it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote, unquote

from intastellar_auth.core.admission import Admitted
from intastellar_auth.core.dispatch import Route, answer, make_routes
from intastellar_auth.core.effects import Flow
from intastellar_auth.core.logout import landed
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.navigation import is_navigation
from intastellar_auth.core.refresh import newest, refreshed
from intastellar_auth.core.refused import refused, sign_in_needed
from intastellar_auth.core.replies import redirect
from intastellar_auth.core.session import Session
from intastellar_auth.core.sign_out import end
from intastellar_auth.core.site import Site
from intastellar_auth.errors import RequestRefused, RequestTooLarge, StoreUnavailable

MAX_BODY: Final = 65_536
"""Bytes that are read of what is posted to a path of ours: a code, a state and little else."""


@dataclass(frozen=True, slots=True)
class Front:
    """The paths of one site. All paths are decoded and relative to where the app is mounted."""

    site: Site
    routes: Mapping[str, Route]
    after_logout: str

    def may_answer(self, path: str, query: str | bytes) -> bool:
        """Return whether ``path`` is ours: where a logout ends only with a state of ours."""
        if path in self.routes:
            return True
        if path != self.after_logout:
            return False
        return b"state=" in query if isinstance(query, bytes) else "state=" in query

    def reads_body(self, path: str, method: str) -> bool:
        """Return whether a form may come with the request; any other body is the app's to read."""
        return method == "POST" and path in self.routes

    def answer(self, request: Request) -> Flow[Reply | None]:
        """Return our reply to ``request``, ``None`` if it is the app's after all."""
        route = self.routes.get(request.path)
        if route is None:
            return landed(self.site, request)
        if len(request.body) > MAX_BODY:
            error = RequestTooLarge(f"a body of more than {MAX_BODY} bytes")
            return refused(self.site, request, error, self.site.landing)
        return (yield from answer(self.site, route, request))

    def cut_off(self, request: Request) -> Reply:
        """Return what is said where only a part of a form came: half of one is not acted on."""
        error = RequestRefused("the body ended before all of it had come")
        return refused(self.site, request, error, self.site.landing)

    def admit(self, header: bytes) -> Flow[Admitted | None]:
        """Return who sent the ``Cookie`` header, ``None`` for nobody who is signed in.

        Tokens that are due are exchanged before the app is called. Raises ``StoreUnavailable``
        where only the store could tell, and cannot be asked.
        """
        site = self.site
        admitted = yield from site.admissions.admit(header, site.clock())
        if admitted is None:
            return None
        tokens = admitted.session.tokens
        if tokens is None or not tokens.is_due(site.clock()):
            return admitted
        session = yield from refreshed(site, admitted.session)
        if session.tokens is None and site.settings.session_needs_tokens:
            yield from end(site, session)
            return None
        return site.admissions.renewed(admitted, session, site.clock())

    def roll(self, session: Session, header: bytes) -> Flow[list[str]]:
        """Return the ``Set-Cookie`` values with which ``session`` goes on, none if it does not."""
        site, now = self.site, self.site.clock()
        if not site.sessions.keeper.carries_tokens:
            return (yield from site.admissions.roll(session, header, now))
        return (yield from site.admissions.roll(session, header, now, partial(newest, site)))

    def refuse(
        self, request: Request, spelled: str, unsure: StoreUnavailable | None = None
    ) -> Reply:
        """Return what a visitor is told who needs to sign in first.

        ``spelled`` is the path as the browser spelled it, as far as the server says. Only a
        navigation is redirected: nothing else could finish a sign-in. ``unsure`` is why nobody can
        tell whether they have signed in.
        """
        site = self.site
        path = spelled if unquote(spelled) == request.path else quote(request.path)
        # Browsers leave a backslash in a query as it is (WHATWG URL); no return path may have one.
        query = "?" + request.query.replace("\\", "%5C") if request.query else ""
        return_to = site.return_path(site.settings.base_path + path + query, site.landing)
        if unsure is not None:
            return refused(site, request, unsure, return_to)
        if request.method == "GET" and is_navigation(request):
            return redirect(site.login_url(return_to))
        return sign_in_needed(site, request, return_to)


def make_front(site: Site) -> Front:
    """Return the front of ``site``."""
    return Front(site, make_routes(site.settings.path_prefix), site.app_path(site.after_logout))
