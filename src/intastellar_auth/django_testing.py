"""Sign the test client of Django in and out.

::

    class MembersTest(TestCase):
        def test_members_are_greeted(self) -> None:
            sign_in(self.client, "alice", claims={"name": "Alice Example"})
            self.assertContains(self.client.get("/members"), "Hello Alice Example")

That client goes past ``wsgi.py`` and ``asgi.py``, and so past ``AuthMiddleware``, whose place this
takes; all that comes behind it is the site's own. For the other frameworks there is
``intastellar_auth.testing``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from intastellar_auth.access import Scopes, each_scope
from intastellar_auth.environ import put_user
from intastellar_auth.framework import needs
from intastellar_auth.testing import ISSUER
from intastellar_auth.user import ANONYMOUS, NO_AUTH, AnonymousUser, Auth, User

with needs("django", "5.2"):
    from django.http.response import HttpResponseBase
    from django.test import AsyncClient, Client

__all__ = ["sign_in", "sign_out"]

_Handler: TypeAlias = Callable[[MutableMapping[str, object]], Awaitable[HttpResponseBase]]


def sign_in(
    client: Client | AsyncClient,
    sub: str = "alice",
    *,
    claims: Mapping[str, object] | None = None,
    iss: str = ISSUER,
    scopes: Scopes = (),
    access_token: str | None = None,
    auth_time: float | None = None,
) -> None:
    """Let the next requests of ``client`` be those of ``(iss, sub)``, who was granted ``scopes``.

    ``auth_time`` is in seconds since the epoch. With ``IntastellarBackend`` the first of them makes
    the account, as the first one does on the site.
    """
    auth = Auth(("authenticated", *each_scope(scopes)), access_token)
    _say(client, User(sub, iss, dict(claims or {}), auth_time=auth_time), auth)


def sign_out(client: Client | AsyncClient) -> None:
    """Let the next requests of ``client`` be nobody's; an account of Django's is signed out too."""
    _say(client, ANONYMOUS, NO_AUTH)


@dataclass(frozen=True, slots=True)
class _Handling:
    """Answers the requests of an ``AsyncClient``, whose extras become headers: no user fits there.

    ``handler`` is Django's own.
    """

    handler: _Handler
    user: User | AnonymousUser
    auth: Auth

    async def __call__(self, scope: MutableMapping[str, object]) -> HttpResponseBase:
        scope["user"], scope["auth"] = self.user, self.auth
        return await self.handler(scope)


def _say(client: Client | AsyncClient, user: User | AnonymousUser, auth: Auth) -> None:
    if isinstance(client, AsyncClient):
        before: object = client.handler
        theirs = before.handler if isinstance(before, _Handling) else cast("_Handler", before)
        client.handler = _Handling(theirs, user, auth)  # type: ignore[assignment]  # it is called, no more
    else:
        put_user(cast("MutableMapping[str, object]", client.defaults), user, auth)
