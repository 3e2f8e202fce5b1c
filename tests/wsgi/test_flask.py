"""Flask with the middleware in front, as its users would write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask

from .client import FETCH
from .site import make_site

if TYPE_CHECKING:
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


def test_a_view_sees_the_user_and_what_was_posted() -> None:
    site = make_site(flask_app())
    cookie = {**FETCH, "cookie": site.cookie(claims={"name": "Alice"})}
    form = {"content-type": "application/x-www-form-urlencoded"}

    assert site.ask("/page").body == b"page nobody None nothing"
    assert site.ask("/private/page").code == 303
    assert site.ask("/private/page", headers=cookie).body == b"private/page Alice alice nothing"
    posted = site.ask("/page", "POST", {**cookie, **form}, b"word=hello")
    assert posted.body == b"page Alice alice hello"
