"""Back-channel logout: the provider tells each client of the session (section 2)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import anyio
import httpx

if TYPE_CHECKING:
    from intastellar_auth.devprovider.clients import DevClient
    from intastellar_auth.devprovider.sessions import Session
    from intastellar_auth.devprovider.state import Provider

_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_TIMEOUT: Final = 5.0
_LIFETIME: Final = 120


def make_logout_token(provider: Provider, client: DevClient, session: Session) -> str:
    """Return the logout token (section 2.4): never a ``nonce``, so that it is no ID token."""
    now = int(provider.clock())
    return provider.keys.sign(
        {
            "iss": provider.issuer,
            "sub": session.sub,
            "aud": client.client_id,
            "iat": now,
            "exp": now + _LIFETIME,
            "jti": secrets.token_urlsafe(16),
            "sid": session.sid,
            "events": {_EVENT: {}},
        },
        client.id_token_signed_response_alg,
        typ="logout+jwt",
    )


async def end_session(provider: Provider, session: Session) -> None:
    """End ``session`` here, then tell every client that took part and wants to know.

    A client that does not answer within seconds is logged and left alone.
    """
    provider.sessions.end(session)
    provider.grants.end_session(session.sid)
    async with (
        httpx.AsyncClient(
            transport=provider.transport, timeout=_TIMEOUT, trust_env=False
        ) as sender,
        anyio.create_task_group() as together,
    ):
        for client_id in sorted(session.clients):
            client = provider.clients[client_id]
            if client.backchannel_logout_uri is not None:
                together.start_soon(
                    _tell, provider, sender, client, client.backchannel_logout_uri, session
                )


async def _tell(
    provider: Provider, sender: httpx.AsyncClient, client: DevClient, uri: str, session: Session
) -> None:
    form = {"logout_token": make_logout_token(provider, client, session)}
    try:
        answer = await sender.post(uri, data=form)
        outcome = "ok" if answer.status_code in {200, 204} else f"status_{answer.status_code}"
    except httpx.HTTPError:
        outcome = "unreachable"
    provider.log.write("backchannel_logout", client.client_id, outcome)
