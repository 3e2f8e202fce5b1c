"""Be signed in, in the tests of a site, without a provider.

::

    os.environ.update(make_environment())       # before the app is imported

    def test_members_are_greeted() -> None:
        cookies = session_cookies(Settings(), "alice", claims={"name": "Alice Example"})
        assert TestClient(app, cookies=cookies).get("/members").text == "Hello Alice Example"

The cookies are real: the app's own middleware opens them, and cannot tell them from those of a
sign-in. So they do for any client and for a browser. They take the secret keys of the site: what is
here is of no use to a stranger.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from math import inf
from typing import Final

from intastellar_auth.access import Scopes, each_scope
from intastellar_auth.core.session import Session
from intastellar_auth.core.site import make_site
from intastellar_auth.core.tokens import Kept
from intastellar_auth.drive.blocking import Outside
from intastellar_auth.settings import Settings
from intastellar_auth.stores import open_store
from intastellar_auth.user import pack_claims

__all__ = ["ISSUER", "make_environment", "make_settings", "session_cookies"]

ISSUER: Final = "https://id.example.invalid"
"""The issuer of ``make_settings``. No such host can exist (RFC 6761 section 6.4)."""


def make_settings(**values: object) -> Settings:
    """Return settings for tests, with ``values`` instead or besides, named as in ``Settings``.

    The site is at ``http://127.0.0.1:8000``, its store is memory, and its provider is nowhere: a
    sign-in starts and a logout ends without a call to it. No ``.env`` is read; a variable that is
    set counts for what is not given here. Raises ``SettingsError``.
    """
    return Settings(_env_file=None, **{**_least(), **values})


def make_environment(**values: str) -> dict[str, str]:
    """Return the same as variables, for an app that reads its settings when it is imported.

    The secret key is another one each time: one that is published would open every site where it
    was left.
    """
    return {f"INTASTELLAR_{name.upper()}": value for name, value in (_least() | values).items()}


def session_cookies(
    settings: Settings,
    sub: str = "alice",
    *,
    claims: Mapping[str, object] | None = None,
    scopes: Scopes = (),
    access_token: str | None = None,
    auth_time: float | None = None,
) -> dict[str, str]:
    """Return the cookies, by name, of a browser in which ``sub`` has just signed in.

    ``settings`` are those of the app; ``auth_time`` is when the provider last asked who it is, in
    seconds since the epoch, where it says. Raises ``ValueError`` for what no session of that app
    can have, ``SessionTooLarge`` for more than fits into cookies, and with ``SESSION_MODE=server``
    ``StoreUnavailable``.
    """
    claims = claims or {}
    _check(settings, claims, access_token)
    now, site, granted = time.time(), make_site(settings), each_scope(scopes)
    session = Session(
        id=secrets.token_urlsafe(),
        sub=sub,
        iss=settings.issuer_or_origin,
        created=now,
        rolled=now,
        scopes=granted,
        claims=pack_claims(claims),
        auth_time=auth_time,
        began=now,
        tokens=None if access_token is None else Kept(access_token, None, granted, inf, inf),
    )
    if settings.session_mode == "server":
        store = open_store(settings.store_url.get_secret_value())
        Outside(store, settings.http_timeout).run(site.sessions.begin(session, now))
        store.close()
    set_cookies = site.sessions.set_cookies(session, b"", now)
    pairs = (text.partition(";")[0].partition("=") for text in set_cookies)
    return {name: value for name, _, value in pairs}


def _least() -> dict[str, str]:
    return {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/jwks",
        "client_id": "tests",
        "base_url": "http://127.0.0.1:8000",
        "secret_keys": secrets.token_urlsafe(32),
        "store_url": "memory://",
        "idp_logout": "false",
    }


def _check(settings: Settings, claims: Mapping[str, object], access_token: str | None) -> None:
    """A test of what cannot happen on the site proves nothing."""
    strange = [name for name in claims if name not in settings.claims]
    if strange:
        raise ValueError(
            f"claims: no session of this app has {', '.join(strange)}: "
            "add it to INTASTELLAR_CLAIMS, or leave it out"
        )
    if access_token is not None and not settings.keep_tokens:
        raise ValueError(
            "access_token: no session of this app has one: "
            "set INTASTELLAR_KEEP_TOKENS to true, or leave it out"
        )
    if settings.session_mode == "server" and settings.store_url.get_secret_value() == "memory://":
        raise ValueError(
            "settings: INTASTELLAR_SESSION_MODE=server keeps sessions in the store, and the app "
            "alone sees its memory: set INTASTELLAR_STORE_URL to sqlite:///absolute/path"
        )
