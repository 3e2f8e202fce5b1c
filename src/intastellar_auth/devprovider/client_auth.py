"""Client authentication: exactly one method, and one that the client is registered for."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from intastellar_auth.devprovider.client_assertion import check_assertion, claimed_client_id
from intastellar_auth.devprovider.errors import OAuthError
from intastellar_auth.devprovider.recording import note

if TYPE_CHECKING:
    from starlette.requests import Request

    from intastellar_auth.devprovider.clients import DevClient
    from intastellar_auth.devprovider.parameters import Parameters
    from intastellar_auth.devprovider.state import Provider

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def refused(description: str) -> OAuthError:
    """Return the ``invalid_client`` to raise (RFC 6749 section 5.2)."""
    return OAuthError("invalid_client", description, status=401, challenge="Basic")


def authenticate(request: Request, form: Parameters, provider: Provider) -> DevClient:
    """Return the client that sent ``form``; raises ``OAuthError``.

    More than one method at once is ``invalid_request`` (RFC 6749 section 2.3), anything else that
    does not hold is ``invalid_client``.
    """
    methods = [
        method
        for method, used in (
            ("client_secret_basic", "authorization" in request.headers),
            ("client_secret_post", "client_secret" in form),
            ("private_key_jwt", "client_assertion" in form or "client_assertion_type" in form),
        )
        if used
    ]
    if len(methods) > 1:
        raise OAuthError("invalid_request", "more than one client authentication method is used")
    method = methods[0] if methods else "none"
    client_id, secret = form.get("client_id"), form.get("client_secret", "")
    if method == "client_secret_basic":
        client_id, secret = read_basic(request.headers["authorization"])
    elif method == "private_key_jwt":
        client_id = claimed_client_id(form.get("client_assertion", ""))
    client = provider.clients.get(client_id or "")
    if client is None:
        raise refused("the client is not named, or not registered")
    if form.get("client_id", client_id) != client_id:
        raise refused("client_id is not the client that authenticates")
    if method not in client.auth_methods:
        allowed = " or ".join(sorted(client.auth_methods))
        raise refused(f"{method} is not what the client is registered for: {allowed}")
    note(request, client_id=client.client_id)
    if method == "private_key_jwt":
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            raise refused(f"client_assertion_type is not {_ASSERTION_TYPE}")
        check_assertion(form.get("client_assertion", ""), client, provider)
    elif method != "none" and not secrets.compare_digest(
        secret.encode(), (client.client_secret or "").encode()
    ):
        raise refused("the client secret is wrong")
    return client


def read_basic(header: str) -> tuple[str, str]:
    """Return client id and secret of a ``Basic`` header; raises ``OAuthError``.

    Both are form-urlencoded before they are joined (RFC 6749 section 2.3.1), so a secret with a
    percent sign, a colon or a plus works only with a client that does the same.
    """
    scheme, _, encoded = header.partition(" ")
    try:
        joined = base64.b64decode(encoded.strip(), validate=True).decode("ascii")
        client_id, colon, secret = joined.partition(":")
        if scheme.lower() == "basic" and colon:
            return unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    raise refused("Authorization is not Basic with a form-urlencoded id and secret")
