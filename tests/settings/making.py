"""The least settings that work, and ways to make more of them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from intastellar_auth.errors import SettingsError
from intastellar_auth.setting_sources import variable
from intastellar_auth.settings import Settings

KEY = "kV3xTq8LZr1mYb6NpWc4Hs9JdFg2Ae7U"
OTHER_KEY = "Zr1mYb6NpWc4Hs9JdFg2Ae7UkV3xTq8L"
PEM = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    .decode()
)
LEAST: dict[str, object] = {
    "issuer": "https://id.example.com",
    "client_id": "my-site",
    "base_url": "https://www.example.com",
    "secret_keys": KEY,
}
HTTP = {"base_url": "http://localhost:8000"}
NO_ISSUER: dict[str, object] = {
    "issuer": None,
    "scope": "profile",
    "authorization_endpoint": "https://id.example.com:443/authorize",
    "token_endpoint": "https://id.example.com/token",
    "userinfo_endpoint": "https://id.example.com/userinfo",
}


def made(**values: object) -> Settings:
    """Return the least settings that work, with ``values`` instead or besides."""
    return Settings(_env_file=".env", **{**LEAST, **values})


def problems(**values: object) -> str:
    """Return the text of the error that ``made`` raises."""
    with pytest.raises(SettingsError) as caught:
        made(**values)
    return caught.value.detail


def set_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the least settings that work into the environment."""
    for name, value in LEAST.items():
        monkeypatch.setenv(variable(name), str(value))
