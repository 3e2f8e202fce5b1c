"""Swap a refresh token for new tokens (RFC 6749 section 6, OpenID Connect Core section 12)."""

from __future__ import annotations

from dataclasses import replace

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.errors import ProviderBusy, ProviderTimeout, RefreshRefused
from intastellar_auth.oidc.client_auth import Client, build_form_request
from intastellar_auth.oidc.discovery import Metadata
from intastellar_auth.oidc.token import Tokens, raise_refusal, read_tokens


def build_refresh_request(
    metadata: Metadata,
    client: Client,
    *,
    refresh_token: str,
    now: float,
    jti: str,
    resource: tuple[str, ...] = (),
) -> Fetch:
    """Return the request that spends ``refresh_token``; for the scope that it was granted with.

    ``now`` is seconds since 1970 and ``jti`` a fresh random text, as in ``authenticate``;
    ``resource`` says where the access token will be used (RFC 8707 section 2.2).
    """
    return build_form_request(
        metadata.token_endpoint,
        {"grant_type": "refresh_token", "refresh_token": refresh_token, "resource": resource},
        client,
        # Without discovery there may be no issuer; RFC 7523 section 3 then names the endpoint.
        audience=metadata.issuer or metadata.token_endpoint,
        now=now,
        jti=jti,
    )


def read_refresh_answer(answer: Answer, *, granted_scope: tuple[str, ...]) -> Tokens:
    """Return the tokens in ``answer``; it may leave out all but the access token.

    Raises ``RefreshRefused`` where the refresh token is of no use any more, ``ClientRefused`` where
    the provider refuses this client, ``ProviderBusy`` where it says that it did nothing,
    ``ProviderTimeout`` where nobody knows, and ``AnswerInvalid`` where its answer can't be used.
    """
    if answer.status == 504:  # noqa: PLR2004  RFC 9110 section 15.6.5
        raise ProviderTimeout("a gateway had no answer in time from the token endpoint")
    raise_refusal(answer, "the refresh token", refused=RefreshRefused, in_trouble=ProviderBusy)
    tokens = read_tokens(answer, scope=" ".join(granted_scope), identity="optional")
    # Section 6: never more than the user has granted. Nobody has asked for what else it says.
    granted = tuple(each for each in tokens.scope if each in granted_scope)
    return replace(tokens, scope=granted)
