"""The way back to the client: by redirect or by form, always with ``iss`` (RFC 9207)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from intastellar_auth.devprovider.pages import form_post_page

if TYPE_CHECKING:
    from intastellar_auth.devprovider.authorization_request import ReplyTo
    from intastellar_auth.devprovider.errors import OAuthError
    from intastellar_auth.devprovider.state import Provider


def send_code(provider: Provider, reply_to: ReplyTo, code: str) -> Response:
    """Send ``code`` (RFC 6749 section 4.1.2)."""
    return _send(provider, reply_to, {"code": code})


def send_error(provider: Provider, reply_to: ReplyTo, refusal: OAuthError) -> Response:
    """Send the error (RFC 6749 section 4.1.2.1)."""
    return _send(
        provider,
        reply_to,
        {"error": refusal.error, "error_description": refusal.description},
    )


def with_query(uri: str, fields: dict[str, str]) -> str:
    """Return ``uri`` with ``fields`` added to its query (RFC 6749 section 3.1.2)."""
    return (
        urlsplit(uri)
        ._replace(query="&".join(filter(None, [urlsplit(uri).query, urlencode(fields)])))
        .geturl()
    )


def _send(provider: Provider, reply_to: ReplyTo, fields: dict[str, str]) -> Response:
    if reply_to.state is not None:
        fields["state"] = reply_to.state
    if not provider.faults.use("missing_iss_parameter"):
        wrong = provider.faults.use("wrong_iss_parameter")
        fields["iss"] = "https://wrong-issuer.example" if wrong else provider.issuer
    if reply_to.response_mode == "form_post":
        return form_post_page(reply_to.redirect_uri, fields)
    # 303, so that the sign-in form's POST does not become a POST to the client.
    return RedirectResponse(with_query(reply_to.redirect_uri, fields), 303)
