"""A WSGI app without a framework, and the middleware in front of it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from intastellar_auth.wsgi import AuthMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

SIGNED_OUT = '<p>Anybody can read this. <a href="/auth/login?next=/members">Sign in</a></p>'
SIGNED_IN = """<p>Hello {name}. <a href="/members">Members</a></p>
<form method="post" action="/auth/logout"><button>Sign out</button></form>"""


def site(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request; ``/members`` is only reached by somebody who is signed in."""
    user = environ["intastellar.user"]
    pages = {
        "/": SIGNED_IN.format(name=escape(user.display_name)) if user.sub else SIGNED_OUT,
        "/members": f"<p>Only members can read this. You are {escape(user.identity)}.</p>",
    }
    page = pages.get(environ["PATH_INFO"])
    status = "404 Not Found" if page is None else "200 OK"
    start_response(status, [("Content-Type", "text/html; charset=utf-8")])
    return [f"<!doctype html><html lang=en><title>Plain</title>{page}".encode()]


application = AuthMiddleware(site)
