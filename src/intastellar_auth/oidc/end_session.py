"""End the session at the provider too (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from typing import Final

from intastellar_auth.oidc.authorization import add_parameters
from intastellar_auth.oidc.discovery import check_endpoint

MAX_URL: Final = 6000
"""Characters. Servers commonly take 8 kB for the request line and all headers together."""


def build_end_session_url(
    endpoint: str,
    *,
    id_token_hint: str | None,
    client_id: str,
    post_logout_redirect_uri: str,
    state: str,
) -> str:
    """Return the address that ends the provider's session (section 2).

    A hint that would make the address too long is left out: ``client_id`` still says who asks, and
    the provider then asks the user. Raises ``AnswerInvalid`` where ``check_endpoint`` refuses
    ``endpoint``.
    """
    check_endpoint(endpoint, "end_session_endpoint")
    parameters = {
        "client_id": client_id,
        "post_logout_redirect_uri": post_logout_redirect_uri,
        "state": state,
    }
    never = frozenset({"id_token_hint"})
    without_hint = add_parameters(endpoint, parameters, never=never)
    if not id_token_hint:
        return without_hint
    with_hint = add_parameters(endpoint, {"id_token_hint": id_token_hint, **parameters})
    return with_hint if len(with_hint) <= MAX_URL else without_hint
