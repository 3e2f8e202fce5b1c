"""What is refused before the provider starts."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from intastellar_auth.devprovider import DevClient, create_provider
from tests.devprovider.harness import CALLBACK, PUBLIC


@pytest.mark.parametrize(
    "issuer",
    [
        "https://accounts.example",
        "http://0.0.0.0:9000",
        "http://192.168.0.2:9000",
        "http://localhost.example:9000",
        "ftp://localhost",
        "http://localhost:9000/",
        "http://localhost:9000/oidc",
        "http://localhost:9000?a=b",
        "http://user@localhost:9000",
        "localhost:9000",
    ],
)
def test_only_a_loopback_issuer_is_served(issuer: str) -> None:
    with pytest.raises(ValueError, match="issuer: "):
        create_provider(issuer, [PUBLIC])


@pytest.mark.parametrize(
    "issuer",
    ["http://127.0.0.1:9000", "http://[::1]:9000", "http://idp.localhost", "https://localhost"],
)
def test_every_loopback_issuer_is_served(issuer: str) -> None:
    assert create_provider(issuer, [PUBLIC]).state.provider.issuer == issuer


def p384() -> str:
    key = generate_private_key(SECP384R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    "registration",
    [
        {"client_id": ""},
        {"redirect_uris": ()},
        {"redirect_uris": ("/auth/callback",)},
        {"redirect_uris": (f"{CALLBACK}#part",)},
        {"redirect_uris": ("javascript:alert(1)",)},
        {"post_logout_redirect_uris": ("site.example",)},
        {"backchannel_logout_uri": "site.example"},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"client_secret": "s", "token_endpoint_auth_method": "none"},
        {"public_key": p384()},
        {"public_key": "not a key"},
    ],
)
def test_a_registration_that_contradicts_itself_is_refused(
    registration: dict[str, object],
) -> None:
    good: dict[str, object] = {"client_id": "c", "redirect_uris": (CALLBACK,)}
    with pytest.raises(ValueError, match=r".+"):
        DevClient(**(good | registration))  # type: ignore[arg-type] # wrong on purpose
