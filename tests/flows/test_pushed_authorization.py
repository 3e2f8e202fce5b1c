"""A sign-in whose request is pushed: what the browser carries, and when nothing is sent at all."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlencode

import pytest

from intastellar_auth.core.effects import Answer
from intastellar_auth.errors import AnswerInvalid, ProviderTimeout, ProviderUnreachable
from tests.oidc.forge import CLIENT_ID, ISSUER, answer, claims

from .stage import (
    CODE,
    DISCOVERY,
    DOCUMENT,
    TOKEN,
    Stage,
    asked_of_provider,
    header,
    location,
    make_stage,
    query,
    set_cookies,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intastellar_auth.core.messages import Reply
    from intastellar_auth.oidc.json_object import Json

    from .hand import Said

PAR = f"{ISSUER}/par"
REQUEST_URI = "urn:ietf:params:oauth:request_uri:1"
ENDPOINT: dict[str, Json] = {"pushed_authorization_request_endpoint": PAR}
REQUIRED: dict[str, Json] = {"require_pushed_authorization_requests": True}
PUSHED: Said = answer({"request_uri": REQUEST_URI, "expires_in": 60}, status=201)
PUSHING = {"pushed_authorization_requests": True}


def pushing_stage(announced: Mapping[str, Json] = ENDPOINT, /, **values: object) -> Stage:
    """Return a stage whose provider announces these, and takes what is pushed."""
    stage = make_stage(**values)
    stage.hand.say(DISCOVERY, answer({**DOCUMENT, **announced}))
    stage.hand.say(PAR, PUSHED)
    return stage


def pushed(stage: Stage) -> dict[str, str]:
    """Return the last request that was pushed, each parameter of which comes once."""
    request = stage.hand.fetched(PAR)[-1]
    pairs = parse_qsl((request.body or b"").decode(), strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def approve(stage: Stage) -> str:
    """Return the callback for the request that was pushed last."""
    asked = pushed(stage)
    stage.grants[CODE] = claims(nonce=asked["nonce"])
    return f"/auth/callback?{urlencode({'code': CODE, 'state': asked['state']})}"


WAYS = {
    "the endpoint is set": ({}, {"pushed_authorization_request_endpoint": PAR}),
    "the provider requires it": ({**ENDPOINT, **REQUIRED}, {}),
    "it is wanted": (ENDPOINT, PUSHING),
    "all of them": (
        {"pushed_authorization_request_endpoint": f"{ISSUER}/old", **REQUIRED},
        {"pushed_authorization_request_endpoint": PAR, **PUSHING},
    ),
}


@pytest.mark.parametrize(("announced", "values"), WAYS.values(), ids=WAYS)
def test_the_browser_carries_a_reference_and_all_else_is_pushed(
    announced: dict[str, Json], values: dict[str, object]
) -> None:
    """PA-01, CF-S06, CF-S07."""
    stage = pushing_stage(announced, **values)
    reply = stage.go("/auth/login?next=/page")
    assert location(reply).startswith(f"{ISSUER}/authorize?")
    assert query(location(reply)) == {"client_id": CLIENT_ID, "request_uri": REQUEST_URI}
    asked = pushed(stage)
    random = {"state", "nonce", "code_challenge"}
    assert {name: asked[name] for name in asked.keys() - random} == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": "https://site.example/auth/callback",
        "scope": "openid profile email",
        "code_challenge_method": "S256",
    }
    (request,) = stage.hand.fetched(PAR)
    assert dict(request.headers)["authorization"].startswith("Basic ")
    assert location(stage.go(approve(stage))) == "/page"
    assert stage.browser.signed_in


def test_a_provider_that_only_can_is_not_asked_to() -> None:
    stage = pushing_stage()
    assert asked_of_provider(stage.go("/auth/login"))["state"]
    assert stage.hand.fetched(PAR) == []


def test_each_sign_in_is_pushed_anew() -> None:
    """PA-04."""
    stage = pushing_stage(**PUSHING)
    stage.go("/auth/login")
    stage.go("/auth/login")
    assert len(stage.hand.fetched(PAR)) == 2
    assert len({request.body for request in stage.hand.fetched(PAR)}) == 2


def test_what_is_wished_for_and_set_is_pushed_too() -> None:
    stage = pushing_stage(
        **PUSHING,
        authorization_params={"resource": ["urn:a", "urn:b"], "claims": {"id_token": {}}},
        response_mode="form_post",
    )
    stage.go("/auth/login?login_hint=alice%26x&ui_locales=da&prompt=none")
    form = parse_qs((stage.hand.fetched(PAR)[0].body or b"").decode())
    assert form["resource"] == ["urn:a", "urn:b"]
    assert form["claims"] == ['{"id_token":{}}']
    assert form["login_hint"] == ["alice&x"]
    assert form["ui_locales"] == ["da"]
    assert form["prompt"] == ["none"]
    assert form["response_mode"] == ["form_post"]


def test_a_sign_in_that_starts_again_by_itself_is_pushed_again() -> None:
    """RQ-13, P9: silent at first, then not; and where a code was refused."""
    stage = pushing_stage(**PUSHING)
    stage.go("/auth/login?next=/page&prompt=none")
    state = pushed(stage)["state"]
    again = stage.go(f"/auth/callback?error=login_required&state={state}")
    assert query(location(again)).keys() == {"client_id", "request_uri"}
    assert "prompt" not in pushed(stage)
    assert location(stage.go(approve(stage))) == "/page"


def test_without_discovery_the_endpoint_of_the_settings_is_pushed_to() -> None:
    """As Intastellar documents its clients: the secret in the body."""
    stage = pushing_stage(
        issuer=None,
        scope="profile",
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=TOKEN,
        userinfo_endpoint=f"{ISSUER}/userinfo",
        pushed_authorization_request_endpoint=PAR,
    )
    assert query(location(stage.go("/auth/login"))).keys() == {"client_id", "request_uri"}
    assert pushed(stage)["client_secret"] == "the secret of this client"
    assert stage.hand.fetched(DISCOVERY) == []


NOWHERE = {
    "it is wanted": ({}, PUSHING, "INTASTELLAR_PUSHED_AUTHORIZATION_REQUESTS is true"),
    "the provider requires it": (REQUIRED, {}, "the provider requires pushed"),
}


@pytest.mark.parametrize(("announced", "values", "because"), NOWHERE.values(), ids=NOWHERE)
def test_with_nowhere_to_push_to_nothing_is_sent(
    announced: dict[str, Json],
    values: dict[str, object],
    because: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """PA-02: no fallback to a request in the open; the log says which setting mends it."""
    reply = pushing_stage(announced, **values).go("/auth/login?next=/page")
    assert_safe_page(reply, 502)
    (record,) = (one for one in caplog.records if "event=refused" in one.getMessage())
    assert because in record.getMessage()
    assert "set INTASTELLAR_PUSHED_AUTHORIZATION_REQUEST_ENDPOINT" in record.getMessage()


def assert_safe_page(reply: Reply, status: int) -> None:
    """Check for a page that leads nowhere but to another try, and for no attempt."""
    assert reply.status == status
    assert "location" not in dict(reply.headers)
    assert set_cookies(reply) == {}
    assert "/auth/login?next=/page" in text(reply)


DOWN: dict[str, tuple[Said, int, str]] = {
    "unreachable": (ProviderUnreachable("accounts.example: refused"), 503, "unreachable"),
    "slow": (ProviderTimeout("accounts.example: no answer within 10 s"), 503, "timeout"),
    "too large": (AnswerInvalid("accounts.example: larger than 1048576 bytes"), 502, "error"),
    "busy": (answer({}, status=429), 503, "provider_busy"),
    "in trouble": (answer({"error": "server_error"}, status=500), 503, "provider_busy"),
    "a refusal": (
        answer({"error": "invalid_request", "error_description": "hunter2<b>"}, status=400),
        *(502, "provider_error"),
    ),
    "another client": (
        answer({"error": "invalid_client", "error_description": "hunter2<b>"}, status=401),
        *(502, "client_refused"),
    ),
    "a redirect": (Answer(302, "text/html", b""), 502, "provider_error"),
    "a page": (Answer(200, "text/html", b"<html>"), 502, "provider_error"),
    "no reference": (answer({"expires_in": 60}, status=201), 502, "provider_error"),
    "line breaks": (answer({"request_uri": "urn:\r\n"}, status=201), 502, "provider_error"),
}


@pytest.mark.parametrize(("said", "status", "code"), DOWN.values(), ids=DOWN)
def test_a_request_that_cannot_be_pushed_is_a_page_and_no_attempt(
    said: Said, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    """PA-02, PA-05: what the provider says of it is in the log alone."""
    stage = pushing_stage(**PUSHING)
    stage.hand.say(PAR, said)
    reply = stage.go("/auth/login?next=/page")
    assert_safe_page(reply, status)
    assert "hunter2" not in text(reply)
    (record,) = (one for one in caplog.records if "event=refused" in one.getMessage())
    assert code in record.getMessage()
    assert ("hunter2" in record.getMessage()) is ("hunter2" in repr(getattr(said, "body", b"")))
    stage.hand.say(PAR, PUSHED)
    assert location(stage.go("/auth/login?next=/page"))


def test_a_restart_that_cannot_be_pushed_is_a_page_that_leads_back() -> None:
    """P8, PA-02."""
    stage = pushing_stage(**PUSHING)
    stage.go("/auth/login?next=/page&prompt=none")
    callback = f"/auth/callback?error=login_required&state={pushed(stage)['state']}"
    stage.hand.say(PAR, answer({}, status=503))
    reply = stage.go(callback)
    assert_safe_page(reply, 503)
    assert header(reply, "retry-after") == "5"
    stage.hand.say(PAR, PUSHED)
    assert query(location(stage.go(callback))).keys() == {"client_id", "request_uri"}


@pytest.mark.parametrize(
    "endpoint", ["http://accounts.example/par", "https://10.0.0.1/par", "https://a@b.example/", 7]
)
def test_an_endpoint_that_no_secret_may_be_sent_to_is_no_endpoint(endpoint: Json) -> None:
    """DJ-03: the rules of all other endpoints."""
    announced: dict[str, Json] = {"pushed_authorization_request_endpoint": endpoint}
    assert_safe_page(pushing_stage(announced, **PUSHING).go("/auth/login?next=/page"), 502)


@pytest.mark.parametrize("headers", [{"sec-fetch-mode": "cors"}, {"sec-purpose": "prefetch"}])
def test_who_cannot_sign_in_pushes_nothing(headers: dict[str, str | None]) -> None:
    """RQ-12, P12."""
    stage = pushing_stage(**PUSHING)
    assert stage.go("/auth/login", headers).status in (401, 403)
    assert stage.hand.done == []
