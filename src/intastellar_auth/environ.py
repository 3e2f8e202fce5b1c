"""Where a WSGI app finds its user: behind our WSGI middleware, or behind our ASGI one.

``asgiref.wsgi.WsgiToAsgi`` makes an environ of a scope and leaves out what it does not know, the
user among it. So the user travels in a context variable: asgiref copies those into the thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextvars import ContextVar
from copy import copy
from typing import TYPE_CHECKING

from asgiref.wsgi import WsgiToAsgi
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intastellar_auth.user import ANONYMOUS, NO_AUTH, AnonymousUser, Auth, User

if TYPE_CHECKING:
    # The standard library has these names for type checkers only.
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_current: ContextVar[tuple[User | AnonymousUser, Auth]] = ContextVar(
    "intastellar_auth_user", default=(ANONYMOUS, NO_AUTH)
)


def put_user(environ: MutableMapping[str, object], user: User | AnonymousUser, auth: Auth) -> None:
    """Write who is signed in into ``environ``.

    ``REMOTE_USER`` and ``AUTH_TYPE`` (RFC 3875 sections 4.1.1 and 4.1.11) are removed for nobody:
    who is signed in is for us alone to say (HL-03).
    """
    environ["intastellar.user"], environ["intastellar.auth"] = user, auth
    if user.sub is None:
        environ.pop("REMOTE_USER", None)
        environ.pop("AUTH_TYPE", None)
    else:
        environ["REMOTE_USER"], environ["AUTH_TYPE"] = user.sub, "Intastellar"


def handing_on(app: Callable[..., Awaitable[None]]) -> ASGIApp:
    """Return ``app``; if it is a ``WsgiToAsgi``, such that its WSGI app finds the user."""
    if not isinstance(app, WsgiToAsgi):
        return app
    wsgi_application, told = app.wsgi_application, copy(app)

    def with_user(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        put_user(environ, *_current.get())
        answer: Iterable[bytes] = wsgi_application(environ, start_response)
        return answer

    told.wsgi_application = with_user

    async def handing(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            # asgiref wants a coroutine function; any callable that gives an awaitable is one to us.
            await send(message)

        _current.set((scope.get("user", ANONYMOUS), scope.get("auth", NO_AUTH)))
        await told(scope, receive, sending)

    return handing
