"""The provider as an ASGI app."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from intastellar_auth.devprovider import orders
from intastellar_auth.devprovider.authorize import authorize, sign_in
from intastellar_auth.devprovider.discovery import ENDPOINTS, discovery, jwks
from intastellar_auth.devprovider.front import front
from intastellar_auth.devprovider.logout import confirm_sign_out, end_session_endpoint
from intastellar_auth.devprovider.loopback import check_issuer, is_loopback_authority
from intastellar_auth.devprovider.par import push
from intastellar_auth.devprovider.recording import Handler, recorded
from intastellar_auth.devprovider.revocation import revoke
from intastellar_auth.devprovider.scopes import with_extra
from intastellar_auth.devprovider.state import Lifetimes, Provider
from intastellar_auth.devprovider.token import token
from intastellar_auth.devprovider.userinfo import userinfo
from intastellar_auth.devprovider.users import DEFAULT_USERS, DevUser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from intastellar_auth.devprovider.clients import DevClient

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_provider(
    issuer: str,
    clients: Sequence[DevClient],
    users: Sequence[DevUser] = DEFAULT_USERS,
    clock: Callable[[], float] = time.time,
    *,
    lifetimes: Lifetimes | None = None,
    scopes: Sequence[str] = (),
) -> Starlette:
    """Return a strict OpenID provider for development; its state is ``app.state.provider``.

    ``issuer`` is ``http://`` + a loopback host + port; ``clock`` tells the time in seconds since
    the epoch; ``scopes`` are granted beside those of OpenID Connect. Raises ``ValueError`` for any
    other issuer, as it lets anyone in as anyone, and for what cannot be a scope.
    """
    check_issuer(issuer)
    app = Starlette(routes=_routes(), middleware=[Middleware(_guarded)])
    app.state.provider = Provider(
        issuer,
        {client.client_id: client for client in clients},
        {user.sub: user for user in users},
        clock,
        lifetimes or Lifetimes(),
        with_extra(scopes),
    )
    return app


def _routes() -> list[Route]:
    def route(path: str, name: str, handler: Handler, *methods: str) -> Route:
        return Route(path, recorded(name, handler), methods=methods)

    at = ENDPOINTS
    return [
        route("/", "front", front, "GET"),
        route("/.well-known/openid-configuration", "discovery", discovery, "GET"),
        route("/.well-known/oauth-authorization-server", "discovery", discovery, "GET"),
        route(at["jwks_uri"], "jwks", jwks, "GET"),
        route(at["authorization_endpoint"], "authorize", authorize, "GET", "POST"),
        route("/sign-in", "sign_in", sign_in, "POST"),
        route(at["token_endpoint"], "token", token, "POST"),
        route(at["userinfo_endpoint"], "userinfo", userinfo, "GET", "POST"),
        route(at["end_session_endpoint"], "end_session", end_session_endpoint, "GET", "POST"),
        route("/sign-out", "sign_out", confirm_sign_out, "POST"),
        route(at["revocation_endpoint"], "revocation", revoke, "POST"),
        route(at["pushed_authorization_request_endpoint"], "par", push, "POST"),
        route("/_dev/sign-out", "dev_sign_out", orders.sign_out_everywhere, "POST"),
        route("/_dev/faults", "dev_faults", orders.order_fault, "POST"),
        route("/_dev/faults", "dev_faults", orders.list_faults, "GET"),
        route("/_dev/log", "dev_log", orders.show_log, "GET"),
        route("/_dev/reset", "dev_reset", orders.reset, "POST"),
    ]


def _guarded(app: ASGIApp) -> ASGIApp:
    """Answer only to loopback names, and with the headers that every answer has."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        inner = app
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "")
            if not is_loopback_authority(host):
                inner = PlainTextResponse("This provider answers to loopback names only.", 421)
        await inner(scope, receive, send_with_headers)

    return guarded
