"""Every request to an endpoint leaves one event in the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.types import ASGIApp

from intastellar_auth.devprovider.errors import OAuthError
from intastellar_auth.devprovider.state import provider_of
from intastellar_auth.devprovider.web import json_refusal

Handler: TypeAlias = Callable[[Request], Awaitable[ASGIApp]]


def note(request: Request, *, client_id: str | None = None, outcome: str | None = None) -> None:
    """Say what the event of ``request`` is to tell: a registered client, and how it went."""
    if client_id is not None:
        request.state.client_id = client_id
    if outcome is not None:
        request.state.outcome = outcome


def recorded(endpoint: str, handler: Handler) -> Handler:
    """Return ``handler`` with its requests logged and its refusals answered as JSON."""

    async def record(request: Request) -> ASGIApp:
        request.state.client_id = None
        request.state.outcome = "ok"
        answer: ASGIApp
        try:
            answer = await handler(request)
        except OAuthError as refusal:
            note(request, outcome=refusal.error)
            answer = json_refusal(refusal)
        provider_of(request).log.write(endpoint, request.state.client_id, request.state.outcome)
        return answer

    return record
