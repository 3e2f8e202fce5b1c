"""Who is signed in, the Flask way.

::

    app = Flask(__name__)
    init_app(app)

    @app.get("/members")
    @login_required
    def members() -> str:
        return f"Hello {current_user.display_name}"
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast, overload
from urllib.parse import urlsplit

from intastellar_auth.access import (
    Scopes,
    admit,
    can_sign_in,
    each_scope,
    problem,
    problem_headers,
    visitor,
)
from intastellar_auth.entrance import default_entrance
from intastellar_auth.errors import AuthError, SignInNeeded
from intastellar_auth.framework import needs
from intastellar_auth.settings import Settings
from intastellar_auth.user import AnonymousUser, Auth, User
from intastellar_auth.wsgi import AuthMiddleware

with needs("flask", "3.0"):
    from flask import Flask, Response, current_app, jsonify, redirect, request
    from flask.typing import ResponseReturnValue, RouteCallable
    from werkzeug.local import LocalProxy
    from werkzeug.urls import iri_to_uri

__all__ = ["current_user", "init_app", "login_required"]

View = TypeVar("View", bound=RouteCallable)
_REMEDY = "intastellar_auth.flask.init_app(app)"


def _visitor() -> tuple[User | AnonymousUser, Auth]:
    environ = request.environ
    return visitor(environ.get("intastellar.user"), environ.get("intastellar.auth"), _REMEDY)


current_user: User | AnonymousUser = LocalProxy(  # type: ignore[assignment]  # as Flask's own are
    lambda: _visitor()[0]
)
"""The visitor of this request: a ``User``, or an ``AnonymousUser`` where nobody is signed in."""


@overload
def login_required(view: View) -> View: ...
@overload
def login_required(*, scopes: Scopes = ()) -> Callable[[View], View]: ...
def login_required(
    view: View | None = None, *, scopes: Scopes = ()
) -> View | Callable[[View], View]:
    """Let only signed-in users, who were granted all of ``scopes``, come to a view.

    Put it under ``@app.route``. Where nobody is signed in, a visitor who goes to the page signs in
    and comes back, and a script gets a 401 that says where to sign in; where a scope is missing,
    both get a 403.
    """
    wanted = each_scope(scopes)

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(*args: object, **kwargs: object) -> ResponseReturnValue:
            try:
                admit(*_visitor(), wanted)
            except AuthError as error:
                return _refused(error)
            answer: ResponseReturnValue = current_app.ensure_sync(view)(*args, **kwargs)
            return answer

        return cast("View", checked)

    return decorate if view is None else decorate(view)


def init_app(app: Flask, settings: Settings | None = None) -> None:
    """Put ``AuthMiddleware`` in front of ``app``, and ``current_user`` into its templates.

    ``settings=None`` reads the environment. Raises ``SettingsError``.
    """
    middleware = AuthMiddleware(app.wsgi_app, settings)
    app.wsgi_app = middleware  # type: ignore[method-assign]  # the way that Flask documents
    app.context_processor(lambda: {"current_user": current_user})


def _refused(error: AuthError) -> Response:
    entrance, here = _visitor()[1].entrance or default_entrance(request.root_path), _here()
    if isinstance(error, SignInNeeded) and can_sign_in(request.method, request.headers.items()):
        response = current_app.make_response(redirect(entrance.path(here), 303))
    else:
        told = jsonify(problem(error, entrance.url(here)))
        response = current_app.make_response((told, error.status))
    response.headers.update(problem_headers(error))
    return response


def _here() -> str:
    """The path and query of this request, as the browser sees them."""
    where = urlsplit(iri_to_uri(request.url))
    return f"{where.path}?{where.query}" if where.query else where.path
