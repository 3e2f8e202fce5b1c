"""Orders from a test: faults, the log, a logout, a clean slate. All under ``/_dev/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from starlette.responses import JSONResponse, Response

from intastellar_auth.devprovider.backchannel import end_session
from intastellar_auth.devprovider.errors import OAuthError
from intastellar_auth.devprovider.faults import FAULTS
from intastellar_auth.devprovider.parameters import read_body
from intastellar_auth.devprovider.state import provider_of

if TYPE_CHECKING:
    from starlette.requests import Request


class _Fault(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    times: int = 1
    seconds: float = 3.0


class _SignOut(msgspec.Struct, forbid_unknown_fields=True):
    sub: str


async def _json(request: Request) -> bytes:
    """Return the body of a JSON request. No other site's form can send that type (CSRF)."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise OAuthError("invalid_request", "Content-Type is not application/json")
    return await read_body(request)


async def order_fault(request: Request) -> Response:
    """Order a fault: ``{"name": "token_500", "times": 1}``."""
    try:
        order = msgspec.json.decode(await _json(request), type=_Fault)
        provider_of(request).faults.order(order.name, order.times, seconds=order.seconds)
    except (msgspec.DecodeError, ValueError) as problem:
        raise OAuthError("invalid_request", str(problem)) from None
    return JSONResponse({"ordered": order.name, "times": order.times})


async def list_faults(_request: Request) -> Response:
    """Tell which faults there are and what they do."""
    return JSONResponse(FAULTS)


async def sign_out_everywhere(request: Request) -> Response:
    """End every session of a user, as an administrator would: ``{"sub": "alice"}``."""
    provider = provider_of(request)
    try:
        order = msgspec.json.decode(await _json(request), type=_SignOut)
    except msgspec.DecodeError as problem:
        raise OAuthError("invalid_request", str(problem)) from None
    sessions = provider.sessions.of(order.sub)
    for session in sessions:
        await end_session(provider, session)
    return JSONResponse({"ended": len(sessions)})


async def show_log(request: Request) -> Response:
    """Tell what happened so far."""
    log = provider_of(request).log
    return JSONResponse({"counts": log.counts, "events": log.events})


async def reset(request: Request) -> Response:
    """Forget everything but clients, users and keys."""
    await _json(request)
    provider_of(request).reset()
    return JSONResponse({"reset": True})
