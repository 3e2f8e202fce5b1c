"""A site as its owner would run it: an app, the middleware, settings in the environment."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import urlsplit

from intastellar_auth import Settings
from intastellar_auth.asgi import AuthMiddleware

from .asgi_call import App, RawHeaders, Receive, Reply, Send, call, lifespan
from .provider import CLIENT_ID, CLIENT_SECRET, Provider

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from anyio.from_thread import BlockingPortal

SECRET_KEY = "a key of this site that is long enough to be one"
SESSION_COOKIE = "__Host-intastellar"


async def pages(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Answer each path with what the app sees of the visitor."""
    if scope["type"] == "lifespan":
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})
        return
    user = scope["user"]
    seen = {
        "path": scope["path"],
        "signed_in": user.is_authenticated,
        "iss": user.iss if user.is_authenticated else None,
        "sub": user.sub if user.is_authenticated else None,
        "scopes": list(scope["auth"].scopes),
        "claims": dict(user.claims) if user.is_authenticated else {},
    }
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(seen).encode()})


def environment(provider: Provider, **changes: str) -> dict[str, str]:
    """Return the variables of a site that uses ``provider``, with these changes to them."""
    settings = {
        "ISSUER": provider.issuer,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "BASE_URL": "https://site.example",
        "SECRET_KEYS": SECRET_KEY,
        "PROTECTED_PATHS": "/private/*",
        "STORE_URL": "memory://",
        "HTTP_TIMEOUT": "2",
        "REVOCATION_CHECK": "1",
        **changes,
    }
    return {f"INTASTELLAR_{name}": value for name, value in settings.items()}


def protected(app: App, variables: dict[str, str]) -> App:
    """Return ``app`` behind the middleware, which finds these variables and no other."""
    with mock.patch.dict(os.environ, variables):
        wrapped: App = AuthMiddleware(app, Settings())
    return wrapped


class Site:
    """A running site. Requests may come from any thread; the app runs on the portal's loop."""

    def __init__(self, portal: BlockingPortal, app: App, base_url: str) -> None:
        self.app = app
        self.base_url = base_url
        self.host = urlsplit(base_url).netloc
        self._portal = portal

    def send(
        self, method: str, target: bytes, headers: RawHeaders = (), body: bytes = b""
    ) -> Reply:
        """Send one request with exactly these bytes."""
        return self._portal.call(call, self.app, method, target, headers, body)


@contextmanager
def running(portal: BlockingPortal, provider: Provider, **changes: str) -> Iterator[Site]:
    """Run a site with ``provider`` and these settings."""
    variables = environment(provider, **changes)
    app = protected(pages, variables)
    with portal.wrap_async_context_manager(lifespan(app)):
        yield Site(portal, app, variables["INTASTELLAR_BASE_URL"])
