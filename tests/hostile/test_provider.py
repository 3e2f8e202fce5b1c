"""The hostile provider is strict itself, or what it does not complain about would prove nothing."""

from __future__ import annotations

import base64
import http.client
import json
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlencode

import pytest

from .provider import CLIENT_ID, CLIENT_SECRET, Provider

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLBACK = "https://site.example/auth/callback"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
"""RFC 7636 appendix B."""


@pytest.fixture
def strict() -> Iterator[Provider]:
    """Run a provider that may complain."""
    with Provider() as provider:
        yield provider


def exchange(provider: Provider, **changes: str) -> int:
    """Send a right token request with these changes and return the answer's status."""
    code = provider.issue({"redirect_uri": CALLBACK, "code_challenge": CHALLENGE, "nonce": "n"})
    form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER, **changes}
    basic = f"{quote_plus(CLIENT_ID)}:{quote_plus(CLIENT_SECRET)}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(basic).decode()}"}
    return ask(provider, "POST", "/token", headers, urlencode(form))


def ask(
    provider: Provider, method: str, target: str, headers: dict[str, str], body: str = ""
) -> int:
    """Send one request and return the answer's status."""
    connection = http.client.HTTPConnection("127.0.0.1", provider.server.port, timeout=5)
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        json.loads(answer.read() or b"{}")
        return answer.status
    finally:
        connection.close()


def test_a_right_exchange_is_no_reason_to_complain(strict: Provider) -> None:
    assert exchange(strict) == 200
    assert strict.complaints == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"code": "unknown"}, "a code twice, or one that was never issued"),
        ({"code_verifier": "v" * 43}, "code_verifier"),
        ({"code_verifier": ""}, "code_verifier"),
        ({"redirect_uri": f"{CALLBACK}/"}, "redirect_uri"),
        ({"client_secret": CLIENT_SECRET}, "two client authentications"),
    ],
)
def test_a_wrong_exchange_is(changes: dict[str, str], complaint: str, strict: Provider) -> None:
    """CF-S03, CF-S04."""
    exchange(strict, **changes)
    assert strict.complaints == [complaint]


def test_a_token_in_a_query_and_a_cookie_are(strict: Provider) -> None:
    """CF-B15, TK-13."""
    assert ask(strict, "GET", "/userinfo?access_token=a", {"Cookie": "a=b"}) == 401
    assert strict.complaints == ["a token outside the header", "a cookie at the userinfo endpoint"]


def test_an_authorization_request_that_lacks_protection_is(strict: Provider) -> None:
    """CF-S02, RQ-01."""
    query = urlencode({"redirect_uri": f"{CALLBACK}#x", "state": "s", "scope": "profile"})
    ask(strict, "GET", f"/authorize?{query}&state=t", {})
    assert len(strict.complaints) == 9


def test_an_address_that_leads_nowhere_is_counted(strict: Provider) -> None:
    """JW-05: what must never be asked would be seen."""
    assert ask(strict, "GET", "/evil", {}) == 404
    assert strict.hits["evil"] == 1
