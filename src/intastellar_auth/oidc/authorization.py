"""Send the browser to the provider, and read what it comes back with.

RFC 6749 section 4.1.1 and 4.1.2, RFC 7636 (PKCE), RFC 9126 section 4 (a request that was pushed),
RFC 9207 (``iss`` in the response), and the form encoding that both directions share. This file
doesn't know cookies: whether a ``state`` is ours is decided before ``read_authorization_response``
is asked.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from intastellar_auth.errors import RequestRefused, SignInRefused
from intastellar_auth.oidc.discovery import Metadata

Parameters: TypeAlias = Mapping[str, str | tuple[str, ...]]
"""Names and values to send; a tuple is sent as one name with several values (RFC 8707)."""

RESERVED_PARAMETERS: Final = frozenset(
    {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "response_mode",
        # Each would replace all of the above (RFC 9101 section 5).
        "request",
        "request_uri",
    }
)
"""Authorization parameters that nobody but this file sets."""

MAX_ENCODED: Final = 16 * 1024
MAX_FIELDS: Final = 50
MAX_CODE: Final = 4096
MAX_QUOTED: Final = 300

_NO_CODE_FLOW: Final = (
    "the client that INTASTELLAR_CLIENT_ID names is not registered for the authorization code flow"
)
# RFC 6749 section 4.1.2.1, RFC 8707 section 2: what comes again until a setting is another.
_ADVICE: Final = {
    "invalid_scope": "INTASTELLAR_SCOPE asks for what the provider does not have, or this client "
    "is not registered for",
    "unauthorized_client": _NO_CODE_FLOW,
    "unsupported_response_type": _NO_CODE_FLOW,
    "invalid_target": "INTASTELLAR_AUTHORIZATION_PARAMS names a resource that the provider does "
    "not give tokens for",
}

# RFC 7636 section 4.1.
_CODE_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)
# RFC 6749 appendix A.5 and A.11: VSCHAR.
_VISIBLE: Final = re.compile(r"[\x20-\x7e]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A code that passed ``read_authorization_response``; the token request takes nothing else."""

    value: str = field(repr=False)


def code_challenge(code_verifier: str) -> str:
    """Return the ``S256`` challenge of ``code_verifier`` (RFC 7636 section 4.2).

    Raises ``ValueError`` where the verifier isn't 43 to 128 unreserved characters.
    """
    if not _CODE_VERIFIER.fullmatch(code_verifier):
        raise ValueError("code_verifier must be 43 to 128 unreserved characters")
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def build_authorization_parameters(
    *,
    client_id: str,
    redirect_uri: str,
    scope: str,
    state: str,
    nonce: str | None,
    code_verifier: str,
    response_mode: str,
    extra: Parameters,
) -> dict[str, str | tuple[str, ...]]:
    """Return what an authorization request says (RFC 6749 section 4.1.1, Core section 3.1.2.1).

    ``extra`` adds parameters; one that is in ``RESERVED_PARAMETERS`` is left out, whoever asks for
    it. PKCE is always sent, and always ``S256``: there is nothing to fall back to (RFC 9700
    section 2.1.1). Raises ``ValueError`` where ``scope`` has ``openid`` and there is no ``nonce``.
    """
    parameters: dict[str, str | tuple[str, ...]] = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": state,
        "code_challenge": code_challenge(code_verifier),
        "code_challenge_method": "S256",
    }
    if "openid" in scope.split():
        if not nonce:
            raise ValueError("a sign-in with openid needs a nonce")
        parameters["nonce"] = nonce
    # "query" is what the code flow does by itself, and not every provider knows the parameter.
    if response_mode == "form_post":
        parameters["response_mode"] = response_mode
    return parameters | {name: extra[name] for name in extra if name not in RESERVED_PARAMETERS}


def build_authorization_url(metadata: Metadata, parameters: Parameters) -> str:
    """Return the address that starts a sign-in, with the whole request in its query."""
    return add_parameters(metadata.authorization_endpoint, parameters, never=RESERVED_PARAMETERS)


def build_pushed_authorization_url(
    metadata: Metadata, parameters: Parameters, *, request_uri: str
) -> str:
    """Return the address that starts a sign-in whose ``parameters`` were pushed.

    It has ``client_id`` and ``request_uri`` and nothing else of ours (RFC 9126 section 4): what
    was pushed counts alone, and a second copy of it could only differ.
    """
    return add_parameters(
        metadata.authorization_endpoint,
        {"client_id": parameters["client_id"], "request_uri": request_uri},
        never=RESERVED_PARAMETERS.union(parameters),
    )


def add_parameters(
    endpoint: str, parameters: Parameters, *, never: frozenset[str] = frozenset()
) -> str:
    """Return ``endpoint`` with ``parameters`` in its query.

    A query that it already has is kept (RFC 6749 section 3.1), except what has the name of one of
    ``parameters`` or is in ``never``: a parameter that comes twice is read as the first by one
    server and as the last by another.
    """
    base, _, query = endpoint.partition("?")
    kept = [
        part
        for part in query.split("&")
        if part and _name(part) not in parameters and _name(part) not in never
    ]
    added = [
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, given in parameters.items()
        for value in ((given,) if isinstance(given, str) else given)
    ]
    return f"{base}?{'&'.join(kept + added)}"


def single_parameters(encoded: str) -> dict[str, str]:
    """Return the fields of a query or a form body, each of which may come once.

    A field without a value counts as absent (RFC 6749 section 3.1). Raises ``RequestRefused``
    where a name comes twice, for more than 50 fields or 16 kB, for bytes that aren't UTF-8, and
    for a ``code`` or ``state`` of more than 4096 characters or with characters other than
    visible ASCII.
    """
    if len(encoded) > MAX_ENCODED:
        raise RequestRefused(f"the parameters are longer than {MAX_ENCODED} characters")
    fields = [part for part in encoded.split("&") if part]
    if len(fields) > MAX_FIELDS:
        raise RequestRefused(f"there are more than {MAX_FIELDS} parameters")
    pairs = [_field(part) for part in fields]
    # Which of two would win differs from parser to parser, so neither does.
    if len({name for name, _ in pairs}) != len(pairs):
        raise RequestRefused("a parameter comes more than once")
    parameters = {name: value for name, value in pairs if value}
    for name in ("code", "state"):
        value = parameters.get(name)
        if value is not None and (len(value) > MAX_CODE or not _VISIBLE.fullmatch(value)):
            raise RequestRefused(f"{name} is too long or has characters that it cannot have")
    return parameters


def read_authorization_response(
    parameters: Mapping[str, str], *, issuer: str | None, iss_required: bool
) -> AuthorizationCode:
    """Return the code of an authorization response whose ``state`` was found to be ours.

    ``iss_required`` is the provider's promise to send ``iss``
    (``authorization_response_iss_parameter_supported``); with no ``issuer`` to compare to, ``iss``
    is ignored. A token in the response is ignored: the code flow has none there. Raises
    ``RequestRefused`` where the response is another provider's or has no code, and
    ``SignInRefused`` where it is an error.
    """
    # RFC 9207 section 2.4: before anything else is believed, an error included, and compared as
    # plain strings. A response from another provider than the one asked is the mix-up attack.
    if issuer is not None:
        iss = parameters.get("iss")
        if iss is None and iss_required:
            raise RequestRefused("the provider promises iss in its response, and it is missing")
        if iss is not None and iss != issuer:
            raise RequestRefused("iss in the response is not the issuer that was asked")
    error = parameters.get("error")
    if error:
        advice = advice_on(error)
        words = error_words(error, parameters.get("error_description"))
        raise SignInRefused(
            f"{advice}the provider refused the sign-in: {words}",
            provider_error=error[:MAX_QUOTED],
            permanent=bool(advice),
        )
    code = parameters.get("code")
    if not code:
        raise RequestRefused("the response has neither a code nor an error")
    return AuthorizationCode(code)


def advice_on(error: object) -> str:
    """Return what to do about a provider's ``error`` where a setting is wrong, else nothing."""
    advice = _ADVICE.get(error) if isinstance(error, str) else None
    return "" if advice is None else f"{advice}; "


def error_words(error: object, description: object) -> str:
    """Return a provider's ``error`` and ``error_description`` for a log, cut to a sane length."""
    words = [word for word in (error, description) if isinstance(word, str) and word]
    return ": ".join(word[:MAX_QUOTED] for word in words) or "no reason given"


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0])


def _field(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return _decoded(name), _decoded(value)


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text.replace("+", " ").encode("ascii")).decode("utf-8")
    except UnicodeError:
        raise RequestRefused("a parameter is not percent-encoded UTF-8") from None
