"""What flows are made of, each with the least that it needs."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, TypeVar, cast
from unittest.mock import patch

from intastellar_auth.core.attempt import Attempts
from intastellar_auth.core.cookies import CookieAttributes
from intastellar_auth.core.in_cookie import InCookie
from intastellar_auth.core.seal import Sealer, make_sealer
from intastellar_auth.core.session import Session, Sessions, roll_after
from intastellar_auth.core.site import Site, make_site
from intastellar_auth.settings import Settings
from intastellar_auth.user import pack_claims

if TYPE_CHECKING:
    from collections.abc import Iterable

    from intastellar_auth.core.effects import Flow

T = TypeVar("T")

KEY = b"kV3xTq8LZr1mYb6NpWc4Hs9JdFg2Ae7U"
OTHER_KEY = b"Zr1mYb6NpWc4Hs9JdFg2Ae7UkV3xTq8L"
NAME = "__Host-site"
LOGIN_PREFIX = "__Host-site-login-"
NOW = 1_700_000_000.0
LIFETIME = 7200.0
IDLE = 600.0
TIMEOUT = 1800.0
WINDOW = 120.0


def sealer(*binding: str, keys: Iterable[bytes] = (KEY,)) -> Sealer:
    """Return a sealer for ``binding``."""
    return make_sealer(list(keys), binding or ("purpose",), secrets.token_bytes)


def result(flow: Flow[T]) -> T:
    """Return what ``flow`` returns, which asks for nothing."""
    try:
        effect = next(flow)
    except StopIteration as stop:
        return cast("T", stop.value)
    raise AssertionError(f"the flow asks for {effect}")


def session(claims: dict[str, object] | None = None, **values: object) -> Session:
    """Return a session that was made at ``NOW``, with ``values`` instead or besides."""
    least: dict[str, object] = {
        "id": "an-id-of-a-session",
        "sub": "alice",
        "iss": "https://id.example.com",
        "created": NOW,
        "rolled": NOW,
        "claims": pack_claims(claims or {}),
    }
    return Session(**{**least, **values})  # type: ignore[arg-type]  # the test gives the right ones


def sessions(
    *, name: str = NAME, seals: Sealer | None = None, attributes: CookieAttributes | None = None
) -> Sessions:
    """Return how a site keeps sessions: two hours at most, ten minutes without a request."""
    return Sessions(
        name=name,
        attributes=attributes or CookieAttributes(),
        keeper=InCookie(seals or sealer("session", name)),
        lifetime=LIFETIME,
        idle=IDLE,
        roll_after=roll_after(IDLE),
    )


def attempts(*, prefix: str = LOGIN_PREFIX, site: str = "https://id.example.com") -> Attempts:
    """Return how a site keeps attempts."""
    return Attempts(
        prefix=prefix,
        attributes=CookieAttributes(),
        cookie_sealer=sealer("login", prefix, site),
        state_sealer=sealer("state", "", site),
        token_bytes=secrets.token_bytes,
        timeout=TIMEOUT,
        window=WINDOW,
    )


def make_settings(**values: object) -> Settings:
    """Return the least settings that work, as if nothing else were on the machine."""
    least: dict[str, object] = {
        "issuer": "https://id.example.com",
        "client_id": "my-site",
        "base_url": "https://www.example.com",
        "secret_keys": KEY.decode(),
    }
    with patch.dict(os.environ, clear=True):
        return Settings(_env_file=None, **{**least, **values})


def site(**values: object) -> Site:
    """Return a site of these settings, where it is always ``NOW``."""
    return make_site(make_settings(**values), clock=lambda: NOW)
