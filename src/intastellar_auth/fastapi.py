"""Dependencies for FastAPI: who is signed in, as a parameter of a path operation.

::

    app = FastAPI()
    init_app(app)

    @app.get("/me")
    async def me(user: CurrentUser) -> str:
        return user.display_name

In ``/docs`` they show as an API key in a cookie, because that is what this app takes. The OpenID
Connect scheme would promise that it takes the provider's tokens, which it does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from intastellar_auth.access import (
    Scopes,
    admit,
    each_scope,
    problem,
    problem_headers,
    visitor,
)
from intastellar_auth.asgi import AuthMiddleware
from intastellar_auth.errors import AuthError
from intastellar_auth.framework import needs
from intastellar_auth.settings import Settings
from intastellar_auth.user import User

with needs("fastapi", "0.115"):
    from fastapi import Depends, FastAPI, HTTPException, Security
    from fastapi.openapi.models import APIKey
    from fastapi.requests import HTTPConnection, Request
    from fastapi.responses import JSONResponse
    from fastapi.security.base import SecurityBase

__all__ = ["CurrentUser", "OptionalUser", "Refused", "init_app", "require_user"]


class _SessionCookie(SecurityBase):
    """What the documentation shows; the middleware alone reads the cookie.

    FastAPI knows a scheme by this base. ``APIKeyCookie`` cannot be used before a WebSocket in most
    versions of it.
    """

    scheme_name = "Session"
    model = APIKey.model_validate(
        {
            "in": "cookie",
            "name": "__Host-intastellar",
            "description": "Set by signing in at `/auth/login`; your browser sends it by itself. "
            "Its name is `intastellar` on plain http, or what `INTASTELLAR_COOKIE_NAME` says.",
        }
    )

    async def __call__(self) -> None:
        """Do nothing: it is a dependency to be seen."""


_Shown = Annotated[None, Security(_SessionCookie())]


class Refused(HTTPException):
    """What a dependency here raises: status 401 for nobody, 403 where a scope is missing.

    ``detail`` is ``{"error", "message", "reference"}``.
    """

    def __init__(self, error: AuthError) -> None:
        super().__init__(error.status, problem(error), problem_headers(error))


def require_user(*, scopes: Scopes = ()) -> Callable[[HTTPConnection, _Shown], Awaitable[User]]:
    """Return a dependency that gives the signed-in user, who was granted all of ``scopes``.

    It raises ``Refused``, with status 401 or 403. Before a WebSocket is accepted that refuses it.
    """
    wanted = each_scope(scopes)

    async def signed_in_user(connection: HTTPConnection, _shown: _Shown) -> User:
        user, auth = visitor(connection.scope.get("user"), connection.scope.get("auth"))
        try:
            return admit(user, auth, wanted)
        except AuthError as error:
            raise Refused(error) from None

    return signed_in_user


async def _optional_user(connection: HTTPConnection, _shown: _Shown) -> User | None:
    user, _ = visitor(connection.scope.get("user"), connection.scope.get("auth"))
    return user if isinstance(user, User) else None


CurrentUser = Annotated[User, Depends(require_user())]
"""The signed-in user; 401 where there is none."""

OptionalUser = Annotated[User | None, Depends(_optional_user)]
"""The signed-in user, ``None`` where there is none."""


def init_app(app: FastAPI, settings: Settings | None = None) -> None:
    """Put ``AuthMiddleware`` in front of ``app``, and let refusals look like those of its paths.

    FastAPI by itself puts what an error says under ``detail``. ``settings=None`` reads the
    environment. Raises ``SettingsError``.
    """
    app.add_middleware(AuthMiddleware, settings=settings or Settings())
    app.add_exception_handler(Refused, _answer)


def _answer(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)  # noqa: S101 - it is registered for this class alone
    return JSONResponse(error.detail, error.status_code, error.headers)
