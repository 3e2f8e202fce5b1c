"""A sign-in under way: what it knows, and what it makes of a token."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.errors import TokenInvalid
from intastellar_auth.oidc.id_token import IdToken, KeyUnknown, read_id_token
from intastellar_auth.oidc.jose import ALGORITHMS

from .forge import ACCESS_TOKEN, CLIENT_ID, ISSUER, NONCE, NOW, claims, key_set, token

if TYPE_CHECKING:
    from intastellar_auth.oidc.json_object import Json
    from intastellar_auth.oidc.jwks import KeySet

LEEWAY = 60.0
ALGS = tuple(ALGORITHMS)


@dataclass(frozen=True)
class SignIn:
    """What the sign-in knows that a token is held against."""

    keys: KeySet = field(default_factory=key_set)
    issuer: str = ISSUER
    client_id: str = CLIENT_ID
    nonce: str = NONCE
    access_token: str = ACCESS_TOKEN
    allowed_algs: tuple[str, ...] = ALGS
    leeway: float = LEEWAY
    max_age: float | None = None
    acr_values: tuple[str, ...] = ()
    max_iat_age: float = 86_400.0

    def read(self, raw: str) -> IdToken:
        """Return ``raw`` if it is believed."""
        return read_id_token(
            raw,
            self.keys,
            issuer=self.issuer,
            client_id=self.client_id,
            nonce=self.nonce,
            access_token=self.access_token,
            allowed_algs=self.allowed_algs,
            now=NOW,
            leeway=self.leeway,
            max_age=self.max_age,
            acr_values=self.acr_values,
            max_iat_age=self.max_iat_age,
        )

    def refusal(self, raw: str) -> str:
        """Return why ``raw`` is refused; a missing key would be another answer."""
        with pytest.raises(TokenInvalid) as caught:
            self.read(raw)
        assert not isinstance(caught.value, KeyUnknown)
        return caught.value.detail


SIGN_IN = SignIn()


def refusal(**changes: Json) -> str:
    """Return why a well-signed token is refused whose claims have ``changes``."""
    return SIGN_IN.refusal(token(claims(**changes)))


def accepted(**changes: Json) -> bool:
    """Return whether such a token is believed."""
    return SIGN_IN.read(token(claims(**changes))).sub == "alice"
