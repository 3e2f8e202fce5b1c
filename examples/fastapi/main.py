"""A small FastAPI site: who is signed in is a parameter."""

from __future__ import annotations

from html import escape
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse

from intastellar_auth import User
from intastellar_auth.fastapi import CurrentUser, OptionalUser, init_app, require_user

app = FastAPI(title="Example")
init_app(app)

EmailReader = Annotated[User, Depends(require_user(scopes="email"))]


@app.get("/")
async def home(user: OptionalUser) -> HTMLResponse:
    """Anybody may see this page."""
    if user is None:
        body = '<p>Anybody can read this. <a href="/auth/login?next=/members">Sign in</a></p>'
    else:
        body = (
            f'<p>Hello {escape(user.display_name)}. <a href="/docs">The API</a></p>'
            '<form method="post" action="/auth/logout"><button>Sign out</button></form>'
        )
    return HTMLResponse(f"<!doctype html><html lang=en><title>Example</title>{body}")


@app.get("/members")
async def members(user: CurrentUser) -> HTMLResponse:
    """Only for signed-in users; the others sign in first, and come back."""
    name = escape(user.display_name)
    return HTMLResponse(f"<!doctype html><html lang=en><title>Members</title><p>Hello {name}.")


@app.get("/api/me")
async def me(user: CurrentUser) -> dict[str, str]:
    """Answer 401 where nobody is signed in."""
    return {"sub": user.sub, "name": user.display_name}


@app.get("/api/email")
async def email(user: EmailReader) -> dict[str, str | None]:
    """Answer 403 where the sign-in did not include the scope ``email``."""
    return {"email": user.email}
