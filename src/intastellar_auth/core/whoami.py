"""Tell the site's own scripts who is signed in."""

from __future__ import annotations

from intastellar_auth.core import replies
from intastellar_auth.core.effects import Flow
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.refused import sign_in_needed
from intastellar_auth.core.site import Site


def whoami(site: Site, request: Request) -> Flow[Reply]:
    """``GET /auth/user``: the claims this site keeps, and never a token (BF-08)."""
    header = request.cookie_header.encode("latin-1")
    admitted = yield from site.admissions.admit(header, site.clock())
    if admitted is None:
        return sign_in_needed(site, request, site.landing)
    user = admitted.user
    return replies.data(
        {
            "is_authenticated": True,
            "sub": user.sub,
            "iss": user.iss,
            "identity": user.identity,
            "display_name": user.display_name,
            "email": user.email,
            "claims": user.claims,
            "scopes": admitted.auth.scopes,
        }
    )
