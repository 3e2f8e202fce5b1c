"""Tell the provider that a token is not needed any more (RFC 7009)."""

from __future__ import annotations

from typing import Literal

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.errors import ClientRefused, ProviderError
from intastellar_auth.oidc.client_auth import Client, build_form_request
from intastellar_auth.oidc.token import CLIENT_ERRORS, read_refusal


def build_revocation_request(
    endpoint: str,
    client: Client,
    *,
    token: str,
    token_type_hint: Literal["access_token", "refresh_token"],
    audience: str,
    now: float,
    jti: str,
) -> Fetch:
    """Return the request that revokes ``token`` (section 2.1).

    ``audience``, ``now`` and ``jti`` are as in ``authenticate``.
    """
    return build_form_request(
        endpoint,
        {"token": token, "token_type_hint": token_type_hint},
        client,
        audience=audience,
        now=now,
        jti=jti,
    )


def read_revocation_answer(answer: Answer) -> None:
    """Accept that ``answer`` says so (section 2.2); also of a token that was no good before.

    Raises ``ClientRefused`` where the provider refuses this client, else ``ProviderError``.
    """
    if answer.status == 200:  # noqa: PLR2004
        return
    error, said = read_refusal(answer)
    if error in CLIENT_ERRORS:
        raise ClientRefused(
            f"the revocation endpoint refused this client (INTASTELLAR_CLIENT_ID): {said}"
        )
    raise ProviderError(f"the revocation endpoint did not revoke the token: {said}")
