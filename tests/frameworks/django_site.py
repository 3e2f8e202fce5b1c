"""A small Django site: its settings, with accounts and without, and its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import django
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.contrib.auth.decorators import login_required as djangos_login_required
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View

from intastellar_auth.django import login_required, user_of

if TYPE_CHECKING:
    from pathlib import Path

OURS = "intastellar_auth.django.UserMiddleware"
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
BACKEND = "intastellar_auth.django_backend.IntastellarBackend"
PASSWORDS = "django.contrib.auth.backends.ModelBackend"
PLAIN: dict[str, object] = {"INSTALLED_APPS": [], "MIDDLEWARE": [OURS]}
"""What a site without a database has."""


def configure() -> None:
    """Set Django up, once for this process, as a site with accounts."""
    settings.configure(
        ALLOWED_HOSTS=["www.example.com", "testserver"],
        AUTHENTICATION_BACKENDS=[BACKEND, PASSWORDS],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ""}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
        ],
        LOGGING_CONFIG=None,
        MIDDLEWARE=[SESSION, AUTHENTICATION, OURS],
        ROOT_URLCONF="tests.frameworks.django_site",
        SECRET_KEY="a-key-of-the-tests-and-of-nothing-else",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "context_processors": ["django.contrib.auth.context_processors.auth"],
                },
            }
        ],
        USE_TZ=True,
    )
    django.setup()


def migrate(folder: Path) -> None:
    """Make the database, in ``folder``."""
    settings.DATABASES["default"]["NAME"] = folder / "db"
    call_command("migrate", verbosity=0)


def home(request: HttpRequest) -> HttpResponse:
    """Anybody may see this."""
    text = "{% if user.is_authenticated %}{{ user.sub }}{% else %}nobody{% endif %}"
    return HttpResponse(engines["django"].from_string(text).render(request=request))


def who(request: HttpRequest) -> HttpResponse:
    """Tell both users of the request."""
    ours = request.intastellar_user  # type: ignore[attr-defined]  # UserMiddleware sets it
    told = {"signed_in": request.user.is_authenticated, "django": str(request.user)}
    return JsonResponse({**told, "ours": ours.sub})


async def who_later(request: HttpRequest) -> HttpResponse:
    """Tell the user as an asynchronous view asks for it."""
    user = await request.auser()
    return JsonResponse({"signed_in": user.is_authenticated, "django": str(user)})


def basket(request: HttpRequest) -> HttpResponse:
    """Keep something in Django's session, and tell what was there."""
    before = request.session.get("basket")
    request.session["basket"] = request.GET.get("put", before)
    return JsonResponse({"basket": before})


def typed(request: HttpRequest) -> HttpResponse:
    """Tell the user as a type checker sees it."""
    return HttpResponse(str(user_of(request).sub))


@login_required
def members(_request: HttpRequest) -> HttpResponse:
    """Somebody signed in may see this."""
    return HttpResponse("members")


@login_required
async def later(_request: HttpRequest) -> HttpResponse:
    """Somebody signed in may see this."""
    return HttpResponse("later")


@login_required(scopes="read list")
def reports(_request: HttpRequest) -> HttpResponse:
    """Somebody with both scopes may see this."""
    return HttpResponse("reports")


@djangos_login_required
def theirs(_request: HttpRequest) -> HttpResponse:
    """Somebody signed in may see this: Django's decorator says so."""
    return HttpResponse("theirs")


@method_decorator(login_required, name="dispatch")
class Page(View):
    """A class-based view."""

    def get(self, _request: HttpRequest) -> HttpResponse:
        """Greet."""
        return HttpResponse("page")


assert iscoroutinefunction(later)
urlpatterns = [
    path("", home),
    path("who", who),
    path("who-later", who_later),
    path("basket", basket),
    path("typed", typed),
    path("members", members),
    path("later", later),
    path("reports", reports),
    path("theirs", theirs),
    path("page", Page.as_view()),
]
