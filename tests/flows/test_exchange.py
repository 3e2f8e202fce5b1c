"""From a code to a session: what is sent, and which failure starts the sign-in again."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.errors import AnswerInvalid, ProviderTimeout, ProviderUnreachable
from intastellar_auth.oidc.json_object import Json
from tests.oidc.forge import ACCESS_TOKEN, answer, jwk, token

from .hand import Said
from .stage import (
    CODE,
    JWKS,
    TOKEN,
    USERINFO,
    Stage,
    asked_of_provider,
    location,
    make_stage,
    text,
    token_answer,
)

LOST: dict[str, Said] = {
    "400 invalid_grant": answer({"error": "invalid_grant"}, status=400),
    "401 with another name": answer({"error": "code_spent"}, status=401),
    "403 without a body": Answer(403, "", b""),
    "200 with an error": answer({"error": "invalid_grant"}),
    "500 invalid_grant": answer({"error": "invalid_grant"}, status=500),
    "no answer in time": ProviderTimeout("accounts.example: it may have acted on the request"),
}
"""P9: the code is gone, or may be; only a new one helps."""

USELESS: dict[str, Said] = {
    "client refused": answer({"error": "invalid_client"}, status=401),
    "in trouble": answer({}, status=500),
    "too many requests": answer({}, status=429),
    "a redirect": Answer(302, "text/html", b""),
    "not JSON": Answer(200, "application/json", b"<html>"),
    "a page": Answer(200, "text/html", b"<html>"),
    "too large": AnswerInvalid("accounts.example: the answer is larger than 1048576 bytes"),
    "no access token": answer({"token_type": "Bearer"}),
    "no ID token": answer({"token_type": "Bearer", "access_token": ACCESS_TOKEN}),
    "an unknown token type": answer({"token_type": "mac", "access_token": ACCESS_TOKEN}),
    "garbage for an ID token": token_answer({}, id_token="a.b.c"),
}
"""A new code would meet with the same."""


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def test_the_code_is_sent_with_the_verifier_of_its_attempt_and_the_same_redirect_uri(
    stage: Stage,
) -> None:
    """TK-01, CF-S03."""
    stage.sign_in()
    (request,) = stage.hand.fetched(TOKEN)
    sent = dict(parse_qsl((request.body or b"").decode(), strict_parsing=True))
    assert request.method == "POST"
    assert sent.pop("code_verifier")
    assert sent == {
        "grant_type": "authorization_code",
        "code": CODE,
        "redirect_uri": "https://site.example/auth/callback",
    }


@pytest.mark.parametrize("said", LOST.values(), ids=LOST)
def test_a_lost_code_starts_the_sign_in_again_and_is_never_sent_twice(
    stage: Stage, said: Said
) -> None:
    """P9."""
    callback = stage.begin("/page?a=1")
    stage.hand.say(TOKEN, said)
    first = stage.go(callback)
    assert asked_of_provider(first)["state"] != asked_of_provider(stage.go(callback))["state"]
    assert len(stage.hand.fetched(TOKEN)) == 1
    stage.hand.say(TOKEN, stage.redeem)
    assert location(stage.go(stage.approve(first, "code-2", {}))) == "/page?a=1"


@pytest.mark.parametrize("said", LOST.values(), ids=LOST)
def test_a_second_loss_is_a_page(stage: Stage, said: Said) -> None:
    """P8, P9: by itself, but only once."""
    callback = stage.begin()
    stage.hand.say(TOKEN, said)
    second = stage.go(stage.approve(stage.go(callback), "code-2", {}))
    assert second.status in (502, 503)
    assert "Sign in again" in text(second)
    assert not stage.browser.signed_in


@pytest.mark.parametrize("said", USELESS.values(), ids=USELESS)
def test_what_a_new_code_would_not_mend_is_a_page_at_once(stage: Stage, said: Said) -> None:
    callback = stage.begin()
    stage.hand.say(TOKEN, said)
    first, again = stage.go(callback), stage.go(callback)
    assert first.status == again.status == 502
    assert text(first) == text(again)
    assert len(stage.hand.fetched(TOKEN)) == 1
    assert not stage.browser.signed_in


def test_a_refused_client_is_an_error_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    callback = stage.begin()
    stage.hand.say(TOKEN, USELESS["client refused"])
    stage.go(callback)
    (record,) = (one for one in caplog.records if "client_refused" in one.getMessage())
    assert record.levelname == "ERROR"


def test_a_request_that_never_left_may_be_sent_by_the_same_callback(stage: Stage) -> None:
    """P9: the code is as good as before."""
    callback = stage.begin()
    stage.hand.say(TOKEN, ProviderUnreachable("accounts.example: nothing was sent"), stage.redeem)
    assert stage.go(callback).status == 503
    stage.hand.clock.now += 1.0
    assert location(stage.go(callback)) == "/page"
    assert stage.browser.signed_in


def test_a_code_refused_once_is_not_sent_by_another_process_either(stage: Stage) -> None:
    callback = stage.begin()
    stage.hand.say(TOKEN, LOST["400 invalid_grant"])
    stage.go(callback)
    stage.other_process().go(callback)
    assert len(stage.hand.fetched(TOKEN)) == 1


def test_a_key_that_is_new_is_fetched_once(stage: Stage) -> None:
    """CF-C05: the keys rotate between the first look and the signature."""
    callback = stage.begin()
    granted = stage.grants[CODE]
    stage.hand.say(JWKS, answer({"keys": [jwk()]}), answer({"keys": [jwk("RS256", "next")]}))
    stage.hand.say(TOKEN, token_answer({}, id_token=token(granted, name="next")))
    assert location(stage.go(callback)) == "/page"
    assert len(stage.hand.fetched(JWKS)) == 2


def test_a_key_that_nobody_has_is_looked_for_once(stage: Stage) -> None:
    """DJ-10."""
    callback = stage.begin()
    granted = stage.grants[CODE]
    stage.hand.say(TOKEN, token_answer({}, id_token=token(granted, name="theirs")))
    assert stage.go(callback).status == 502
    assert len(stage.hand.fetched(JWKS)) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "another client"},
        {"nonce": "of another attempt"},
        {"nonce": None},
        {"exp": 1},
        {"sub": None},
        {"events": {}},
    ],
    ids="-".join,
)
def test_a_token_that_fails_a_check_signs_nobody_in_and_asks_nothing_more(
    stage: Stage, changes: dict[str, Json]
) -> None:
    """CF-B02, CF-B03, CF-B04, CF-B12, ID-25: the access token that came along is not used."""
    reply = stage.go(stage.approve(stage.go("/auth/login"), CODE, changes))
    assert reply.status == 502
    assert not stage.browser.signed_in
    assert stage.hand.fetched(USERINFO) == []


def test_max_age_is_held_against_the_token() -> None:
    """RQ-14."""
    stage = make_stage(authorization_params='{"max_age": 60}')
    now = stage.hand.clock.now
    assert stage.sign_in(auth_time=now - 3600).status == 502
    assert location(stage.sign_in(code="code-2", auth_time=now)) == "/page"


def test_where_the_provider_names_no_algorithms_those_we_know_are_taken() -> None:
    stage = make_stage(
        authorization_endpoint="https://accounts.example/authorize",
        token_endpoint=TOKEN,
        jwks_uri=JWKS,
    )
    assert location(stage.sign_in()) == "/page"
    fetched = [one.url for one in stage.hand.done if isinstance(one, Fetch)]
    assert fetched == [JWKS, TOKEN]
