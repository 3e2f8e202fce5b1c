"""The authorization request, read and checked (OpenID Connect Core section 3.1.2.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from intastellar_auth.devprovider.errors import Compare, OAuthError
from intastellar_auth.devprovider.pkce import is_challenge

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from intastellar_auth.devprovider.clients import DevClient
    from intastellar_auth.devprovider.parameters import Parameters

RESPONSE_MODES: Final = ("query", "form_post")
PROMPTS: Final = ("none", "login", "consent")

_UNSUPPORTED: Final = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Where the answer goes and how; a registered address, or the answer does not leave."""

    client_id: str
    redirect_uri: str
    response_mode: str = "query"
    state: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that passed every check."""

    reply_to: ReplyTo
    scope: tuple[str, ...]
    code_challenge: str
    nonce: str | None = field(default=None, repr=False)
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    login_hint: str | None = None


def read_reply_to(parameters: Parameters, clients: Mapping[str, DevClient]) -> ReplyTo:
    """Return where the answer goes.

    Raises ``OAuthError`` where that cannot be trusted; the answer must then be a page, or we would
    send browsers wherever a stranger likes (RFC 6749 section 4.1.2.1).
    """
    client = clients.get(parameters.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_request", "client_id is missing or not registered")
    redirect_uri = parameters.get("redirect_uri")
    # Compared as strings, RFC 9700 section 4.1.3: no prefix, no case, no port is let pass.
    if redirect_uri is None or redirect_uri not in client.redirect_uris:
        raise OAuthError(
            "invalid_request",
            "redirect_uri is missing or differs from the registered ones: compare scheme, host,"
            " port, path and trailing slash",
            compare=Compare(redirect_uri, client.redirect_uris),
        )
    mode = parameters.get("response_mode", "")
    return ReplyTo(
        client.client_id,
        redirect_uri,
        mode if mode in RESPONSE_MODES else RESPONSE_MODES[0],
        parameters.get("state"),
    )


def read_authorization_request(
    parameters: Parameters, reply_to: ReplyTo, scopes: Collection[str]
) -> AuthorizationRequest:
    """Return the checked request, which may ask for ``scopes``.

    Raises ``OAuthError``, to be sent to ``reply_to``.
    """
    for name, error in _UNSUPPORTED.items():
        if name in parameters:
            raise OAuthError(error, f"{name} is not supported here")
    if parameters.get("response_mode", reply_to.response_mode) != reply_to.response_mode:
        raise OAuthError("invalid_request", "response_mode is neither query nor form_post")
    if "response_type" not in parameters:
        raise OAuthError("invalid_request", "response_type is missing")
    if parameters["response_type"] != "code":
        raise OAuthError("unsupported_response_type", "response_type is not code")
    return AuthorizationRequest(
        reply_to,
        _scope(parameters, scopes),
        _code_challenge(parameters),
        parameters.get("nonce"),
        _prompt(parameters),
        _max_age(parameters),
        parameters.get("login_hint"),
    )


def _scope(parameters: Parameters, scopes: Collection[str]) -> tuple[str, ...]:
    """Without ``openid`` it is plain OAuth: no ID token, identity from userinfo."""
    scope = tuple(dict.fromkeys(parameters.get("scope", "").split(" ")))
    unknown = [value for value in scope if value not in scopes]
    if unknown:
        raise OAuthError("invalid_scope", f"scope is missing, or not among: {' '.join(scopes)}")
    return scope


def _code_challenge(parameters: Parameters) -> str:
    # A missing method means plain (RFC 7636 section 4.3), and plain shows the verifier to whoever
    # sees the request.
    if parameters.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "code_challenge_method is not S256")
    challenge = parameters.get("code_challenge", "")
    if not is_challenge(challenge):
        raise OAuthError("invalid_request", "code_challenge is missing or is not an S256 digest")
    return challenge


def _prompt(parameters: Parameters) -> frozenset[str]:
    prompt = frozenset(parameters["prompt"].split(" ")) if "prompt" in parameters else frozenset()
    if not prompt <= set(PROMPTS):
        raise OAuthError("invalid_request", f"prompt is not among: {' '.join(PROMPTS)}")
    if "none" in prompt and len(prompt) > 1:
        raise OAuthError("invalid_request", "prompt has none and another value")
    return prompt


def _max_age(parameters: Parameters) -> int | None:
    text = parameters.get("max_age")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 12):  # noqa: PLR2004 - 3000 years
        raise OAuthError("invalid_request", "max_age is not a number of seconds")
    return int(text)
