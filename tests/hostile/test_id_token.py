"""Sections 2D and 2E: an ID token is believed only if every part of it deserves it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from . import bad_claims, bad_jose, bad_keys
from .cases import Case, Verdict, id_token
from .jose import Json, jws, main_key, rsa_key
from .verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from .browser import Browser
    from .conftest import Log

CASES = bad_claims.CASES + bad_jose.CASES + bad_keys.CASES


@pytest.mark.parametrize("case", CASES, ids=[f"{case.ids}: {case.name}" for case in CASES])
def test_an_id_token_is_accepted_only_when_all_of_it_is_right(
    case: Case, visit: Callable[..., Browser], log: Log
) -> None:
    """CF-B, CF-P, CF-D, ID-01 to ID-25, JW-01 to JW-23."""
    browser = visit(**case.settings)
    case.misbehave(browser.provider)
    judge(case.verdict, browser, log)
    if case.verdict is Verdict.REJECT:
        assert browser.provider.hits["userinfo"] == 0


def test_a_refused_id_token_is_refused_again_without_another_token_request(
    visit: Callable[..., Browser], log: Log
) -> None:
    """ID-25: the attempt cannot be used again, and the code is not sent twice."""
    browser = visit()
    browser.provider.script.claims = lambda given: {**given, "nonce": "another"}
    response = browser.at_provider(browser.start())
    browser.callback(response)
    browser.provider.script.claims = dict
    browser.callback(response)
    assert browser.user() is None
    assert browser.provider.hits["token"] == 1
    assert log.ours()


def test_a_bad_signature_a_bad_encoding_and_an_unknown_key_look_alike(
    visit: Callable[..., Browser],
) -> None:
    """HL-08, JW-20: the answer tells an attacker nothing about how far a forgery got."""

    def broken(given: Json) -> str:
        return jws(given, main_key())[:-1] + "="

    def forged(given: Json) -> str:
        return jws(given, rsa_key("attacker"), {"alg": "RS256", "kid": "main"})

    def unknown(given: Json) -> str:
        return jws(given, rsa_key("attacker"))

    answers = set()
    for forge in (broken, forged, unknown):
        browser = visit()
        id_token(forge)(browser.provider)
        reply = browser.sign_in()
        answers.add((reply.status, reply.text.partition("eference")[0]))
    assert len(answers) == 1


@pytest.mark.parametrize("said", [True, False, None, "true", "false", 1, "yes", [True]])
def test_an_email_counts_as_verified_only_when_the_provider_says_so_with_a_boolean(
    said: object, visit: Callable[..., Browser]
) -> None:
    """ID-23 (CVE-2025-65431, CVE-2023-3128): the word "false" would be true in an ``if``."""
    browser = visit()
    browser.provider.script.claims = lambda given: {**given, "email_verified": said}
    browser.sign_in()
    seen = json.loads(browser.get("/private/page").text)
    assert seen["claims"]["email"] == "alice@site.example"
    assert bool(seen["claims"].get("email_verified")) is (said is True)
