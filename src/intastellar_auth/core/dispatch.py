"""From a path of ours to the flow that answers it; everything else is the app's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from intastellar_auth import log
from intastellar_auth.core import replies
from intastellar_auth.core.callback import callback
from intastellar_auth.core.effects import Flow
from intastellar_auth.core.login import login
from intastellar_auth.core.logout import logout
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.navigation import is_prefetch
from intastellar_auth.core.parameters import parameters
from intastellar_auth.core.provider_logout import backchannel_logout, frontchannel_logout
from intastellar_auth.core.refused import method_refused, prefetch_refused, refused
from intastellar_auth.core.site import Site
from intastellar_auth.core.whoami import whoami
from intastellar_auth.errors import AuthError


@dataclass(frozen=True, slots=True)
class Route:
    """A path of ours. One that ``changes`` something is left alone by a HEAD or a prefetch."""

    flow: Callable[[Site, Request], Flow[Reply]]
    methods: tuple[str, ...]
    changes: bool = True


def make_routes(path_prefix: str) -> Mapping[str, Route]:
    """Return our paths, relative to where the app is mounted; matched whole (PX-06)."""
    return {
        f"{path_prefix}/login": Route(login, ("GET",)),
        f"{path_prefix}/callback": Route(callback, ("GET", "POST")),
        f"{path_prefix}/logout": Route(logout, ("GET", "POST")),
        f"{path_prefix}/backchannel-logout": Route(backchannel_logout, ("POST",)),
        f"{path_prefix}/frontchannel-logout": Route(frontchannel_logout, ("GET",)),
        f"{path_prefix}/user": Route(whoami, ("GET",), changes=False),
    }


def answer(site: Site, route: Route, request: Request) -> Flow[Reply]:
    """Return the reply of ``route``; every error becomes one that a visitor understands."""
    if request.method == "HEAD" and route.changes:
        # Link scanners ask like this. Nothing is used up (row P12).
        return replies.nothing()
    if request.method not in (*route.methods, "HEAD"):
        return method_refused(site, request, route.methods)
    if route.changes and is_prefetch(request):
        return prefetch_refused(site, request)
    return_to = site.return_path(parameters(request).get("next"), site.landing)
    try:
        return (yield from route.flow(site, request))
    except AuthError as error:
        return refused(site, request, error, return_to)
    except Exception:  # noqa: BLE001  the last resort: see the comment
        # Fail closed, and with a page: what was not foreseen must not show a visitor a traceback.
        log.event(logging.ERROR, "unforeseen", {"path": request.path}, traceback=True)
        unforeseen = AuthError("an unforeseen error, logged just before this")
        return refused(site, request, unforeseen, return_to)
