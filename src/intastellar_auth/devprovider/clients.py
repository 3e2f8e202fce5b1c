"""The relying parties that the provider knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

SECRET_METHODS: Final = frozenset({"client_secret_basic", "client_secret_post"})
AUTH_METHODS: Final = SECRET_METHODS | {"private_key_jwt", "none"}


@dataclass(frozen=True, slots=True)
class DevClient:
    """A registered client (OpenID Connect Dynamic Registration section 2 has the names).

    With neither ``client_secret`` nor ``public_key`` it is a public client. ``public_key`` is PEM
    and checks ``private_key_jwt``. Without ``token_endpoint_auth_method`` a client with a secret
    may send it either way. ``claims_in_id_token`` puts the claims of the scopes into the ID token
    too; by default they come from userinfo alone (OpenID Connect Core section 5.4).

    Raises ``ValueError`` for a registration that contradicts itself.
    """

    client_id: str
    redirect_uris: tuple[str, ...]
    client_secret: str | None = field(default=None, repr=False)
    public_key: str | None = field(default=None, repr=False)
    token_endpoint_auth_method: str | None = None
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    id_token_signed_response_alg: Literal["RS256", "ES256"] = "RS256"  # noqa: S105 - a name
    require_pushed_authorization_requests: bool = False
    claims_in_id_token: bool = False

    def __post_init__(self) -> None:
        """Refuse a registration that could only fail later, with less to see."""
        if not self.client_id or not self.redirect_uris:
            raise ValueError("client_id, redirect_uris: a client needs both")
        addresses = (*self.redirect_uris, *self.post_logout_redirect_uris)
        for uri in (*addresses, *filter(None, [self.backchannel_logout_uri])):
            _check_address(uri)
        if not self.auth_methods:
            raise ValueError(
                f"token_endpoint_auth_method: {self.token_endpoint_auth_method!r} does not fit"
                f" client {self.client_id!r}. A client_secret goes with client_secret_basic or"
                " client_secret_post, a public_key with private_key_jwt, neither with none"
            )
        if self.public_key is not None:
            assertion_algorithms(self.public_key)

    @property
    def auth_methods(self) -> frozenset[str]:
        """The ways in which it may authenticate at the token endpoint."""
        if self.public_key is not None:
            possible = frozenset({"private_key_jwt"})
        elif self.client_secret is not None:
            possible = SECRET_METHODS
        else:
            possible = frozenset({"none"})
        if self.token_endpoint_auth_method is None:
            return possible
        return possible & {self.token_endpoint_auth_method}


def assertion_algorithms(public_key: str) -> list[str]:
    """Return the algorithms that fit ``public_key`` (PEM): never the ones the assertion claims.

    Raises ``ValueError`` for a key of another kind.
    """
    key = load_pem_public_key(public_key.encode())
    if isinstance(key, RSAPublicKey):
        return ["RS256", "PS256"]
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return ["ES256"]
    raise ValueError("public_key: neither an RSA key nor one on the curve P-256")


def _check_address(uri: str) -> None:
    """RFC 6749 section 3.1.2: absolute, and without a fragment."""
    parts = urlsplit(uri)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "#" in uri:
        raise ValueError(f"{uri!r}: not an absolute http(s) address without a fragment")
