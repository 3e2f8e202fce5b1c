"""Request parameters: each at most once, from a query or a form."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import parse_qsl

from intastellar_auth.devprovider.errors import OAuthError

if TYPE_CHECKING:
    from starlette.requests import Request

Parameters: TypeAlias = dict[str, str]

_FORM: Final = "application/x-www-form-urlencoded"
_MAX_BYTES: Final = 64 * 1024
_MAX_FIELDS: Final = 100


def parse_parameters(text: str) -> Parameters:
    """Return the parameters in ``text``; those without a value count as absent.

    Raises ``OAuthError`` ``invalid_request`` for a parameter given twice (RFC 6749 section 3.1):
    two readers could pick different ones.
    """
    try:
        pairs = parse_qsl(text, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise OAuthError(
            "invalid_request", "the parameters are too many or not form-urlencoded"
        ) from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise OAuthError("invalid_request", "a parameter is given more than once")
    return parameters


async def read_form(request: Request) -> Parameters:
    """Return the form that ``request`` carries; raises ``OAuthError`` ``invalid_request``."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise OAuthError("invalid_request", f"Content-Type is not {_FORM}")
    return parse_parameters((await read_body(request)).decode("latin-1"))


async def read_body(request: Request) -> bytes:
    """Return the body; raises ``OAuthError`` ``invalid_request`` past 64 KiB."""
    body = bytearray()
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > _MAX_BYTES:
                raise OAuthError("invalid_request", "the body is too large", status=413)
    return bytes(body)


async def read_parameters(request: Request) -> Parameters:
    """Return the query of a ``GET``, the form of a ``POST`` (OpenID Connect Core 3.1.2.1)."""
    if request.method == "POST":
        return await read_form(request)
    return parse_parameters(request.scope["query_string"].decode("latin-1"))
