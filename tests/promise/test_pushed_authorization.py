"""A pushed request, and keys that change, at providers that hold the client to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm

from intastellar_auth.cli import main
from tests.support.browser import Browser
from tests.support.provider import certified_for, costs
from tests.support.server import free_port
from tests.support.site import Client, site
from tests.support.stage import stage

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

By: TypeAlias = Literal["strict", "certified"]
PROVIDERS = ["strict", "certified"]
CLIENTS = {"confidential": Client(), "public": Client(secret=None)}
PUSHING: dict[str, Any] = {"PUSHED_AUTHORIZATION_REQUESTS": "true"}
RESOURCE = "https://api.example/"


def begin(browser: Browser, url: str) -> httpx.Response:
    """Ask for ``url``; return the redirect to the provider."""
    login = browser.go(url)
    return browser.go(urljoin(url, login.headers["location"]))


def carried(begun: httpx.Response) -> set[str]:
    """Return the names of the parameters that the browser carries to the provider."""
    return set(parse_qs(urlsplit(begun.headers["location"]).query))


def finish(browser: Browser, begun: httpx.Response) -> httpx.Response:
    """Sign in as alice at the provider; return the page where that ends."""
    return browser.follow(browser.go(browser.until_callback(begun)))


@pytest.mark.parametrize("by", PROVIDERS)
@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_a_pushed_request_signs_in(by: By, client: Client, tmp_path: Path) -> None:
    """PA-01, PA-04, CF-S06, CF-S07: each time with a reference of its own."""
    with stage(tmp_path, by=by, client=client, **PUSHING) as here:
        for user_is_known in (False, True):
            target = f"{here.url}/members/{user_is_known}"
            with Browser() as browser, costs(here.provider, token_requests=1):
                begun = begin(browser, target)
                assert carried(begun) == {"client_id", "request_uri"}
                assert begun.headers["location"].startswith(f"{here.provider.issuer}/")
                page = finish(browser, begun)
            assert str(page.url) == target
            assert "<h1>Hello alice</h1>" in page.text


@pytest.mark.parametrize("by", PROVIDERS)
def test_a_silent_sign_in_asks_where_it_must_and_only_there(by: By, tmp_path: Path) -> None:
    """RQ-13, PA-04: at providers that redeem a reference once."""
    with stage(tmp_path, by=by, **PUSHING) as here, Browser() as browser:
        silent = f"{here.url}/auth/login?next=/members&prompt=none"
        first = browser.follow(browser.go(silent))
        assert urlsplit(str(first.url)).netloc == urlsplit(here.provider.issuer).netloc
        page = browser.follow(browser.go(browser.until_callback(first)))
        assert str(page.url) == f"{here.url}/members"
        browser.lose(*(one.name for one in browser.cookies() if one.domain == "127.0.0.1"))
        assert browser.user(here.url) is None
        again = browser.follow(browser.go(silent))
        assert str(again.url) == f"{here.url}/members"
        assert browser.user(here.url) == "alice"


def test_a_provider_that_refuses_what_is_pushed_is_a_page(tmp_path: Path) -> None:
    """PA-02: nothing of it goes into the open."""
    with stage(tmp_path, SCOPE="openid unknown", **PUSHING) as here, Browser() as browser:
        page = browser.go(f"{here.url}/auth/login?next=/members")
        assert page.status_code == 502
        assert "location" not in page.headers
        assert "scope" not in page.text
        assert "invalid_scope" in here.site.server.log()


def test_a_token_is_for_the_resource_that_is_named(tmp_path: Path) -> None:
    """RFC 8707, at a provider that checks it in both requests."""
    named = json.dumps({"resource": RESOURCE, "claims": {"id_token": {}}})
    with (
        stage(tmp_path, by="certified", AUTHORIZATION_PARAMS=named, CLAIMS="") as here,
        Browser() as browser,
    ):
        begun = begin(browser, f"{here.url}/members")
        assert parse_qs(urlsplit(begun.headers["location"]).query)["resource"] == [RESOURCE]
        assert "<h1>Hello alice</h1>" in finish(browser, begun).text


def private_jwk(kid: str) -> dict[str, str]:
    """Return a fresh private key."""
    key = ECAlgorithm.to_jwk(generate_private_key(SECP256R1()), as_dict=True)
    return {**key, "kid": kid}


def test_a_client_s_keys_change_without_a_sign_in_that_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """PJ-06, PJ-07: what the command prints is registered, then either key may sign."""
    old, new = private_jwk("old"), private_jwk("new")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTASTELLAR_CLIENT_PRIVATE_KEY", json.dumps({"keys": [old, new]}))
    assert main(["jwks"]) == 0
    monkeypatch.delenv("INTASTELLAR_CLIENT_PRIVATE_KEY")
    port, client = free_port(), Client(secret=None)
    registration = {
        "client_id": client.client_id,
        "redirect_uris": [f"http://127.0.0.1:{port}/auth/callback"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "require_pushed_authorization_requests": True,
        "jwks": json.loads(capsys.readouterr().out),
    }
    with certified_for(tmp_path, registration) as provider:
        for number, keys in enumerate([[old, new], [new, old], [new]]):
            with (
                site(
                    tmp_path / str(number),
                    port=port,
                    issuer=provider.issuer,
                    client=client,
                    CLIENT_PRIVATE_KEY=json.dumps({"keys": keys}),
                    **PUSHING,
                ) as running,
                Browser() as browser,
                costs(provider, token_requests=1),
            ):
                begun = begin(browser, f"{running.url}/members")
                assert carried(begun) == {"client_id", "request_uri"}
                assert "<h1>Hello alice</h1>" in finish(browser, begun).text
