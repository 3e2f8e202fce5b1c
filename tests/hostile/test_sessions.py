"""Section 3B: whose session it is, and that an error never makes one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.errors import SettingsError

from .browser import FETCH, NAVIGATION, Browser
from .cases import claim, userinfo
from .jar import Cookie
from .provider import Provider
from .site import SESSION_COOKIE, environment, pages, protected, running
from .verdicts import is_safe_page, is_signed_in, sets_no_session

if TYPE_CHECKING:
    from pathlib import Path

    from anyio.from_thread import BlockingPortal

    from .conftest import Log, MakeSite

Visit = Callable[..., Browser]


def test_a_planted_session_is_replaced_and_nothing_of_it_survives(visit: Visit) -> None:
    """CS-01, CB-21 (CVE-2021-41246): the victim signs in over the attacker's cookie."""
    attacker = visit()
    claim("groups", ["planted"])(attacker.provider)
    attacker.provider.sub = "mallory"
    attacker.sign_in()
    planted = attacker.jar.named(SESSION_COOKIE)
    victim = visit(attacker.site)
    victim.jar.cookies.update(attacker.jar.cookies)
    attacker.provider.script.claims = dict
    attacker.provider.sub = "alice"
    is_signed_in(victim, victim.sign_in(), "alice")
    assert victim.jar.named(SESSION_COOKIE) != planted
    assert "planted" not in victim.get("/private/page").text
    user = attacker.user()
    assert user is None or user["sub"] == "mallory"


def test_another_user_s_sign_in_takes_over_whole(visit: Visit) -> None:
    """CB-21: and the logout that follows ends the second user's session."""
    browser = visit()
    browser.sign_in()
    browser.provider.sub = "bob"
    is_signed_in(browser, browser.sign_in(), "bob")
    assert "alice" not in browser.get("/private/page").text
    browser.get("/auth/logout")
    assert browser.user() is None


def test_a_response_in_another_browser_signs_nobody_in(visit: Visit, log: Log) -> None:
    """R9-01, CB-03, CS-02, P7 (CVE-2025-68158, CVE-2026-41425).

    The attacker's code does nothing.
    """
    attacker = visit()
    response = attacker.at_provider(attacker.start())
    victim = visit(attacker.site)
    reply = victim.callback(response)
    sets_no_session(reply)
    assert victim.user() is None
    assert attacker.provider.hits["token"] == 0
    assert log.records
    victim.start()
    victim.callback(response)
    assert victim.user() is None
    assert attacker.provider.hits["token"] == 0


def test_the_login_cookie_of_one_attempt_cannot_finish_another(visit: Visit) -> None:
    """CB-26: two tabs of one browser, their cookies exchanged."""
    browser = visit()
    responses = [browser.at_provider(browser.start()) for _ in range(2)]
    (one, first), (two, second) = browser.jar.cookies.items()
    browser.jar.cookies[one] = Cookie(first.name, second.value, first.attributes)
    browser.jar.cookies[two] = Cookie(second.name, first.value, second.attributes)
    for response in responses:
        sets_no_session(browser.callback(response))
    assert browser.user() is None
    assert browser.provider.hits["token"] == 0


def test_a_response_in_another_browser_leaves_its_session_alone(visit: Visit) -> None:
    """CB-03: a victim who is signed in stays who they are."""
    attacker = visit()
    victim = visit(attacker.site)
    victim.sign_in()
    attacker.provider.sub = "mallory"
    victim.callback(attacker.at_provider(attacker.start()))
    user = victim.user()
    assert user is not None
    assert user["sub"] == "alice"


def test_a_sign_in_begun_at_one_issuer_cannot_end_at_another(
    visit: Visit, portal: BlockingPortal, log: Log
) -> None:
    """CB-25, RQ-06, R9-04 (CVE-2026-73419): the same keys, another provider."""
    browser = visit()
    response = browser.at_provider(browser.start())
    with Provider() as other, running(portal, other) as site:
        stranger = Browser(site, other)
        log.browsers.append(stranger)
        stranger.jar.cookies.update(browser.jar.cookies)
        for iss in (browser.provider.issuer, other.issuer):
            stranger.callback(tuple({**dict(response), "iss": iss}.items()))
            assert stranger.user() is None
        assert other.hits["token"] == 0
        assert browser.provider.hits["token"] == 0
    browser.sign_in()
    with Provider() as other, running(portal, other) as site:
        stranger = Browser(site, other)
        stranger.jar.cookies.update(browser.jar.cookies)
        assert stranger.user() is None


def test_a_sign_in_begun_by_one_client_cannot_end_at_another(
    visit: Visit, make_site: MakeSite, log: Log
) -> None:
    """CB-25: the same keys and issuer, another client_id."""
    browser = visit()
    response = browser.at_provider(browser.start())
    stranger = Browser(make_site(CLIENT_ID="another-client"), browser.provider)
    log.browsers.append(stranger)
    stranger.jar.cookies.update(browser.jar.cookies)
    stranger.callback(response)
    assert stranger.user() is None
    assert browser.provider.hits["token"] == 0


def test_a_preflight_is_not_a_visitor(visit: Visit) -> None:
    """CS-08, PX-04: the app behind a protected path does not even see it."""
    browser = visit()
    headers = {**FETCH, "origin": "https://evil.example", "access-control-request-method": "POST"}
    reply = browser.request("OPTIONS", "/private/page", headers)
    assert "signed_in" not in reply.text
    assert not any(name.startswith(b"access-control") for name, _ in reply.headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PROPFIND", "X"])
def test_a_protected_path_is_protected_under_every_method(method: str, visit: Visit) -> None:
    """PX-04, CS-04: and a form that was posted too late is not kept for later."""
    browser = visit()
    reply = browser.request(method, "/private/page", NAVIGATION, b"card=4111")
    assert reply.status in (303, 401, 405)
    assert "signed_in" not in reply.text
    assert "4111" not in f"{reply.headers!r}{reply.text}"


@pytest.mark.parametrize(
    "path",
    [
        "/admin",
        "/public/../admin",
        "/public/..%2fadmin",
        "/public%2f..%2fadmin",
        "/public/%2e%2e/admin",
        "/public%23/../admin",
        "/x?y=/public/",
        "//public/x",
        "/public\\..\\admin",
        "/publicity",
        "/PUBLIC/x",
        "/x/public/",
        "/public/%252e%252e/%2e%2e/admin",
        "/public;/../admin",
        "/public/./../admin",
    ],
)
def test_a_public_path_is_the_path_the_app_sees(path: str, visit: Visit) -> None:
    """PX-03 (CVE-2025-54576, CVE-2026-41059): everything else stays protected."""
    browser = visit(PROTECTED_PATHS="*", PUBLIC_PATHS="/public/*")
    assert browser.get("/public/page").status == 200
    headers = {**FETCH, "user-agent": "GoogleHC/1.0", "x-middleware-subrequest": "1"}
    reply = browser.request("GET", path, headers)
    assert reply.status == 401, reply.text


@pytest.mark.parametrize(
    "path",
    ["/private/page", "/%70rivate/page", "/private%2fpage", "/private/../private/x", "/private/"],
)
def test_an_encoded_path_is_as_protected_as_a_plain_one(path: str, visit: Visit) -> None:
    """PX-03."""
    reply = visit().request("GET", path, FETCH)
    assert reply.status == 401


def test_a_broken_store_signs_nobody_in(visit: Visit, tmp_path: Path, log: Log) -> None:
    """CS-11, BL-20 (CVE-2026-73421): fail closed, with a page."""
    browser = visit(STORE_URL=f"sqlite:///{tmp_path}/store.db")
    response = browser.at_provider(browser.start())
    (tmp_path / "store.db").write_bytes(b"this is no database" * 500)
    reply = browser.callback(response)
    is_safe_page(reply, log)
    sets_no_session(reply)
    assert browser.user() is None
    assert browser.request("GET", "/private/page", FETCH).status == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"ISSUER": "http://issuer.example"},
        {"ISSUER": "https://issuer.example?x=y"},
        {"ISSUER": "https://issuer.example#x"},
        {"ISSUER": "https://user:pass@issuer.example"},
        {"ISSUER": "javascript:alert(1)"},
        {"BASE_URL": "http://site.example"},
        {"BASE_URL": "https://site.example/?x=y"},
        {"SECRET_KEYS": "too short"},
        {"SECRET_KEYS": ""},
        {"COOKIE_NAME": "a;b"},
        {"COOKIE_NAME": "a\r\nb"},
        {"COOKIE_DOMAIN": "site.example; Path=/x"},
        {"SESSION_MODE": "both"},
        {"HTTP_TIMEOUT": "0"},
        {"CLOCK_SKEW": "-1"},
        {"AUTHORIZATION_PARAMS": '{"state": "mine"}'},
        {"AUTHORIZATION_PARAMS": "[]"},
        {"RESPONSE_MODE": "fragment"},
        {"CLIENT_ID": ""},
        {"PROTECTED_PATH": "/typo/*"},
    ],
    ids=str,
)
def test_a_setting_that_makes_no_sense_stops_the_start(
    wrong: dict[str, str], provider: Provider
) -> None:
    """R9-11, DJ-03, CK-13, CK-18, IM-04, RQ-08.

    And the message names the variable, not the secret.
    """
    with pytest.raises(SettingsError) as refused:
        protected(pages, environment(provider, **wrong))
    assert next(iter(wrong)) in refused.value.detail
    assert "too short" not in refused.value.detail


def test_an_issuer_with_a_path_is_found(portal: BlockingPortal, log: Log) -> None:
    """DJ-02: the well-known path follows the issuer's, with one slash."""
    for path in ("/tenant/one", "/tenant/one/"):
        with Provider(path) as provider, running(portal, provider) as site:
            browser = Browser(site, provider)
            log.browsers.append(browser)
            is_signed_in(browser, browser.sign_in(), "alice")


def test_a_claim_cannot_make_a_header_or_a_second_user(visit: Visit) -> None:
    """HL-01, HL-02, IM-05: odd claims reach the app as they are or not at all."""
    browser = visit()
    odd = "Alice\r\nSet-Cookie: a=b\0\u2028, bob"
    for name in ("name", "email", "preferred_username", "picture"):
        userinfo(**{name: odd})(browser.provider)
        browser.sign_in()
        seen = json.loads(browser.get("/private/page").text)
        assert seen["sub"] == "alice"
        assert seen["claims"].get(name) in (None, odd, "alice@site.example")
