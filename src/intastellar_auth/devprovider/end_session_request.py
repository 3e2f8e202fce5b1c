"""The logout request, read and checked (OpenID Connect RP-Initiated Logout section 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from intastellar_auth.devprovider.errors import Compare, OAuthError

if TYPE_CHECKING:
    from intastellar_auth.devprovider.parameters import Parameters
    from intastellar_auth.devprovider.state import Provider


@dataclass(frozen=True, slots=True)
class EndSessionRequest:
    """A request that passed every check. ``hinted_sub`` is who the ID token was given to."""

    hinted_sub: str | None
    client_id: str | None
    post_logout_redirect_uri: str | None
    state: str | None = field(default=None, repr=False)


def read_end_session_request(parameters: Parameters, provider: Provider) -> EndSessionRequest:
    """Return the checked request; raises ``OAuthError``, to be shown as a page."""
    audience, sub = _read_hint(parameters, provider)
    client_id = parameters.get("client_id", audience)
    if audience is not None and client_id != audience:
        raise OAuthError("invalid_request", "id_token_hint was given to another client")
    client = provider.clients.get(client_id) if client_id is not None else None
    if client_id is not None and client is None:
        raise OAuthError("invalid_request", "client_id is not registered")
    uri = parameters.get("post_logout_redirect_uri")
    # Without a known client nobody vouches for the address: an open redirector otherwise.
    if uri is not None and (client is None or uri not in client.post_logout_redirect_uris):
        raise OAuthError(
            "invalid_request",
            "post_logout_redirect_uri differs from the registered ones, or neither id_token_hint"
            " nor client_id says whose it is",
            compare=Compare(uri, client.post_logout_redirect_uris if client else ()),
        )
    return EndSessionRequest(sub, client_id, uri, parameters.get("state"))


def _read_hint(parameters: Parameters, provider: Provider) -> tuple[str | None, str | None]:
    """Return the hint's client and user. It may have expired: section 2 says so."""
    hint = parameters.get("id_token_hint")
    if hint is None:
        return None, None
    claims = provider.keys.verify(hint) or {}
    audience, sub = claims.get("aud"), claims.get("sub")
    # Logout tokens are signed with the same keys; only an ID token has auth_time.
    if claims.get("iss") != provider.issuer or "auth_time" not in claims:
        raise OAuthError("invalid_request", "id_token_hint is not an ID token of this provider")
    return str(audience), str(sub)
