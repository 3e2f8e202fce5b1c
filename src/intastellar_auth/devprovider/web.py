"""Answers, cookies and the checks that are about browsers rather than OpenID."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from intastellar_auth.devprovider.errors import OAuthError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from intastellar_auth.devprovider.sessions import Session
    from intastellar_auth.devprovider.state import Provider


def json_refusal(refusal: OAuthError) -> Response:
    """Return the refusal as RFC 6749 section 5.2 has it."""
    headers: Mapping[str, str] = (
        {"WWW-Authenticate": refusal.challenge} if refusal.challenge is not None else {}
    )
    return JSONResponse(
        {"error": refusal.error, "error_description": refusal.description},
        refusal.status,
        headers,
    )


def refuse_cross_site(request: Request) -> None:
    """Raise ``OAuthError`` for a form of another site (login and logout CSRF).

    Only browsers send ``Sec-Fetch-Site``, and only browsers can be tricked.
    """
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise OAuthError("invalid_request", "the form was sent by another site", status=403)


def set_session_cookie(response: Response, provider: Provider, session: Session) -> None:
    """Give the browser its session."""
    response.set_cookie(
        provider.cookie_name,
        session.cookie,
        secure=provider.issuer.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response, provider: Provider) -> None:
    """Take it away, with the attributes it was set with."""
    response.delete_cookie(
        provider.cookie_name,
        secure=provider.issuer.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
