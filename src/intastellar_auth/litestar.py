"""Who is signed in, the Litestar way: a guard and a dependency.

::

    @get("/members", guards=[requires_user()], dependencies={"user": Provide(provide_user)})
    async def members(user: NamedDependency[User]) -> str:
        return f"Hello {user.display_name}"

    app = AuthMiddleware(Litestar([members]))

Where nobody is signed in, a visitor who goes to the page signs in and comes back, and a script gets
a 401 that says where to sign in.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import TypeAlias, cast

from intastellar_auth.access import Scopes, each_scope
from intastellar_auth.asgi_access import Refusal, checked
from intastellar_auth.framework import needs
from intastellar_auth.user import User

with needs("litestar", "2.12"):
    from litestar.connection import ASGIConnection, Request
    from litestar.datastructures import State
    from litestar.exceptions import HTTPException
    from litestar.handlers import BaseRouteHandler

__all__ = ["provide_user", "requires_user"]

_REMEDY = "app = AuthMiddleware(Litestar(...))"
_Connection: TypeAlias = ASGIConnection[BaseRouteHandler, object, object, State]


def requires_user(*, scopes: Scopes = ()) -> Callable[[_Connection, BaseRouteHandler], None]:
    """Return a guard that lets signed-in users pass who were granted all of ``scopes``.

    It raises Litestar's ``HTTPException``. For nobody the status is 303 where a visitor goes to a
    page, with the sign-in as ``Location``, and otherwise 401; where a scope is missing it is 403.
    """
    wanted = each_scope(scopes)

    def guard(connection: _Connection, _handler: BaseRouteHandler) -> None:
        _signed_in_user(connection, wanted)

    return guard


async def provide_user(request: Request[object, object, State]) -> User:
    """Return the signed-in user, for ``Provide(provide_user)``; raises as ``requires_user``."""
    return _signed_in_user(request)


def _signed_in_user(
    connection: _Connection | Request[object, object, State], scopes: tuple[str, ...] = ()
) -> User:
    found = checked(cast("MutableMapping[str, object]", connection.scope), scopes, _REMEDY)
    if isinstance(found, Refusal):
        raise HTTPException(
            status_code=found.status,
            detail=found.body["message"],
            headers=found.headers,
            extra=found.body,
        )
    return found
