"""A small site with the middleware in front of it: everything about sign-in is the last line.

Run it with ``scripts/demo``, or with your own registration as README.md here says.
"""

import json
import logging
import os
from html import escape
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from intastellar_auth.asgi import AuthMiddleware

# What the middleware does, one line an event. Without this, warnings alone are seen.
logging.basicConfig(format="%(levelname)s %(message)s")
logging.getLogger("intastellar_auth").setLevel(logging.INFO)

HERE = Path(__file__).parent
# Where scripts/demo runs the provider, whose page counts the token requests.
DEMO_PROVIDER = os.environ.get("DEMO_PROVIDER")
POLICY = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'"


def page(request: HTTPConnection, title: str, body: str) -> HTMLResponse:
    """Return a page of this site; ``body`` is HTML, ``title`` is text."""
    return HTMLResponse(
        f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="stylesheet" href="/static/style.css">
</head>
<body>
<header>
<nav aria-label="Site"><a href="/">Home</a> <a href="/members">Members</a>
<a href="/profile">Profile</a> <a href="/live">Live</a></nav>
<div class="who">{who(request)}</div>
</header>
<main>
<h1>{escape(title)}</h1>
{body}
</main>
</body>
</html>
""",
        headers={"content-security-policy": POLICY},
    )


def who(request: HTTPConnection) -> str:
    """Return who is signed in with a way out, or else a way in that comes back to this page."""
    if not request.user.is_authenticated:
        here = urlencode({"next": request.url.path})
        return f'<a class="button" href="/auth/login?{here}">Sign in</a>'
    return (
        f"<span>{escape(request.user.display_name)}</span>"
        '<form method="post" action="/auth/logout"><button class="button">Sign out</button></form>'
    )


async def home(request: Request) -> HTMLResponse:
    """Anybody may see this page."""
    return page(
        request,
        "Welcome",
        """<p>Anybody can read this page. These are the others:</p>
<dl>
<dt><a href="/members">Members</a></dt>
<dd>Protected by a setting. Open it signed out: you sign in, and are back there.</dd>
<dt><a href="/profile">Profile</a></dt>
<dd>Protected in the code, with Starlette's <code>@requires("authenticated")</code>.</dd>
<dt><a href="/live">Live</a></dt>
<dd>A WebSocket that knows who you are.</dd>
<dt><a href="/api/me">/api/me</a></dt>
<dd>JSON for scripts, which get a 401 and no redirect when nobody is signed in.</dd>
</dl>
<h2>Try to break it</h2>
<ul>
<li>Sign in and press the back button: the provider sends you here again, with a second code.</li>
<li>Open the callback's address again, from your browser's developer tools. Then open it in
another browser.</li>
<li>Open Members in two tabs, signed out, and sign in to both, in any order.</li>
</ul>"""
        + cost(),
    )


def cost() -> str:
    """Return what each sign-in costs, and where the demo's provider counts it."""
    if DEMO_PROVIDER is None:
        return ""
    return (
        '<p class="note">However often the callback came, each sign-in costs one token request:'
        f' <a href="{escape(DEMO_PROVIDER)}/">see what the provider has counted</a>.</p>'
    )


async def members(request: Request) -> HTMLResponse:
    """Only for signed-in users: ``INTASTELLAR_PROTECTED_PATHS`` names this path."""
    name = escape(request.user.display_name)
    greeting = f"<p>Hello {name}. Only members can read this page.</p>"
    return page(request, "Members", greeting + cost())


@requires("authenticated", redirect="sign_in")
async def profile(request: Request) -> HTMLResponse:
    """Only for signed-in users: Starlette's own decorator says so."""
    claims = {"sub": request.user.sub, "iss": request.user.iss, **request.user.claims}
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(as_text(value))}</dd>"
        for name, value in claims.items()
    )
    return page(request, "Profile", f"<p>This is what the provider says of you.</p><dl>{rows}</dl>")


def as_text(claim: object) -> str:
    """Return ``claim`` for people: a list as its items, anything but text as JSON has it."""
    if isinstance(claim, list):
        return ", ".join(map(as_text, claim)) or "none"
    return claim if isinstance(claim, str) else json.dumps(claim, ensure_ascii=False)


async def sign_in(request: Request) -> RedirectResponse:
    """Go on to the sign-in: ``@requires`` sends a whole URL along, ``/auth/login`` takes a path."""
    page = urlsplit(request.query_params.get("next", "/"))
    path = f"{page.path}?{page.query}" if page.query else page.path
    return RedirectResponse(f"/auth/login?{urlencode({'next': path})}", 303)


async def me(request: Request) -> JSONResponse:
    """Answer a script; the middleware has answered 401 already where nobody is signed in."""
    user = request.user
    return JSONResponse({"sub": user.sub, "name": user.display_name, "email": user.email})


async def live(request: Request) -> HTMLResponse:
    """Show what the WebSocket says."""
    return page(
        request,
        "Live",
        '<p id="greeting" role="status">Connecting…</p><script src="/static/live.js"></script>',
    )


async def greet(websocket: WebSocket) -> None:
    """Greet whoever is on the other end by name."""
    await websocket.accept()
    name = websocket.user.display_name or "stranger"
    await websocket.send_text(f"Hello {name}, this came over a WebSocket.")
    await websocket.close()


app = Starlette(
    routes=[
        Route("/", home),
        Route("/members", members),
        Route("/profile", profile),
        Route("/sign-in", sign_in, name="sign_in"),
        Route("/live", live),
        Route("/api/me", me),
        WebSocketRoute("/ws", greet),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
)
app.add_middleware(AuthMiddleware)
