"""The discovery document and the key set (OpenID Connect Discovery section 4, RFC 8414)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

from intastellar_auth.devprovider.authorization_request import PROMPTS, RESPONSE_MODES
from intastellar_auth.devprovider.clients import AUTH_METHODS
from intastellar_auth.devprovider.keys import ALGORITHMS
from intastellar_auth.devprovider.recording import note
from intastellar_auth.devprovider.state import Provider, provider_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from intastellar_auth.devprovider.jsons import Json

ENDPOINTS: Final = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "userinfo_endpoint": "/userinfo",
    "jwks_uri": "/jwks",
    "end_session_endpoint": "/end-session",
    "revocation_endpoint": "/revoke",
    "pushed_authorization_request_endpoint": "/par",
}
"""Where each endpoint is, under the name by which it is announced."""


def describe(provider: Provider) -> dict[str, Json]:
    """Return the discovery document of ``provider``."""
    issuer = provider.issuer
    methods: list[Json] = [*sorted(AUTH_METHODS)]
    return {
        "issuer": issuer,
        **{name: issuer + path for name, path in ENDPOINTS.items()},
        "scopes_supported": [*provider.scopes],
        "response_types_supported": ["code"],
        "response_modes_supported": [*RESPONSE_MODES],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [*ALGORITHMS],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256"],
        "revocation_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": [*PROMPTS],
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "claims_supported": [
            "sub",
            "iss",
            "auth_time",
            "sid",
            "name",
            "preferred_username",
            "locale",
            "zoneinfo",
            "email",
            "email_verified",
            "phone_number",
            "phone_number_verified",
            "address",
            "roles",
            "groups",
            *sorted({name for user in provider.users.values() for name in user.extra_claims}),
        ],
    }


async def discovery(request: Request) -> Response:
    """Answer with the discovery document."""
    provider = provider_of(request)
    if provider.faults.use("discovery_500"):
        note(request, outcome="fault")
        return JSONResponse({"error": "server_error"}, 500)
    return JSONResponse(describe(provider))


async def jwks(request: Request) -> Response:
    """Answer with the public keys (RFC 7517 section 5)."""
    provider = provider_of(request)
    if provider.faults.use("jwks_500"):
        note(request, outcome="fault")
        return JSONResponse({"error": "server_error"}, 500)
    return JSONResponse(provider.keys.published())
