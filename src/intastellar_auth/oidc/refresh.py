"""Swap a refresh token for new tokens (RFC 6749 section 6, OpenID Connect Core section 12)."""

from __future__ import annotations

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.errors import ClientRefused, ProviderBusy, RefreshRefused
from intastellar_auth.oidc.client_auth import Client, build_form_request
from intastellar_auth.oidc.discovery import Metadata
from intastellar_auth.oidc.token import Tokens, read_refusal, read_tokens


def build_refresh_request(
    metadata: Metadata, client: Client, *, refresh_token: str, now: float, jti: str
) -> Fetch:
    """Return the request that spends ``refresh_token``; for the scope that it was granted with.

    ``now`` is seconds since 1970 and ``jti`` a fresh random text, as in ``authenticate``.
    """
    return build_form_request(
        metadata.token_endpoint,
        {"grant_type": "refresh_token", "refresh_token": refresh_token},
        client,
        # Without discovery there may be no issuer; RFC 7523 section 3 then names the endpoint.
        audience=metadata.issuer or metadata.token_endpoint,
        now=now,
        jti=jti,
    )


def read_refresh_answer(answer: Answer, *, granted_scope: tuple[str, ...]) -> Tokens:
    """Return the tokens in ``answer``; it may leave out all but the access token.

    Raises ``RefreshRefused`` where the refresh token is of no use any more, ``ClientRefused`` where
    the provider refuses this client, ``ProviderBusy`` where it says that it did nothing, and
    ``AnswerInvalid`` where its answer can't be used.
    """
    error, said = read_refusal(answer)
    # RFC 6749 section 5.2. Not the token's fault: it is as good as before.
    if error in ("invalid_client", "unauthorized_client"):
        raise ClientRefused(f"the token endpoint refused this client: {said}")
    # Some say with a 500 that the token is spent.
    if error != "invalid_grant" and (answer.status == 429 or answer.status >= 500):  # noqa: PLR2004  RFC 6585, RFC 9110
        raise ProviderBusy(f"the token endpoint is in trouble: {said}")
    # An error with status 200 is a refusal too: some providers answer like that.
    if answer.status >= 400 or (answer.status == 200 and error is not None):  # noqa: PLR2004
        raise RefreshRefused(f"the token endpoint refused the refresh token: {said}")
    return read_tokens(answer, scope=" ".join(granted_scope), identity="optional")
