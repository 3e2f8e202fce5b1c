"""A small Flask site: everything about sign-in is ``init_app`` and the decorator."""

from __future__ import annotations

from flask import Flask, jsonify, render_template_string
from flask.typing import ResponseReturnValue

from intastellar_auth.flask import current_user, init_app, login_required

PAGE = """<!doctype html>
<html lang="en">
<title>{{ title }}</title>
<h1>{{ title }}</h1>
{% if current_user.is_authenticated %}
<p>Hello {{ current_user.display_name }}. <a href="/members">Members</a></p>
<form method="post" action="/auth/logout"><button>Sign out</button></form>
{% else %}
<p><a href="/auth/login?next=/members">Sign in</a></p>
{% endif %}
</html>
"""

app = Flask(__name__)
init_app(app)


@app.get("/")
def home() -> str:
    """Anybody may see this page."""
    return render_template_string(PAGE, title="Welcome")


@app.get("/members")
@login_required
def members() -> str:
    """Only for signed-in users; the others sign in and come back."""
    return render_template_string(PAGE, title="Only members can read this")


@app.get("/api/me")
@login_required(scopes="email")
def me() -> ResponseReturnValue:
    """Answer a script, which gets a 401 and no redirect where nobody is signed in."""
    return jsonify(sub=current_user.sub, email=current_user.email)
