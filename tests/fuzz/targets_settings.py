"""Targets: the environment of the site's owner, which is not hostile but often mistaken."""

from __future__ import annotations

import json
import os
from functools import cache

from intastellar_auth.core.site import make_site
from intastellar_auth.errors import SettingsError
from intastellar_auth.setting_sources import PREFIX
from intastellar_auth.settings import Settings
from tests.flows.hand import Clock
from tests.oidc.forge import ISSUER

from .bench import no_randomness
from .target import target

_NAMES = sorted(Settings.model_fields)
_LEAST = {
    "issuer": ISSUER,
    "client_id": "client-1",
    "base_url": "https://site.example",
    "secret_keys": "a key of this site that is long enough to be one",
    "store_url": "memory://",
}
_VALUES: dict[str, str] = {
    **_LEAST,
    "authorization_params": json.dumps({"prompt": "login", "max_age": "60", "claims": {}}),
    "client_private_key": json.dumps({"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQ"}),
    "protected_paths": "/admin/*,*",
    "public_paths": "/public",
    "scope": "openid profile",
    "cookie_name": "__Host-name",
    "cookie_domain": "site.example",
    "claims": "name,email",
    "path_prefix": "/sign-in",
    "landing_path": "/start",
    "store_url": "redis://user:password-of-ours@host:6379/0?timeout=1",
    "token_endpoint": f"{ISSUER}/token",
    "session_lifetime": "3600",
    "http_timeout": "2.5",
    "keep_tokens": "true",
}
_SECRETS = ("client_secret", "client_private_key", "secret_keys", "store_url")


def _seeds() -> list[bytes]:
    return [bytes([_NAMES.index(name)]) + value.encode() for name, value in _VALUES.items()]


@cache
def _said_anyway() -> str:
    """Return what is shown of the least settings there can be."""
    return repr(Settings(_env_file=None, **_LEAST))


@target(_seeds, b"https://", b"http://", b"-----BEGIN PRIVATE KEY-----\n", b"*", b"/", b"..", b"1")
def settings(data: bytes) -> None:
    """ST-01: a setting is good, or named in one error that quotes no secret."""
    name = _NAMES[data[0] % len(_NAMES)] if data else _NAMES[0]
    # An environment holds no NUL.
    text = os.fsdecode(data[1:].replace(b"\0", b""))
    given = {f"{PREFIX}{key.upper()}": value for key, value in {**_LEAST, name: text}.items()}
    kept = dict(os.environ)
    os.environ.update(given)
    try:
        made = Settings(_env_file=None)
    except SettingsError as error:
        refused, said = True, error.detail
    else:
        make_site(made, clock=Clock(), token_bytes=no_randomness)
        refused, said = False, repr(made)
    finally:
        for key in given:
            os.environ.pop(key)
        os.environ.update({key: value for key, value in kept.items() if key in given})
    assert not refused or f"{PREFIX}{name.upper()}" in said
    # A shorter one may be a part of any word, and another setting may be the same text.
    shown = text in said and text not in _said_anyway()
    assert name not in _SECRETS or len(text) < 12 or not shown
