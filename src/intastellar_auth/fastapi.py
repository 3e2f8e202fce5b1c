"""Dependencies for FastAPI: who is signed in, as a parameter of a path operation.

::

    app = FastAPI()
    init_app(app)

    @app.get("/me")
    async def me(user: CurrentUser) -> str:
        return user.display_name

Where nobody is signed in, a visitor who goes to the page signs in and comes back, and a script gets
a 401 that says where to sign in.

In ``/docs`` they show as an API key in a cookie, because that is what this app takes. The OpenID
Connect scheme would promise that it takes the provider's tokens, which it does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from intastellar_auth.access import Scopes, each_scope
from intastellar_auth.asgi import AuthMiddleware
from intastellar_auth.asgi_access import Refusal, checked, visitor_of
from intastellar_auth.framework import needs
from intastellar_auth.settings import Settings
from intastellar_auth.user import User

with needs("fastapi", "0.115"):
    from fastapi import Depends, FastAPI, HTTPException, Security
    from fastapi.openapi.models import APIKey
    from fastapi.requests import HTTPConnection, Request
    from fastapi.responses import JSONResponse
    from fastapi.security.base import SecurityBase

__all__ = [
    "CurrentUser",
    "OptionalUser",
    "Refused",
    "current_user",
    "init_app",
    "optional_user",
    "require_user",
]

_REMEDY = "intastellar_auth.fastapi.init_app(app)"


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
    """What a dependency here raises for nobody, and where a scope is missing.

    The status is 303 where a visitor goes to a page without being signed in, and the header
    ``Location`` leads to the sign-in; otherwise 401 for nobody, and 403 where a scope is missing.
    ``detail`` is ``{"error", "message", "reference"}``, for nobody with ``login_url``.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.status, refusal.body, refusal.headers)


def require_user(*, scopes: Scopes = ()) -> Callable[[HTTPConnection, _Shown], Awaitable[User]]:
    """Return a dependency that gives the signed-in user, who was granted all of ``scopes``.

    It raises ``Refused``. Before a WebSocket is accepted that refuses it.
    """
    wanted = each_scope(scopes)

    async def signed_in_user(connection: HTTPConnection, _shown: _Shown) -> User:
        return _signed_in(connection, wanted)

    return signed_in_user


async def current_user(connection: HTTPConnection, _shown: _Shown) -> User:
    """Return the signed-in user: the dependency of ``CurrentUser``, for ``dependency_overrides``.

    Raises ``Refused``.
    """
    return _signed_in(connection)


async def optional_user(connection: HTTPConnection, _shown: _Shown) -> User | None:
    """Return the signed-in user or ``None``: the dependency of ``OptionalUser``."""
    user, _ = visitor_of(connection.scope, _REMEDY)
    return user if isinstance(user, User) else None


def _signed_in(connection: HTTPConnection, scopes: tuple[str, ...] = ()) -> User:
    found = checked(connection.scope, scopes, _REMEDY)
    if isinstance(found, Refusal):
        raise Refused(found)
    return found


CurrentUser = Annotated[User, Depends(current_user)]
"""The signed-in user; where there is none, visitors sign in and scripts get a 401."""

OptionalUser = Annotated[User | None, Depends(optional_user)]
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
