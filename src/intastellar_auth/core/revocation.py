"""Take tokens back at the provider, so that nobody can use what a session has left behind."""

from __future__ import annotations

import logging

from intastellar_auth import log
from intastellar_auth.core.effects import Flow, fetch
from intastellar_auth.core.seal import to_text
from intastellar_auth.core.site import Site
from intastellar_auth.core.tokens import Kept
from intastellar_auth.errors import AuthError
from intastellar_auth.oidc.revocation import build_revocation_request, read_revocation_answer


def revoke(site: Site, tokens: Kept) -> Flow[None]:
    """Revoke ``tokens`` where the provider can (RFC 7009); never raises an error.

    With a refresh token goes the access token, at most providers (section 2.1).
    """
    try:
        metadata = yield from site.provider.metadata()
        endpoint = metadata.revocation_endpoint
        if endpoint is None:
            return
        refresh_token = tokens.refresh_token
        answer = yield from fetch(
            build_revocation_request(
                endpoint,
                site.client(metadata),
                token=refresh_token or tokens.access_token,
                token_type_hint="refresh_token" if refresh_token else "access_token",
                audience=metadata.issuer or endpoint,
                now=site.clock(),
                jti=to_text(site.token_bytes(16)),
            )
        )
        read_revocation_answer(answer)
    except AuthError as error:
        log.event(logging.WARNING, "tokens_not_revoked", {"detail": error.detail})
