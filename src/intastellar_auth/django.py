"""Who is signed in, the Django way.

``AuthMiddleware`` wraps the application in ``asgi.py`` or ``wsgi.py``. In ``settings.py``::

    MIDDLEWARE = [..., "intastellar_auth.django.UserMiddleware"]
    LOGIN_URL = "/auth/login"

Without a database ``request.user`` is the package's ``User``. With ``IntastellarBackend`` among
``AUTHENTICATION_BACKENDS`` it is an account of Django's, signed in for as long as the visitor is.
Django's own ``RemoteUserMiddleware`` will not do: under ASGI it believes a header that anybody can
send, and it takes the ``sub`` alone for a name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps
from hashlib import sha256
from inspect import signature
from typing import TypeVar, cast, overload

# A site whose views import this module is checked, also without the app that is for it.
import intastellar_auth.django_checks  # noqa: F401
from intastellar_auth.access import (
    Scopes,
    admit,
    can_sign_in,
    each_scope,
    problem,
    problem_headers,
    visitor,
)
from intastellar_auth.entrance import Entrance, default_entrance
from intastellar_auth.errors import AuthError, SignInNeeded
from intastellar_auth.framework import needs
from intastellar_auth.user import ANONYMOUS, NO_AUTH, AnonymousUser, Auth, User

with needs("django", "5.2"):
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
    from django.apps import apps
    from django.conf import settings
    from django.contrib import auth
    from django.core.exceptions import ImproperlyConfigured, PermissionDenied
    from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
    from django.http.response import HttpResponseBase
    from django.shortcuts import resolve_url
    from django.urls import get_script_prefix

__all__ = ["UserMiddleware", "login_required", "user_of", "username_of"]

_REMEDY = (
    "in wsgi.py and asgi.py, with WSGI_APPLICATION naming the one in wsgi.py, or runserver goes "
    "past it; in a test use django.test.Client and intastellar_auth.django_testing.sign_in"
)

Answer = HttpResponseBase | Awaitable[HttpResponseBase]
View = TypeVar("View", bound=Callable[..., Answer])


class UserMiddleware:
    """Gives each request ``intastellar_user`` and ``intastellar_auth``, and ``user`` as above.

    Goes after Django's ``AuthenticationMiddleware``, where there is one. Without our backend a
    ``request.user`` that this one has set stays as it is.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self._get_response = get_response
        self._backends = _our_backends()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        """Answer ``request``, with its user."""
        if self._is_async:
            return self._answer_later(request)
        user = _attach(request)
        if self._backends:
            _keep_in_step(request, user, self._backends)
        return self._get_response(request)

    async def _answer_later(self, request: HttpRequest) -> HttpResponseBase:
        user = _attach(request)
        if self._backends:
            await sync_to_async(_keep_in_step)(request, user, self._backends)
        return await cast("Awaitable[HttpResponseBase]", self._get_response(request))


@overload
def login_required(view: View) -> View: ...
@overload
def login_required(*, scopes: Scopes = ()) -> Callable[[View], View]: ...
def login_required(
    view: View | None = None, *, scopes: Scopes = ()
) -> View | Callable[[View], View]:
    """Let only signed-in users, who were granted all of ``scopes``, come to a view.

    The view may be asynchronous. Where nobody is signed in, a visitor who goes to the page signs in
    and comes back, and a script gets a 401, which is what this has over Django's own decorator;
    where a scope is missing, both get a 403.
    """
    wanted = each_scope(scopes)

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: object, **kwargs: object) -> Answer:
            return _refusal(request, wanted) or view(request, *args, **kwargs)

        @wraps(view)
        async def checked_later(
            request: HttpRequest, *args: object, **kwargs: object
        ) -> HttpResponseBase:
            later = cast("Callable[..., Awaitable[HttpResponseBase]]", view)
            return _refusal(request, wanted) or await later(request, *args, **kwargs)

        return cast("View", checked_later if iscoroutinefunction(view) else checked)

    return decorate if view is None else decorate(view)


def username_of(user: User) -> str:
    """Return what the account of ``user`` is called.

    Two issuers may both have a ``sub``: that is two users. A hash, because both are longer than a
    name may be, and because some databases take ``Alice`` and ``alice`` for the same name. An
    issuer is a URL and has no line break, so no two pairs read alike.
    """
    return "intastellar-" + sha256(f"{user.iss}\n{user.sub}".encode()).hexdigest()


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Return who is signed in to the site: the same as ``request.intastellar_user``, but typed.

    Raises ``RuntimeError`` where ``AuthMiddleware`` is not in front.
    """
    return _visitor(request)[0]


def _visitor(request: HttpRequest) -> tuple[User | AnonymousUser, Auth]:
    """What the middleware in front says: in the scope under ASGI, in the environ under WSGI.

    Django's test client goes past both, and puts its extras into the ``META`` of a request. With
    none of them nobody is signed in, so that the tests a site had before go on as they were.
    """
    scope: dict[str, object] = getattr(request, "scope", {})
    if "user" in scope:
        return visitor(scope["user"], scope.get("auth"), _REMEDY)
    if _is_unsaid(request):
        return ANONYMOUS, NO_AUTH
    environ = request.META
    return visitor(environ.get("intastellar.user"), environ.get("intastellar.auth"), _REMEDY)


def _is_unsaid(request: HttpRequest) -> bool:
    """Whether this comes from a test that does not say who is signed in.

    The mark is Django's own, by which its CSRF check knows its test client. No request from outside
    can have it, and all that it gives is nobody.
    """
    said = "user" in getattr(request, "scope", {}) or "intastellar.user" in request.META
    return not said and hasattr(request, "_dont_enforce_csrf_checks")


def _attach(request: HttpRequest) -> User | AnonymousUser:
    user, granted = _visitor(request)
    # Through vars(): the types of a request know no attributes but Django's.
    vars(request).update(intastellar_user=user, intastellar_auth=granted)
    if not hasattr(request, "user"):

        async def auser() -> User | AnonymousUser:
            return user

        vars(request).update(user=user, auser=auser)
    return user


def _our_backends() -> frozenset[str]:
    """The paths of the backends that take a user of ours, told as Django tells it."""
    if not apps.is_installed("django.contrib.auth"):
        return frozenset()
    return frozenset(
        path
        for path in settings.AUTHENTICATION_BACKENDS
        if "intastellar_user" in signature(auth.load_backend(path).authenticate).parameters
    )


def _keep_in_step(
    request: HttpRequest, user: User | AnonymousUser, backends: frozenset[str]
) -> None:
    """Sign the visitor in and out of Django's session as they sign in and out of ours.

    ``login`` and ``logout`` give Django's session a new key, and empty it between two users.
    """
    if not hasattr(request, "session") or not hasattr(request.user, "get_username"):
        raise ImproperlyConfigured(
            "IntastellarBackend needs Django's session: in MIDDLEWARE, put SessionMiddleware and "
            "AuthenticationMiddleware before intastellar_auth.django.UserMiddleware"
        )
    if _is_unsaid(request):
        # ``force_login`` has said who is signed in to Django.
        return
    ours = request.session.get(auth.BACKEND_SESSION_KEY) in backends
    if isinstance(user, AnonymousUser):
        if ours and _visitor(request)[1].unsure:
            # Nobody has signed out: what Django keeps for them is theirs when they are back.
            _hide_account(request)
        elif ours:
            auth.logout(request)
        return
    if ours and request.user.get_username() == username_of(user):
        return
    account = auth.authenticate(request, intastellar_user=user)
    if account is None:
        # Another sign-in would lead to the same account, and so on without end.
        raise PermissionDenied
    auth.login(request, account)


def _hide_account(request: HttpRequest) -> None:
    """Let this request be nobody's, and leave the session alone."""
    from django.contrib.auth.models import AnonymousUser as Nobody  # noqa: PLC0415 - needs the apps

    nobody = Nobody()

    async def auser() -> Nobody:
        return nobody

    vars(request).update(user=nobody, auser=auser)


def _refusal(request: HttpRequest, scopes: tuple[str, ...]) -> HttpResponse | None:
    try:
        admit(*_visitor(request), scopes)
    except AuthError as error:
        return _refused(request, error)
    return None


def _refused(request: HttpRequest, error: AuthError) -> HttpResponse:
    headers = problem_headers(error)
    entrance, here = _entrance(request), request.get_full_path()
    goes_to_page = can_sign_in(request.method or "", request.headers.items())
    if isinstance(error, SignInNeeded) and goes_to_page:
        return HttpResponseRedirect(entrance.path(here), headers=headers)
    return JsonResponse(problem(error, entrance.url(here)), status=error.status, headers=headers)


def _entrance(request: HttpRequest) -> Entrance:
    entrance = _visitor(request)[1].entrance or default_entrance(get_script_prefix())
    if settings.is_overridden("LOGIN_URL"):
        return replace(entrance, login_path=resolve_url(settings.LOGIN_URL))
    return entrance
