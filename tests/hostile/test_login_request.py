"""Section 2A: what login sends to the provider, whatever the browser sends to login."""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from .browser import FETCH, Browser

if TYPE_CHECKING:
    from .conftest import MakeSite
    from .provider import Provider

Visit = Callable[..., Browser]
UNRESERVED = set(string.ascii_letters + string.digits + "-._~")


def sent(address: str) -> dict[str, str]:
    """Return the authorization request's parameters, each of which must be there once."""
    pairs = parse_qsl(urlsplit(address).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_a_thousand_logins_have_nothing_in_common(visit: Visit) -> None:
    """RQ-01, RQ-02, RQ-03 (CVE-2022-31034)."""
    site = visit().site
    seen: dict[str, set[str]] = {"state": set(), "nonce": set(), "code_challenge": set()}
    for _ in range(1000):
        request = sent(visit(site).start("/"))
        for name, values in seen.items():
            values.add(request[name])
    assert [len(values) for values in seen.values()] == [1000] * 3
    assert all(22 <= len(state) < 256 for state in seen["state"])
    assert all(len(nonce) >= 22 for nonce in seen["nonce"])
    assert all(set(value) <= UNRESERVED for values in seen.values() for value in values)
    for values in seen.values():
        assert len({value[-12:] for value in values}) == 1000, "the end does not vary"


def test_the_verifier_is_long_and_never_used_twice(visit: Visit) -> None:
    """R9-02, BF-11, RQ-03, CF-S04."""
    browser = visit()
    verifiers = set()
    for _ in range(5):
        browser.sign_in()
        verifiers.add(dict(browser.provider.last("token").form)["code_verifier"])
    assert len(verifiers) == 5
    assert all(43 <= len(verifier) <= 128 for verifier in verifiers)
    assert all(set(verifier) <= UNRESERVED for verifier in verifiers)
    assert browser.provider.complaints == []


def test_nothing_a_browser_adds_to_login_reaches_the_provider(visit: Visit) -> None:
    """RQ-08, RQ-15 (CVE-2025-67716): our parameters are neither doubled nor overridden."""
    browser = visit()
    plain = sent(browser.get("/auth/login?next=/a").location)
    hostile = (
        "scope=evil&client_id=evil&redirect_uri=https://evil.example&prompt=login&state=evil"
        "&nonce=evil&code_challenge=evil&code_challenge_method=plain&response_type=token"
        "&request=evil&request_uri=evil&login_hint=evil%0D%0A&resource=evil&response_mode=fragment"
    )
    request = sent(browser.get(f"/auth/login?next=/a&{hostile}").location)
    assert request.keys() == plain.keys()
    fixed = plain.keys() - {"state", "nonce", "code_challenge"}
    assert {name: request[name] for name in fixed} == {name: plain[name] for name in fixed}
    assert "evil" not in request.values()


def test_return_path_cannot_carry_parameters_to_the_provider(visit: Visit) -> None:
    """RQ-08, RQ-09."""
    request = sent(visit().start("/a?scope=evil&client_id=evil#&redirect_uri=evil"))
    assert "evil" not in request.values()


def test_parameters_from_the_settings_are_sent(visit: Visit) -> None:
    """RQ-14."""
    params = json.dumps({"prompt": "login", "acr_values": "a b"})
    request = sent(visit(AUTHORIZATION_PARAMS=params).start())
    assert request["prompt"] == "login"
    assert request["acr_values"] == "a b"


@pytest.mark.parametrize(
    "forged",
    [
        {"host": "evil.example"},
        {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"},
        {"x-forwarded-host": "evil.example, site.example", "x-forwarded-port": "99999"},
        {"forwarded": 'host="evil.example:1@x";proto=javascript'},
        {"x-forwarded-prefix": "//evil.example", "x-forwarded-uri": "https://evil.example/"},
        {"x-original-url": "/private/x", "x-rewrite-url": "/public"},
        {"x-forwarded-proto": "http", "x-forwarded-for": "127.0.0.1"},
        {"host": ""},
    ],
)
def test_addresses_come_from_the_settings_and_never_from_the_request(
    forged: dict[str, str], visit: Visit
) -> None:
    """PX-01, PX-02, RQ-07, RD-12 (CVE-2026-40575)."""
    browser = visit()
    navigation = {"accept": "text/html", "sec-fetch-mode": "navigate"}
    begun = browser.request("GET", "/auth/login?next=/private/a", {**navigation, **forged})
    request = sent(begun.location)
    assert request["redirect_uri"] == "https://site.example/auth/callback"
    ended = browser.callback(browser.at_provider(begun.location))
    assert ended.location in ("/private/a", "https://site.example/private/a")
    for path in ("/private/page", "/auth/logout", "/auth/callback"):
        reply = browser.request("GET", path, {**navigation, **forged, "sec-fetch-site": "none"})
        assert "evil.example" not in f"{reply.headers!r}{reply.text}"


def test_login_redirects_safely(visit: Visit) -> None:
    """RQ-11."""
    reply = visit().get("/auth/login")
    assert reply.status in (302, 303)
    assert reply.get("cache-control") == "no-store"
    assert reply.get("referrer-policy") == "no-referrer"


@pytest.mark.parametrize(
    "headers",
    [
        FETCH,
        {"accept": "application/json"},
        {"accept": "text/html", "x-requested-with": "XMLHttpRequest"},
        {"accept": "image/*", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        {
            "accept": "text/html",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
            "sec-purpose": "prefetch;prerender",
        },
        {},
    ],
)
def test_a_request_that_cannot_sign_in_gets_401_and_no_cookie(
    headers: dict[str, str], visit: Visit
) -> None:
    """RQ-12, SS-07: a page's twenty images start no twenty sign-ins."""
    browser = visit()
    reply = browser.request("GET", "/private/page", headers)
    assert reply.status == 401
    assert not reply.all("set-cookie")
    assert "/auth/login" in reply.text
    assert reply.get("cache-control") == "no-store"
    assert browser.provider.asked == []


def test_login_cookies_do_not_pile_up(visit: Visit) -> None:
    """CB-24 (CVE-2021-22119): 500 sign-ins that nobody finishes, in one browser."""
    browser = visit()
    for number in range(500):
        browser.start(f"/private/{number}" + "x" * (number % 300))
        header = browser.jar.header("/auth/callback")
        assert len(browser.jar.cookies) <= 5
        assert len(header) <= 3_500
    assert browser.sign_in("/private/last").location.endswith("/private/last")


def test_secrets_with_odd_characters_reach_the_token_endpoint_whole(
    provider: Provider, make_site: MakeSite
) -> None:
    """TK-02, CF-B14: the client's secret has a colon, a per cent and a plus sign."""
    browser = Browser(make_site(), provider)
    browser.sign_in()
    assert browser.user() is not None
    assert provider.complaints == []
