"""What kind of request this is, told from its headers (Fetch Metadata; RFC 9110).

A redirect to the provider helps only a browser that navigates: an image, a script's ``fetch`` or a
prefetch cannot finish a sign-in, and must not use one up.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from intastellar_auth.core.messages import Request


def is_prefetch(request: Request) -> bool:
    """Return whether the browser only looks ahead (row P12)."""
    hints = (request.header(name) or "" for name in ("sec-purpose", "purpose", "x-moz"))
    return any("prefetch" in hint or "prerender" in hint for hint in hints)


def is_navigation(request: Request) -> bool:
    """Return whether this is a visitor going to a page: the only kind that can sign in."""
    if is_prefetch(request):
        return False
    mode, destination = request.header("sec-fetch-mode"), request.header("sec-fetch-dest")
    if mode is not None or destination is not None:
        return mode == "navigate" and destination == "document"
    wants_html = "text/html" in (request.header("accept") or "")
    return wants_html and request.header("x-requested-with") is None


def is_certainly_not_navigation(request: Request) -> bool:
    """Return whether the request says of itself that it is none: a script's, a frame's.

    At our own paths a client that says nothing of itself is taken at its word: it asked for them.
    """
    mode, destination = request.header("sec-fetch-mode"), request.header("sec-fetch-dest")
    return (
        mode not in (None, "navigate")
        or destination not in (None, "document")
        or request.header("x-requested-with") is not None
    )


def is_from_elsewhere(request: Request, origin: str) -> bool:
    """Return whether another site, or a page we cannot tell, made the browser ask this.

    ``Sec-Fetch-Site`` cannot be set by a page; a sibling subdomain (``same-site``) is as foreign as
    any (LO-01). Older browsers say ``Origin`` or ``Referer``. With none of them nobody but the
    visitor is known to have asked.
    """
    site = request.header("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    sent_origin = request.header("origin")
    if sent_origin is not None:
        return sent_origin != origin
    referer = request.header("referer")
    return referer is not None and _origin(referer) != origin


def _origin(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}"
