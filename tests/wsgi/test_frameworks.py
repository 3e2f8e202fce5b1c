"""Flask and Django with the middleware in front, as their users would write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask
import pytest
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from .client import FETCH
from .site import make_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication


def flask_app() -> WSGIApplication:
    """Return an app of Flask's that greets its user."""
    app = flask.Flask(__name__)

    @app.route("/<path:path>", methods=["GET", "POST"])
    def greet(path: str) -> str:
        user = flask.request.environ["intastellar.user"]
        posted = flask.request.form.get("word", "nothing")
        return f"{path} {user.display_name or 'nobody'} {flask.request.remote_user} {posted}"

    return app.wsgi_app


def greet(request: HttpRequest) -> HttpResponse:
    """Greet the user, in Django."""
    user = request.META["intastellar.user"]
    remote_user = request.META.get("REMOTE_USER")
    path, posted = request.path[1:], request.POST.get("word", "nothing")
    return HttpResponse(f"{path} {user.display_name or 'nobody'} {remote_user} {posted}")


urlpatterns = [re_path("", greet)]


def django_app() -> WSGIApplication:
    """Return an app of Django's that greets its user."""
    django_settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x")
    app: WSGIApplication = WSGIHandler()
    return app


@pytest.mark.parametrize("make_app", [flask_app, django_app])
def test_a_framework_s_view_sees_the_user_and_what_was_posted(
    make_app: Callable[[], WSGIApplication],
) -> None:
    site = make_site(make_app())
    cookie = {**FETCH, "cookie": site.cookie(claims={"name": "Alice"})}
    form = {"content-type": "application/x-www-form-urlencoded"}

    assert site.ask("/page").body == b"page nobody None nothing"
    assert site.ask("/private/page").code == 303
    assert site.ask("/private/page", headers=cookie).body == b"private/page Alice alice nothing"
    posted = site.ask("/page", "POST", {**cookie, **form}, b"word=hello")
    assert posted.body == b"page Alice alice hello"
