"""The providers that the tests sign in with: the certified one and the package's own strict one.

Both are reached as ``localhost``, while the site is at ``127.0.0.1``: to a browser they are two
different sites, as they are in real life.
"""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import RSAAlgorithm

from tests.support.server import TESTS, free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.site import Client


class Provider(Protocol):
    """What the tests of the promise ask of any provider."""

    @property
    def issuer(self) -> str:
        """Its issuer identifier."""

    def token_requests(self) -> int:
        """Return how many requests the token endpoint has had."""

    def revoked(self) -> int:
        """Return how often it revoked what it had given because a code came twice."""

    def slow(self, seconds: float) -> None:
        """Let the next token request take this long."""

    def refuse(self, times: int) -> None:
        """Let the token endpoint refuse the next codes, this many times."""

    def shorten(self, seconds: float) -> None:
        """Let the next access token end after this long."""


@contextmanager
def costs(provider: Provider, token_requests: int) -> Iterator[None]:
    """Check that the block makes this many token requests, and has nothing revoked."""
    before, revoked = provider.token_requests(), provider.revoked()
    yield
    assert provider.token_requests() - before == token_requests
    assert provider.revoked() == revoked


@dataclass(frozen=True, slots=True)
class Certified:
    """npm ``oidc-provider``, running."""

    issuer: str

    def count(self, name: str) -> int:
        """Return how often ``name`` (a key of ``GET /_log``) has happened."""
        return int(httpx.get(f"{self.issuer}/_log", trust_env=False).json()[name])

    def token_requests(self) -> int:
        """Return how many requests the token endpoint has had."""
        return self.count("token_requests")

    def revoked(self) -> int:
        """Return how many grants were revoked because a code came twice."""
        return self.count("grant_revoked")

    def slow(self, seconds: float) -> None:
        """Let the next token request take this long."""
        self.behave(slow_next_ms=round(seconds * 1000))

    def refuse(self, times: int) -> None:
        """Let the token endpoint refuse the next codes, this many times."""
        self.behave(refuse_codes=times)

    def shorten(self, seconds: float) -> None:
        """Let the next access token end after this long."""
        self.behave(short_next_s=seconds)

    def pause_before_return(self, *, pause: bool) -> None:
        """Stop at a page with a button of its own before the browser goes back to the site."""
        self.behave(continue_page=pause)

    def behave(self, **manners: object) -> None:
        """Change how it behaves, by the names that ``provider.mjs`` gives its manners."""
        httpx.post(f"{self.issuer}/_manners", json=manners, trust_env=False).raise_for_status()


@cache
def signing_key() -> dict[str, object]:
    """Return a private key as a JWK (RFC 7517), one for all providers of a test run."""
    key = RSAAlgorithm.to_jwk(generate_private_key(65537, 2048), as_dict=True)
    # The provider would publish "sign" with the public key, which can only verify (section 4.3).
    del key["key_ops"]
    return {**key, "use": "sig", "kid": "test", "alg": "RS256"}


@contextmanager
def certified(folder: Path, site_url: str, client: Client) -> Iterator[Certified]:
    """Run the certified provider, which knows ``client``, until the block is left."""
    registration = {
        "client_id": client.client_id,
        "redirect_uris": [f"{site_url}/auth/callback"],
        "post_logout_redirect_uris": [f"{site_url}/"],
    } | (
        {"client_secret": client.secret}
        if client.secret
        else {"token_endpoint_auth_method": "none"}
    )
    with certified_for(folder, registration) as provider:
        yield provider


@contextmanager
def certified_for(folder: Path, registration: Mapping[str, object]) -> Iterator[Certified]:
    """Run the certified provider with one client, registered as ``registration`` says."""
    port = free_port()
    issuer = f"http://localhost:{port}"
    node = shutil.which("node")
    assert node, "these tests need Node.js: scripts/test sets it up"
    configuration = json.dumps(
        {"port": port, "issuer": issuer, "clients": [registration], "key": signing_key()}
    )
    script = TESTS / "certified" / "provider.mjs"
    with running([node, script, configuration], port=port, folder=folder):
        yield Certified(issuer)


@dataclass(frozen=True, slots=True)
class Strict:
    """The package's own development provider, running."""

    issuer: str

    def token_requests(self) -> int:
        """Return how many requests the token endpoint has had."""
        return self._count("token_requests")

    def revoked(self) -> int:
        """Return how many grants were revoked because a code came twice."""
        return self._count("grants_revoked")

    def slow(self, seconds: float, times: int = 1) -> None:
        """Let the next token requests take this long each; they are acted on at once."""
        self._order(name="token_slow", seconds=seconds, times=times)

    def used_twice(self) -> int:
        """Return how often a code or a refresh token came that had been used."""
        return self._count("code_reuses") + self._count("refresh_reuses")

    def unheard(self) -> int:
        """Return how many clients hung up over their token request."""
        return self._count("answers_unheard")

    def refuse(self, times: int) -> None:
        """Let the token endpoint refuse the next codes, this many times."""
        self._order(name="token_invalid_grant", times=times)

    def shorten(self, seconds: float) -> None:
        """Let the next access token end after this long."""
        self._order(name="short_access_token", seconds=seconds)

    def drop(self) -> None:
        """Let the next token request be acted on, and its answer be cut off."""
        self._order(name="token_drop_connection")

    def _count(self, name: str) -> int:
        return int(httpx.get(f"{self.issuer}/_dev/log", trust_env=False).json()["counts"][name])

    def _order(self, **fault: object) -> None:
        answer = httpx.post(f"{self.issuer}/_dev/faults", json=fault, trust_env=False)
        answer.raise_for_status()


@contextmanager
def strict(folder: Path, site_url: str, client: Client) -> Iterator[Strict]:
    """Run the development provider, which knows ``client``, until the block is left."""
    port = free_port()
    command = [sys.executable, "-m", "intastellar_auth", "devprovider"]
    command += ["--host", "localhost", "--port", str(port), "--client-id", client.client_id]
    command += ["--client-secret", client.secret] if client.secret else []
    command += ["--redirect-uri", f"{site_url}/auth/callback"]
    command += ["--post-logout-redirect-uri", f"{site_url}/"]
    with running(command, port=port, folder=folder):
        yield Strict(f"http://localhost:{port}")
