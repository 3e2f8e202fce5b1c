"""Which claims end up in a session, and where they come from."""

from __future__ import annotations

import pytest

from intastellar_auth.core.effects import Fetch
from intastellar_auth.core.messages import Reply
from intastellar_auth.core.session import Session
from intastellar_auth.errors import ProviderTimeout
from intastellar_auth.oidc.json_object import Json
from intastellar_auth.user import unpack_claims
from tests.oidc.forge import ACCESS_TOKEN, ISSUER, NOW, answer

from .hand import Said
from .stage import (
    CODE,
    DISCOVERY,
    DOCUMENT,
    PROFILE,
    TOKEN,
    USERINFO,
    Stage,
    asked_of_provider,
    location,
    make_stage,
)


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def kept(stage: Stage) -> dict[str, object]:
    """Return the claims that the browser's session has."""
    return unpack_claims(session(stage).claims)


def session(stage: Stage) -> Session:
    """Return the session that the browser has."""
    pairs = "; ".join(f"{name}={value}" for name, value in stage.browser.cookies.items())
    found = stage.hand.play(stage.site.sessions.find(pairs.encode(), stage.hand.clock.now))
    assert found is not None
    return found


def test_a_session_says_who_it_is_and_since_when(stage: Stage) -> None:
    stage.sign_in(sid="s-1", auth_time=1_799_999_990, scope="ignored")
    found = session(stage)
    assert (found.sub, found.iss, found.sid) == ("alice", ISSUER, "s-1")
    assert found.auth_time == 1_799_999_990
    assert found.created == found.rolled == stage.hand.clock.now
    assert found.scopes == ("openid", "profile", "email")


@pytest.mark.parametrize(
    ("iat", "auth_time", "began"),
    [
        (NOW + 9, None, NOW),
        (NOW + 9, 0, NOW),
        (NOW + 9, NOW - 3600, NOW),
        (NOW + 9, NOW + 4, NOW + 4),
        (NOW + 9, NOW + 30, NOW + 9),
        (NOW + 9, 1000 * NOW, NOW + 9),
        (NOW - 21, None, NOW - 30),
        (NOW - 21, NOW - 25, NOW - 25),
    ],
)
def test_a_session_began_after_the_provider_was_asked_by_the_providers_clock(
    stage: Stage, iat: float, auth_time: float | None, began: float
) -> None:
    """BL-02, BL-14: nine seconds ago, or later, where the provider says so."""
    callback = stage.begin(iat=iat, auth_time=auth_time)
    stage.hand.clock.now += 9
    stage.go(callback)
    assert session(stage).began == began


def test_a_new_sign_in_is_a_new_session(stage: Stage) -> None:
    """CS-01, CB-21."""
    stage.sign_in()
    first = session(stage)
    stage.hand.say(USERINFO, answer({"sub": "bob"}))
    stage.sign_in(code="code-2", sub="bob")
    second = session(stage)
    assert second.sub == "bob"
    assert second.id != first.id
    assert "name" not in kept(stage)


def test_claims_that_are_missing_are_asked_for_after_the_token_was_believed(stage: Stage) -> None:
    """CF-B01, CF-B15."""
    stage.sign_in(name="Alice as the token says")
    (request,) = stage.hand.fetched(USERINFO)
    assert ("authorization", f"Bearer {ACCESS_TOKEN}") in request.headers
    urls = [getattr(one, "url", "") for one in stage.hand.done]
    assert urls.index(USERINFO) > urls.index(TOKEN)
    assert kept(stage) == {"name": "Alice", "email": "alice@example.com"}


def test_nothing_is_asked_for_where_the_token_has_all_that_is_kept(stage: Stage) -> None:
    stage.sign_in(name="A", email="a@example.com", email_verified=True)
    assert stage.hand.fetched(USERINFO) == []
    assert kept(stage)["email_verified"] is True


def test_nothing_is_asked_for_where_there_is_no_userinfo() -> None:
    stage = make_stage(
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=TOKEN,
        jwks_uri=f"{ISSUER}/jwks",
    )
    stage.sign_in(name="A")
    assert kept(stage) == {"name": "A"}


@pytest.mark.parametrize(
    "said",
    [
        answer({**PROFILE, "sub": "mallory"}),
        answer({"name": "nobody in particular"}),
        answer({}, status=403),
        ProviderTimeout("accounts.example: no answer within 10 s"),
    ],
    ids=["another user", "no sub", "refused", "no answer"],
)
def test_userinfo_that_is_not_about_this_user_signs_nobody_in(stage: Stage, said: Said) -> None:
    """CF-B11."""
    stage.hand.say(USERINFO, said)
    assert stage.sign_in().status in (502, 503)
    assert not stage.browser.signed_in
    assert CODE not in stage.grants


def test_an_access_token_that_is_revoked_at_once_starts_the_sign_in_again_once(
    stage: Stage,
) -> None:
    """P9: another process has sent the code too, and the provider has taken back what it gave."""
    stage.hand.say(USERINFO, answer({"error": "invalid_token"}, status=401))

    again = stage.sign_in()
    assert not stage.browser.signed_in
    page = stage.go(stage.approve(again, "code-2", {}))

    assert page.status == 502
    assert b"Please try again" in page.body


def test_only_the_claims_that_are_wanted_are_kept(stage: Stage) -> None:
    stage.hand.say(USERINFO, answer({**PROFILE, "address": "at home", "email": ""}))
    stage.sign_in(picture="https://example.com/alice.png", name=None)
    assert kept(stage) == {"name": "Alice"}


@pytest.mark.parametrize("said", ["true", "false", 1, 0, False, [True]])
def test_an_email_is_verified_only_where_the_provider_says_true(stage: Stage, said: Json) -> None:
    """ID-23."""
    stage.sign_in(name="A", email="a@example.com", email_verified=said)
    assert kept(stage)["email_verified"] is False


@pytest.mark.parametrize(
    ("asked", "acr", "signed_in"),
    [
        ({"essential": True, "values": ["mfa", "hwk"]}, "hwk", True),
        ({"essential": True, "value": "mfa"}, "mfa", True),
        ({"essential": True, "values": ["mfa"]}, "password", False),
        ({"essential": True, "value": "mfa"}, None, False),
        ({"essential": True}, None, True),
        ({"values": ["mfa"]}, "password", True),
        (None, None, True),
    ],
)
def test_an_essential_acr_that_is_not_reached_is_no_sign_in(
    asked: Json, acr: str | None, *, signed_in: bool
) -> None:
    """ID-16, RQ-14; OpenID Connect Core section 5.5.1.1."""
    stage = make_stage(authorization_params={"claims": {"id_token": {"acr": asked}}})
    stage.sign_in(acr=acr)
    assert stage.browser.signed_in is signed_in


def test_a_claim_too_long_for_any_cookie_is_left_out_and_named_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.sign_in(name="A" * 2001, email="a@example.com", email_verified=True)
    assert kept(stage) == {"email": "a@example.com", "email_verified": True}
    assert 'event=claim_left_out name="name" length="2001"' in caplog.text


def test_a_session_that_fits_into_no_cookies_names_the_largest_claims(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = make_stage(claims="name,groups,roles")
    groups: list[Json] = [f"group {number:04}" for number in range(2000)]
    reply = stage.sign_in(name="Alice", groups=groups, roles=["reader"])
    assert reply.status == 507
    assert not stage.browser.signed_in
    assert (
        "largest parts: claim groups 22003 bytes, claim roles 8 bytes, claim name 6 bytes"
        in caplog.text
    )
    assert "group 0001" not in caplog.text


@pytest.mark.parametrize(("count", "warned"), [(10, False), (700, True)])
def test_a_session_that_some_servers_would_refuse_is_in_the_log(
    caplog: pytest.LogCaptureFixture, count: int, *, warned: bool
) -> None:
    stage = make_stage(claims="groups")
    groups: list[Json] = [f"group {number:04}" for number in range(count)]
    assert stage.sign_in(groups=groups).status == 303
    assert ("event=session_large" in caplog.text) is warned
    assert ("SESSION_MODE=server" in caplog.text) is warned
    assert "group 0001" not in caplog.text


@pytest.mark.parametrize("mode", ["cookie", "server"])
def test_no_provider_fills_the_memory_with_claims(
    caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    """Each process remembers those of thousands of sessions."""
    stage = make_stage(claims="groups,name", session_mode=mode)
    groups: list[Json] = ["x" * 1000] * 70
    stage.hand.say(USERINFO, answer({**PROFILE, "groups": groups}))
    assert stage.sign_in().status == 507
    assert not stage.browser.signed_in
    assert "at most 65536 are kept: largest parts: claim groups" in caplog.text
    assert "INTASTELLAR_CLAIMS" in caplog.text


@pytest.mark.parametrize(("sid", "auth_time"), [(7, "soon"), (None, None), (["s"], {})])
def test_what_is_not_of_its_type_is_left_out(stage: Stage, sid: Json, auth_time: Json) -> None:
    reply = stage.sign_in(sid=sid, auth_time=auth_time)
    if reply.status == 303:
        assert session(stage).sid is None
        assert session(stage).auth_time is None
    else:
        assert reply.status == 502


def signed_in_without_openid(stage: Stage) -> Reply:
    """Sign in at a provider that gives no ID token."""
    stage.hand.say(TOKEN, answer({"access_token": ACCESS_TOKEN, "token_type": "Bearer"}))
    state = asked_of_provider(stage.go("/auth/login?next=/page"))["state"]
    return stage.go(f"/auth/callback?code={CODE}&state={state}")


def test_without_openid_userinfo_says_who_it_is() -> None:
    stage = make_stage(
        issuer=None,
        scope="profile",
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=TOKEN,
        userinfo_endpoint=USERINFO,
    )
    assert location(signed_in_without_openid(stage)) == "/page"
    found = session(stage)
    assert (found.sub, found.iss) == ("alice", ISSUER)
    assert found.began == stage.hand.clock.now
    assert [one.url for one in stage.hand.done if isinstance(one, Fetch)] == [TOKEN, USERINFO]


def test_without_openid_and_without_userinfo_nobody_is_signed_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = make_stage(scope="profile")
    stage.hand.say(DISCOVERY, answer({**DOCUMENT, "userinfo_endpoint": None}))
    assert signed_in_without_openid(stage).status == 502
    assert not stage.browser.signed_in
    assert "INTASTELLAR_USERINFO_ENDPOINT" in caplog.text


def test_claims_are_logged_only_where_that_was_asked_for(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    stage.sign_in()
    assert "event=signed_in" in caplog.text
    assert "alice" not in caplog.text.lower()
    talking = make_stage(log_claims=True)
    talking.sign_in()
    assert "event=claims_are_logged" in caplog.text
    assert "alice@example.com" in caplog.text
