"""Logout tokens for the tests, good ones and forgeries (Back-Channel Logout section 2.4)."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from intastellar_auth.oidc.logout_token import EVENT

from .forge import CLIENT_ID, ISSUER, NOW, token

if TYPE_CHECKING:
    from intastellar_auth.oidc.json_object import Json

SID = "08a5019c-17e1-4977-8f42-65a12843ea02"
_numbers = count()


def logout_claims(**changes: Json) -> dict[str, Json]:
    """Return the claims of a good logout token, with ``changes``; a change to ``None`` removes.

    Each has a ``jti`` of its own.
    """
    good: dict[str, Json] = {
        "iss": ISSUER,
        "sub": "alice",
        "aud": CLIENT_ID,
        "iat": NOW,
        "exp": NOW + 120,
        "jti": f"jti-{next(_numbers)}",
        "sid": SID,
        "events": {EVENT: {}},
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def logout_token(**changes: Json) -> str:
    """Return a well-signed logout token whose claims have ``changes``."""
    header: dict[str, Json] = {"alg": "RS256", "kid": "main", "typ": "logout+jwt"}
    return token(logout_claims(**changes), header)
