"""Swap a code for tokens (RFC 6749 sections 4.1.3 to 5.2, OpenID Connect Core section 3.1.3).

Providers refuse a spent code in many ways: 400, 401 or 403, with ``invalid_grant``, another name or
no body at all. To us they are one: the code is gone, and it is never sent again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.errors import AnswerInvalid, ClientRefused, CodeRefused, ProviderError
from intastellar_auth.oidc.authorization import AuthorizationCode, error_words
from intastellar_auth.oidc.client_auth import Client, build_form_request
from intastellar_auth.oidc.discovery import Metadata
from intastellar_auth.oidc.jose import MAX_TOKEN
from intastellar_auth.oidc.json_object import Json, optional_text, read_json_answer, read_object

_WHAT: Final = "the token answer"
CLIENT_ERRORS: Final = ("invalid_client", "unauthorized_client")
"""What a provider says against us, whatever we have sent (RFC 6749 section 5.2)."""
MAX_ACCESS_TOKEN: Final = 16 * 1024
MAX_EXPIRES_IN: Final = 31_536_000.0
"""Seconds, a year. Beyond it a number is more likely a mistake, and arithmetic stays exact."""

# RFC 6750 section 2.1: what goes behind "Bearer " has no space and nothing that ends a header.
_BEARER: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)
_COMPACT_JWS: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a code was worth. ``expires_in`` is seconds, ``None`` where the provider doesn't say."""

    access_token: str = field(repr=False)
    id_token: str | None = field(repr=False)
    refresh_token: str | None = field(repr=False)
    scope: tuple[str, ...]
    expires_in: float | None


def build_token_request(
    metadata: Metadata,
    client: Client,
    *,
    code: AuthorizationCode,
    redirect_uri: str,
    code_verifier: str,
    now: float,
    jti: str,
    resource: tuple[str, ...] = (),
) -> Fetch:
    """Return the request that spends ``code`` (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

    ``now`` is seconds since 1970 and ``jti`` a fresh random text, as in ``authenticate``;
    ``resource`` says where the access token will be used (RFC 8707 section 2.2).
    """
    return build_form_request(
        metadata.token_endpoint,
        {
            "grant_type": "authorization_code",
            "code": code.value,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
            "resource": resource,
        },
        client,
        # Without discovery there may be no issuer; RFC 7523 section 3 then names the endpoint.
        audience=metadata.issuer or metadata.token_endpoint,
        now=now,
        jti=jti,
    )


def read_token_answer(answer: Answer, *, requested_scope: str, id_token_expected: bool) -> Tokens:
    """Return the tokens in ``answer``.

    An ID token that isn't expected is dropped: there is no nonce to hold it against. Raises
    ``CodeRefused`` or ``ClientRefused`` where the provider refuses, ``ProviderError`` where it is
    in trouble, and ``AnswerInvalid`` where its answer can't be used.
    """
    raise_refusal(answer, "the code", refused=CodeRefused, in_trouble=ProviderError)
    return read_tokens(
        answer, scope=requested_scope, identity="required" if id_token_expected else "dropped"
    )


def read_tokens(
    answer: Answer, *, scope: str, identity: Literal["required", "optional", "dropped"]
) -> Tokens:
    """Return the tokens in an ``answer`` that is no refusal; raises ``AnswerInvalid``.

    ``scope`` is what was granted if the answer does not say (RFC 6749 section 5.1).
    """
    document = read_json_answer(answer, _WHAT)
    token_type = document.get("token_type")
    # RFC 6749 section 7.1: a client must not use a token whose type it doesn't know.
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise AnswerInvalid(f"{_WHAT} does not have the token_type Bearer")
    access_token = _bearer(document, "access_token")
    if access_token is None:
        raise AnswerInvalid(f"{_WHAT} has no access_token")
    return Tokens(
        access_token=access_token,
        id_token=None if identity == "dropped" else _id_token(document, identity),
        refresh_token=_bearer(document, "refresh_token"),
        scope=_scope(document, scope),
        expires_in=_expires_in(document.get("expires_in")),
    )


def raise_refusal(
    answer: Answer,
    grant: str,
    *,
    refused: type[ProviderError],
    in_trouble: type[ProviderError],
) -> None:
    """Raise ``ClientRefused``, ``refused`` or ``in_trouble`` where ``answer`` is no success.

    ``grant`` names what was sent, for the log: a code, or a refresh token.
    """
    error, said = read_refusal(answer)
    # RFC 6749 section 5.2. Not the grant's fault, so that starting again would not help.
    if error in CLIENT_ERRORS:
        raise ClientRefused(
            f"the token endpoint refused this client (INTASTELLAR_CLIENT_ID): {said}"
        )
    # RFC 6585 section 4, RFC 9110 section 15.6. Some say with a 500 that the grant is spent.
    if (answer.status == 429 or answer.status >= 500) and error != "invalid_grant":  # noqa: PLR2004
        raise in_trouble(f"the token endpoint is in trouble: {said}")
    # An error with status 200 is a refusal too: some providers answer like that.
    if answer.status >= 400 or (answer.status == 200 and error is not None):  # noqa: PLR2004
        raise refused(f"the token endpoint refused {grant}: {said}")


def read_refusal(answer: Answer) -> tuple[Json, str]:
    """Return the ``error`` that ``answer`` may have, and what it says in words for the log."""
    try:
        document = read_object(answer.body, _WHAT)
    except AnswerInvalid:
        document = {}
    error = document.get("error")
    words = error_words(error, document.get("error_description"))
    return error, f"status {answer.status}, {words}"


def _bearer(document: dict[str, Json], name: str) -> str | None:
    token = optional_text(document, name, _WHAT)
    # It goes into a header some day: a line break in it would be a header of the provider's making.
    if token is not None and (len(token) > MAX_ACCESS_TOKEN or not _BEARER.fullmatch(token)):
        raise AnswerInvalid(
            f"{_WHAT}: {name} is longer than {MAX_ACCESS_TOKEN} characters or not visible ASCII"
        )
    return token


def _id_token(document: dict[str, Json], identity: str) -> str | None:
    id_token = optional_text(document, "id_token", _WHAT)
    if id_token is None and identity == "optional":
        return None
    if id_token is None:
        raise AnswerInvalid(f"{_WHAT} has no id_token, though the scope has openid")
    # Three parts: neither encrypted (five) nor JSON-serialised, which two parsers may read as two
    # different tokens (CVE-2022-39227).
    if len(id_token) > MAX_TOKEN or not _COMPACT_JWS.fullmatch(id_token):
        raise AnswerInvalid(f"{_WHAT}: id_token is not a signed JWT in compact form")
    return id_token


def _scope(document: dict[str, Json], requested: str) -> tuple[str, ...]:
    # RFC 6749 section 5.1: left out where it is what was asked for.
    scope = optional_text(document, "scope", _WHAT)
    return tuple((requested if scope is None else scope).split())


def _expires_in(value: Json) -> float | None:
    """Return the lifetime in seconds; anything odd counts as "the provider doesn't say".

    Only a hint of when to refresh (RFC 6749 section 5.1): less than a second, taken at its word,
    would refresh with every request.
    """
    if isinstance(value, str):
        value = float(value) if _SECONDS.fullmatch(value) else None
    if value is None or isinstance(value, bool) or not isinstance(value, int | float) or value < 1:
        return None
    return min(float(value), MAX_EXPIRES_IN)
