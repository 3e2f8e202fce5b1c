"""What the scripts beside it share: an app, and a way to lead the provider from outside."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from intastellar_auth.wsgi import AuthMiddleware
from tests.wsgi.simulation import site_settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment


def nobody(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer what none of these tests asks for."""
    start_response("404 Not Found", [])
    return []


def make_app(issuer: str, store: str) -> AuthMiddleware:
    """Return a site that signs its users in at ``issuer``, with the SQLite file ``store``."""
    return AuthMiddleware(nobody, site_settings(issuer=issuer, store_url=f"sqlite:///{store}"))


def ask(issuer: str, path: str) -> None:
    """Ask the provider for ``path``, one of those by which a test leads it."""
    connection = HTTPConnection(urlsplit(issuer).netloc, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    connection.close()
