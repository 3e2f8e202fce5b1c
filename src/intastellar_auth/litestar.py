"""Who is signed in, the Litestar way: a guard and a dependency.

::

    @get("/members", guards=[requires_user()], dependencies={"user": Provide(provide_user)})
    async def members(user: NamedDependency[User]) -> str:
        return f"Hello {user.display_name}"

    app = AuthMiddleware(Litestar([members]))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from intastellar_auth.access import (
    Scopes,
    admit,
    each_scope,
    problem,
    problem_headers,
    visitor,
)
from intastellar_auth.errors import AuthError
from intastellar_auth.framework import needs
from intastellar_auth.user import User

with needs("litestar", "2.12"):
    from litestar.connection import ASGIConnection, Request
    from litestar.datastructures import State
    from litestar.exceptions import HTTPException
    from litestar.handlers import BaseRouteHandler

__all__ = ["provide_user", "requires_user"]

_Connection: TypeAlias = ASGIConnection[BaseRouteHandler, object, object, State]


def requires_user(*, scopes: Scopes = ()) -> Callable[[_Connection, BaseRouteHandler], None]:
    """Return a guard that lets signed-in users pass who were granted all of ``scopes``.

    It raises Litestar's ``HTTPException``: status 401 for nobody, 403 where a scope is missing.
    """
    wanted = each_scope(scopes)

    def guard(connection: _Connection, _handler: BaseRouteHandler) -> None:
        _signed_in_user(connection, wanted)

    return guard


async def provide_user(request: Request[object, object, State]) -> User:
    """Return the signed-in user, for ``Provide(provide_user)``; 401 where there is none."""
    return _signed_in_user(request)


def _signed_in_user(
    connection: _Connection | Request[object, object, State], scopes: tuple[str, ...] = ()
) -> User:
    user, auth = visitor(connection.scope.get("user"), connection.scope.get("auth"))
    try:
        return admit(user, auth, scopes)
    except AuthError as error:
        raise HTTPException(
            status_code=error.status,
            detail=error.sentence,
            headers=problem_headers(error),
            extra=problem(error),
        ) from None
