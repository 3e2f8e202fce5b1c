"""The pages of the small site, which its ASGI and its WSGI app both show."""

from __future__ import annotations


def page(title: str, body: str) -> str:
    """Return a page of the site."""
    return f"<!doctype html><html lang=en><title>{title}</title><main><h1>{title}</h1>{body}</main>"


def front() -> str:
    """Return what anybody may see."""
    return page("Welcome", '<a href="/members">Members</a>')


def members(sub: str, path: str, query: str) -> str:
    """Return what only somebody signed in may see."""
    return page(
        f"Hello {sub}",
        f'<p id="target">{path}?{query}</p>'
        '<form method="post" action="/auth/logout"><button>Sign out</button></form>',
    )
