"""Sections 2B, 2C, 2F and 2G: what else a provider, or whoever plays one, can send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from . import bad_callbacks, bad_discovery, bad_tokens
from .browser import Browser
from .cases import Case, claims, userinfo
from .provider import CLIENT_ID
from .verdicts import is_signed_in, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Log

CASES = bad_callbacks.CASES + bad_discovery.CASES + bad_tokens.CASES


@pytest.mark.parametrize("case", CASES, ids=[f"{case.ids}: {case.name}" for case in CASES])
def test_an_answer_of_the_provider_does_no_harm(
    case: Case, visit: Callable[..., Browser], log: Log
) -> None:
    """CB, DJ, TK and UI rows."""
    browser = visit(**case.settings)
    case.misbehave(browser.provider)
    judge(case.verdict, browser, log)


POSTED = (*bad_callbacks.CASES, bad_tokens.USERINFO[-1])


@pytest.mark.parametrize("case", POSTED, ids=[f"{case.ids}: {case.name}" for case in POSTED])
def test_a_posted_response_gets_the_same_verdict(
    case: Case, visit: Callable[..., Browser], log: Log
) -> None:
    """CF-F01, CF-F02: the login cookie survives the cross-site POST, the verdicts stay."""
    browser = visit(RESPONSE_MODE="form_post", **case.settings)
    case.misbehave(browser.provider)
    judge(case.verdict, browser, log, Browser.callback_by_post)


def test_userinfo_cannot_overwrite_what_the_id_token_says(visit: Callable[..., Browser]) -> None:
    """UI-03."""
    browser = visit(CLAIMS="name,sid,auth_time,acr,amr,aud,azp")
    signed = {"sid": "signed", "acr": "signed", "amr": ["signed"], "azp": CLIENT_ID}
    claims(lambda given: {**given, **signed})(browser.provider)
    evil = dict.fromkeys((*signed, "iss", "aud"), "evil")
    userinfo(exp=1, auth_time=1, name="Bob", **evil)(browser.provider)
    browser.sign_in()
    seen = json.loads(browser.get("/private/page").text)
    assert (seen["iss"], seen["sub"]) == (browser.provider.issuer, "alice")
    assert seen["claims"]["name"] == "Bob"
    assert seen["claims"]["auth_time"] > 1
    assert "evil" not in str(seen["claims"])


def test_claims_of_userinfo_and_of_the_id_token_reach_the_app(
    visit: Callable[..., Browser],
) -> None:
    """CF-B13, CF-D10: name comes from userinfo alone, email from the ID token alone."""
    browser = visit()
    is_signed_in(browser, browser.sign_in(), "alice")
    seen = json.loads(browser.get("/private/page").text)["claims"]
    assert seen["name"] == "Alice"
    assert seen["email"] == "alice@site.example"
    assert browser.provider.last("userinfo").headers["authorization"].startswith("Bearer ")


def test_a_cookie_that_the_provider_sets_goes_nowhere(visit: Callable[..., Browser]) -> None:
    """TK-13: all users share the HTTP client, so it must not keep what one of them was given."""
    browser = visit()
    for endpoint in ("discovery", "token", "jwks", "userinfo"):
        browser.provider.script.answers[endpoint] = lambda given: type(given)(
            200, given.body, (*given.headers, ("Set-Cookie", "spy=alice; Path=/"))
        )
    browser.sign_in()
    other = visit(browser.site)
    is_signed_in(other, other.sign_in(), "alice")
    assert not [asked for _, asked in browser.provider.asked if "cookie" in asked.headers]


def test_a_code_stolen_from_another_attempt_does_not_sign_in(
    visit: Callable[..., Browser], log: Log
) -> None:
    """CB-19: even at a provider that ignores PKCE the nonce gives the injected code away."""
    victim, attacker = visit(), visit()
    provider = victim.provider
    provider.script.checks_pkce = False
    provider.sub = "victim"
    stolen = dict(victim.at_provider(victim.start()))["code"]
    own = dict(attacker.at_provider(attacker.start()))
    reply = attacker.callback(tuple({**own, "code": stolen}.items()))
    assert reply.status >= 400
    assert attacker.user() is None
    assert provider.hits["userinfo"] == 0
    assert log.ours()


def test_a_huge_picture_does_not_go_into_the_cookie(visit: Callable[..., Browser]) -> None:
    """UI-10, CK-14: the jar refuses a cookie that a browser would not keep."""
    browser = visit()
    userinfo(picture="data:image/png;base64," + "A" * 8_000)(browser.provider)
    browser.sign_in()
    assert len(browser.jar.header("/")) < 4096 * 4
