"""A provider in process, a browser to sign in with, and a client that can do each step wrong."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import httpx
import jwt

from intastellar_auth.devprovider import (
    DEFAULT_USERS,
    DevClient,
    DevUser,
    Provider,
    create_provider,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jwt.types import Options
    from starlette.applications import Starlette

ISSUER = "http://127.0.0.1:9000"
SITE = "http://127.0.0.1:8000"
CALLBACK = f"{SITE}/auth/callback"
VERIFIER = "v" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)

PUBLIC = DevClient(
    "public",
    (CALLBACK, f"{CALLBACK}?tenant=1"),
    post_logout_redirect_uris=(f"{SITE}/auth/logout",),
)
SECRET = DevClient("confidential", (CALLBACK,), "s3cret: %+/&=")


class Clock:
    """Seconds since the epoch, as the test wants them."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Rig:
    """One provider and one browser."""

    def __init__(
        self,
        *clients: DevClient,
        users: Sequence[DevUser] = DEFAULT_USERS,
        scopes: Sequence[str] = (),
    ) -> None:
        self.clock = Clock()
        self.app: Starlette = create_provider(
            ISSUER, clients or (PUBLIC, SECRET), users, self.clock, scopes=scopes
        )
        provider = self.app.state.provider
        assert isinstance(provider, Provider)
        self.provider = provider
        self.http = self.browser()

    def browser(self) -> httpx.AsyncClient:
        """Return another browser."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=ISSUER)

    async def authorize(self, **changes: str | None) -> httpx.Response:
        """Ask for a code as ``public`` does; ``changes`` replace parameters, ``None`` drops one."""
        return await self.http.get("/authorize", params=asked(**changes))

    async def choose(self, page: httpx.Response, **choice: str) -> httpx.Response:
        """Press a button of the page, by default the one that signs in ``alice``."""
        assert page.status_code == 200, page.text
        form = hidden(page.text) | (choice or {"login": "alice"})
        return await self.http.post("/sign-in", data=form)

    async def sign_in(self, login: str = "alice", **changes: str | None) -> dict[str, str]:
        """Return the parameters of the authorization response."""
        page = await self.authorize(**changes)
        return response_of(await self.choose(page, login=login))

    async def redeem(self, code: str, **changes: str | None) -> httpx.Response:
        """Send ``code`` to the token endpoint as ``public`` does."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "client_id": "public",
        }
        return await self.http.post("/token", data=dropped(form, changes))

    async def tokens(self, login: str = "alice", **changes: str | None) -> dict[str, str]:
        """Sign in and return the token response."""
        answer = await self.redeem((await self.sign_in(login, **changes))["code"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def refresh(self, refresh_token: str, **changes: str | None) -> httpx.Response:
        """Send ``refresh_token`` as ``public`` does."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": "public",
        }
        return await self.http.post("/token", data=dropped(form, changes))

    async def userinfo(self, access_token: str) -> httpx.Response:
        """Ask who the token is about."""
        return await self.http.get("/userinfo", headers={"authorization": f"Bearer {access_token}"})

    async def claims(self, id_token: str) -> dict[str, object]:
        """Return the claims of ``id_token`` after its signature was checked with the key set."""
        keys = {key["kid"]: key for key in (await self.http.get("/jwks")).json()["keys"]}
        header = jwt.get_unverified_header(id_token)
        # The clock of the tests is not the system's.
        loose: Options = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
        claims: dict[str, object] = jwt.decode(
            id_token, jwt.PyJWK(keys[header["kid"]]), [header["alg"]], loose
        )
        return claims


def asked(**changes: str | None) -> dict[str, str]:
    """Return the parameters of a good authorization request, but for ``changes``."""
    good = {
        "client_id": "public",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid profile email",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return dropped(good, changes)


def dropped(good: dict[str, str], changes: dict[str, str | None]) -> dict[str, str]:
    """Return ``good`` with ``changes``, without what they make ``None``."""
    return {name: value for name, value in (good | changes).items() if value is not None}


def hidden(html: str) -> dict[str, str]:
    """Return the hidden fields of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', html)
    return {unescape(name): unescape(value) for name, value in found}


def response_of(answer: httpx.Response) -> dict[str, str]:
    """Return the parameters that a redirect carries."""
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))
