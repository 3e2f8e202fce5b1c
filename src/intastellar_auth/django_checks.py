"""``manage.py check`` says what is wrong with the settings, before a request does.

In ``settings.py`` add ``"intastellar_auth.django_checks"`` to ``INSTALLED_APPS``: Django looks for
checks in its apps alone. This one has nothing else in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from intastellar_auth.framework import needs

with needs("django", "5.2"):
    from django.apps import AppConfig, apps
    from django.conf import settings
    from django.core import checks
    from django.utils.module_loading import import_string

__all__ = ["check_settings"]

_OURS = "intastellar_auth.django.UserMiddleware"
_BACKEND = "intastellar_auth.django_backend.IntastellarBackend"
_SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
_AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"


@checks.register(checks.Tags.security)
def check_settings(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    **kwargs: object,  # noqa: ARG001 - as above
) -> list[checks.CheckMessage]:
    """Return what is wrong with the settings that sign-in needs; what is right is not named."""
    found = [_user_middleware(), _application()]
    # What belongs to its accounts cannot be imported on a site without them.
    if apps.is_installed("django.contrib.auth"):
        found += [_order(), _login_url()]
    return [message for message in found if message is not None]


def _order() -> checks.CheckMessage | None:
    """With the backend a wrong order is a 500 at every request."""
    if _place(_BACKEND, settings.AUTHENTICATION_BACKENDS) is None:
        return None
    ours = _place(_OURS, settings.MIDDLEWARE)
    session = _place(_SESSION, settings.MIDDLEWARE)
    theirs = _place(_AUTHENTICATION, settings.MIDDLEWARE)
    if ours is None or (session is not None and theirs is not None and session < theirs < ours):
        return None
    return checks.Error(
        "IntastellarBackend needs Django's session, and MIDDLEWARE does not give it one.",
        "In MIDDLEWARE put SessionMiddleware first, AuthenticationMiddleware after it, and "
        f"{_OURS} after that.",
        id="intastellar_auth.E001",
    )


def _user_middleware() -> checks.CheckMessage | None:
    if _place(_OURS, settings.MIDDLEWARE) is not None:
        return None
    return checks.Warning(
        f"{_OURS} is not in MIDDLEWARE: requests have no intastellar_user, and nobody gets an "
        "account of Django's.",
        "Add it to MIDDLEWARE, after AuthenticationMiddleware.",
        id="intastellar_auth.W001",
    )


def _application() -> checks.CheckMessage | None:
    if settings.WSGI_APPLICATION or getattr(settings, "ASGI_APPLICATION", None):
        return None
    return checks.Warning(
        "WSGI_APPLICATION is not set: runserver goes past AuthMiddleware.",
        'Set it to the application in wsgi.py, as in "mysite.wsgi.application".',
        id="intastellar_auth.W002",
    )


def _login_url() -> checks.CheckMessage | None:
    if settings.is_overridden("LOGIN_URL"):
        return None
    return checks.Warning(
        f"LOGIN_URL is not set: Django's own decorators and mixins lead to {settings.LOGIN_URL}.",
        'Set it to where a sign-in starts, as in "/auth/login".',
        id="intastellar_auth.W003",
    )


def _place(name: str, paths: Sequence[str]) -> int | None:
    """The place in ``paths`` of the class ``name``, or of one that inherits from it."""
    wanted = import_string(name)
    for place, path in enumerate(paths):
        try:
            found = import_string(path)
        except ImportError:
            # Django itself says so, where it needs it.
            continue
        if isinstance(found, type) and issubclass(found, wanted):
            return place
    return None
