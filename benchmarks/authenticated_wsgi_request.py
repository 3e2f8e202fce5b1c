"""What signing users in costs a WSGI request: microseconds added over the bare app.

    python benchmarks/authenticated_wsgi_request.py

As ``authenticated_request.py``, for WSGI, beside Flask's signed session and Django's
``signed_cookies``: there a view reads the session once, and the same view without a session is what
it stands on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from itertools import cycle
from typing import TYPE_CHECKING

import flask
from common import CLAIMS, HEADERS, SECRET, our_cookies, our_settings, print_table
from django import setup
from django.conf import settings as django_settings
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path as route
from flask.sessions import SecureCookieSessionInterface

from intastellar_auth.wsgi import AuthMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUESTS = 500
ROUNDS = 31


def bare(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ARG001
    """Answer as little as an app can."""
    start_response("200 OK", [("X-A", "b")])
    return [b"hello"]


def discard(status: str, headers: object, exc_info: object = None, /) -> Callable[[bytes], object]:  # noqa: ARG001
    """Take the start of an answer and forget it."""
    return bytes


def environs(cookies: Iterable[str], path: str = "/members") -> Iterator[WSGIEnvironment]:
    """Yield one fresh environ a request, as a server would make it."""
    headers = {"HTTP_" + name.upper().replace("-", "_"): HEADERS[name] for name in HEADERS}
    for cookie in cycle(cookies):
        yield headers | {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "site.example",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_COOKIE": cookie,
            "wsgi.input": BytesIO(),
            "wsgi.url_scheme": "https",
        }


def flask_app() -> tuple[WSGIApplication, str]:
    """Return a Flask app that reads its session in one of two views, and a cookie it signed."""
    app = flask.Flask("benchmark")
    app.secret_key = SECRET
    app.add_url_rule("/plain", "plain", lambda: "Alice Example")
    app.add_url_rule("/members", "members", lambda: str(flask.session["name"]))
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    if signer is None:
        raise RuntimeError("Flask signs sessions where there is a secret_key")
    return app.wsgi_app, f"theme=dark; session={signer.dumps(CLAIMS)}"


def without_session(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer as little as a Django view can."""
    return HttpResponse("Alice Example")


def with_session(request: HttpRequest) -> HttpResponse:
    """Read the session."""
    return HttpResponse(request.session["name"])


urlpatterns = [route("plain", without_session), route("members", with_session)]


def django_app(*middleware: str) -> WSGIApplication:
    """Return a Django app with ``middleware`` and nothing else."""
    django_settings.MIDDLEWARE = list(middleware)
    return WSGIHandler()


def django_cookie() -> str:
    """Return a cookie as Django signs it."""
    store = SessionStore()
    store.update(CLAIMS)
    store.save()
    return f"theme=dark; sessionid={store.session_key}"


def timed(app: WSGIApplication, requests: Iterator[WSGIEnvironment]) -> float:
    """Return the microseconds a request takes, the mean of one round."""
    batch = [next(requests) for _ in range(REQUESTS)]
    started = time.perf_counter()
    for environ in batch:
        list(app(environ, discard))
    return (time.perf_counter() - started) / REQUESTS * 1e6


def measured() -> dict[str, list[float]]:
    """Return the rounds of every stack, which took turns."""
    settings = our_settings()
    ours = AuthMiddleware(bare, settings)
    flask_wsgi, flask_cookie = flask_app()
    sessions = "django.contrib.sessions.middleware.SessionMiddleware"
    stacks: dict[str, tuple[WSGIApplication, Iterator[WSGIEnvironment]]] = {
        "bare app": (bare, environs(["theme=dark"])),
        "intastellar-auth, repeated cookie": (ours, environs(our_cookies(settings, 1))),
        "intastellar-auth, new cookie": (ours, environs(our_cookies(settings, 40_000))),
        "Flask": (flask_wsgi, environs(["theme=dark"], "/plain")),
        "Flask, signed session": (flask_wsgi, environs([flask_cookie])),
        "Django": (django_app(), environs(["theme=dark"], "/plain")),
        "Django, signed_cookies": (django_app(sessions), environs([django_cookie()])),
    }
    rounds: dict[str, list[float]] = {name: [] for name in stacks}
    for _ in range(ROUNDS):
        for name, (app, requests) in stacks.items():
            rounds[name].append(timed(app, requests))
    return rounds


if __name__ == "__main__":
    logging.disable()
    django_settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        SECRET_KEY=SECRET,
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    )
    setup()
    print_table(
        measured(),
        over={
            "intastellar-auth, repeated cookie": "bare app",
            "intastellar-auth, new cookie": "bare app",
            "Flask, signed session": "Flask",
            "Django, signed_cookies": "Django",
        },
        reference="Flask, signed session",
    )
