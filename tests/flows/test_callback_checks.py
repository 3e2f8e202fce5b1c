"""What a callback is held against, in which order, and that no code is sent before it passes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from intastellar_auth.core.effects import Effect, Fetch, Get
from intastellar_auth.core.messages import Reply
from intastellar_auth.oidc.json_object import Json
from tests.oidc.forge import ISSUER, answer

from .stage import (
    CODE,
    DISCOVERY,
    DOCUMENT,
    SESSION_COOKIE,
    TOKEN,
    Browser,
    Stage,
    asked_of_provider,
    header,
    location,
    make_stage,
    set_cookies,
    text,
)

FORM: dict[str, str | None] = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def effects_of(stage: Stage, target: str) -> tuple[Reply, list[Effect]]:
    """Return the answer to ``target``, and what was asked for on the way."""
    before = len(stage.hand.done)
    return stage.go(target), stage.hand.done[before:]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda query: query.partition("&state=")[0], id="CB-01 no state"),
        pytest.param(lambda query: query + "x", id="CB-02 altered"),
        pytest.param(lambda query: query + "x" * 300, id="CB-02 long"),
        pytest.param(lambda query: query.partition("&state=")[0] + "&state=s-1", id="CB-02 forged"),
        pytest.param(lambda query: f"{query}&{query.partition('&')[2]}", id="CB-11 state twice"),
        pytest.param(lambda query: f"{query}&code=other", id="CB-11 code twice"),
        pytest.param(lambda query: f"{query}&error=a&error=b", id="CB-11 error twice"),
        pytest.param(lambda query: f"{query}&iss={ISSUER}&iss={ISSUER}", id="CB-11 iss twice"),
        pytest.param(lambda query: query.replace(CODE, "c%0d%0ac"), id="CB-18 line break"),
        pytest.param(lambda query: query.replace(CODE, "c" * 100_000), id="CB-18 long"),
    ],
)
def test_a_request_that_is_not_genuine_asks_nothing_of_anyone(
    stage: Stage, change: Callable[[str], str]
) -> None:
    path, _, query = stage.begin().partition("?")
    reply, effects = effects_of(stage, f"{path}?{change(query)}")
    assert reply.status == 400
    assert effects == []


def test_a_state_sealed_by_another_site_is_forged(stage: Stage) -> None:
    """CB-02, CB-25: another key, another client, another provider."""
    for other in (
        make_stage(secret_keys="another key of another site that is long enough"),
        make_stage(client_id="another-client"),
    ):
        callback = other.begin()
        stage.browser = other.browser
        reply, effects = effects_of(stage, callback)
        assert (reply.status, effects) == (400, [])


def test_before_the_cookie_is_found_the_store_is_only_read(stage: Stage) -> None:
    """CB-03, P7."""
    callback = stage.begin()
    stage.browser = Browser()
    reply, effects = effects_of(stage, callback)
    assert {type(effect) for effect in effects} == {Get}
    assert asked_of_provider(reply)["state"] not in callback


def test_a_session_cookie_is_no_login_cookie_nor_the_other_way_round(stage: Stage) -> None:
    """CB-26, CS-10."""
    callback = stage.begin()
    (name,) = stage.browser.cookies
    login = stage.browser.cookies[name]
    stage.go(callback)
    session = stage.browser.cookies[SESSION_COOKIE].removeprefix("1")
    stage.browser.cookies = {SESSION_COOKIE: f"1{login}"}
    assert stage.go("/auth/user").status == 401
    stage.browser.cookies = {name: session}
    assert stage.go(callback).status == 400


@pytest.mark.parametrize(
    ("promised", "iss"),
    [
        (True, ""),
        (True, "&iss="),
        *(
            (promised, f"&iss={wrong}")
            for promised in (True, False)
            for wrong in (
                "https://evil.example",
                f"{ISSUER}/",
                "https://ACCOUNTS.example",
                f"{ISSUER}:443",
                "https://accounts.exampl%2565",
            )
        ),
    ],
)
@pytest.mark.parametrize("what", [f"code={CODE}", "error=access_denied"])
def test_a_response_of_another_issuer_is_stopped_before_the_token_request(
    stage: Stage, what: str, iss: str, *, promised: bool
) -> None:
    """CB-06, CB-07, CB-08, CB-09, CB-10, CF-P12, CF-P13: errors are held against it too."""
    document: dict[str, Json] = {
        **DOCUMENT,
        "authorization_response_iss_parameter_supported": promised,
    }
    stage.hand.say(DISCOVERY, answer(document))
    callback = stage.begin().replace(f"code={CODE}", what)
    reply, effects = effects_of(stage, f"{callback}{iss}")
    assert reply.status == 400
    assert TOKEN not in {one.url for one in effects if isinstance(one, Fetch)}
    assert not stage.browser.signed_in


@pytest.mark.parametrize(("promised", "iss"), [(True, True), (False, True), (False, False)])
def test_a_response_of_the_issuer_goes_on(stage: Stage, *, promised: bool, iss: bool) -> None:
    """CB-09."""
    document = {**DOCUMENT, "authorization_response_iss_parameter_supported": promised}
    stage.hand.say(DISCOVERY, answer(document))
    named = "&iss=https%3A%2F%2Faccounts.example" if iss else ""
    assert location(stage.go(stage.begin() + named)) == "/page"


@pytest.mark.parametrize("query", [f"code={CODE}&error=access_denied", "error=access_denied"])
def test_a_visitor_who_said_no_is_told_so_kindly(
    stage: Stage, query: str, caplog: pytest.LogCaptureFixture
) -> None:
    """CB-12, CB-13: an error wins over a code that stands beside it."""
    caplog.set_level("INFO")
    described = "&error_description=%3Cscript%3E%1b%5B31m"
    callback = stage.begin().replace(f"code={CODE}", query) + described
    reply, effects = effects_of(stage, callback)
    assert reply.status == 403
    assert "Sign-in cancelled" in text(reply)
    assert "<script>" not in text(reply)
    assert "\x1b" not in caplog.text
    assert TOKEN not in {one.url for one in effects if isinstance(one, Fetch)}
    assert {one.levelname for one in caplog.records if "refused" in one.message} == {"WARNING"}


def test_another_error_is_a_page_too(stage: Stage) -> None:
    """CB-13."""
    reply = stage.go(stage.begin().replace(f"code={CODE}", "error=temporarily_unavailable"))
    assert reply.status == 403
    assert "You could not be signed in" in text(reply)


def test_an_error_without_state_is_a_page(stage: Stage) -> None:
    """CB-14."""
    reply, effects = effects_of(stage, "/auth/callback?error=access_denied")
    assert (reply.status, effects) == (400, [])


def test_an_error_without_its_cookie_does_not_send_the_visitor_round_again(stage: Stage) -> None:
    callback = stage.begin().replace(f"code={CODE}", "error=access_denied")
    stage.browser.cookies.clear()
    reply = stage.go(callback)
    assert reply.status == 400
    assert "Sign in again" in text(reply)


def test_a_response_with_neither_code_nor_error_is_refused(stage: Stage) -> None:
    callback = stage.begin().replace(f"code={CODE}", "id_token=a.b.c&access_token=t")
    reply, effects = effects_of(stage, callback)
    assert (reply.status, effects) == (400, [])


@pytest.mark.parametrize(
    ("error", "params", "again"),
    [
        ("login_required", '{"prompt": "none"}', True),
        ("consent_required", '{"prompt": "none"}', True),
        ("access_denied", '{"prompt": "none"}', False),
        ("login_required", "{}", False),
    ],
)
def test_a_silent_sign_in_that_needs_the_visitor_asks_the_visitor(
    error: str, params: str, *, again: bool
) -> None:
    """RQ-13: once, and not silently a second time."""
    stage = make_stage(authorization_params=params)
    reply = stage.go(stage.begin("/page").replace(f"code={CODE}", f"error={error}"))
    if again:
        assert "prompt" not in asked_of_provider(reply)
        assert location(stage.go(stage.approve(reply, "code-2", {}))) == "/page"
    else:
        assert reply.status == 403


def test_a_post_where_a_query_was_asked_for_is_refused(stage: Stage) -> None:
    """CB-16."""
    callback = stage.begin()
    path, _, query = callback.partition("?")
    for target in (path, callback):
        request = stage.browser.request(target, "POST", FORM, query.encode())
        assert stage.ask(request).status == 400
    assert stage.hand.fetched(TOKEN) == []


def test_a_posted_response_signs_in_where_it_was_asked_for() -> None:
    """CF-F01."""
    stage = make_stage(response_mode="form_post")
    path, _, query = stage.begin().partition("?")
    assert stage.go(f"{path}?{query}").status == 400
    sent = {"content-type": "Application/x-www-form-urlencoded; charset=utf-8"}
    request = stage.browser.request(path, "POST", {**FORM, **sent}, query.encode())
    assert location(stage.ask(request)) == "/page"


@pytest.mark.parametrize("media_type", ["application/json", "multipart/form-data", None])
def test_a_posted_response_that_is_no_form_is_refused(media_type: str | None) -> None:
    """CB-17."""
    stage = make_stage(response_mode="form_post")
    path, _, query = stage.begin().partition("?")
    request = stage.browser.request(path, "POST", {"content-type": media_type}, query.encode())
    assert stage.ask(request).status == 400


@pytest.mark.parametrize("body", [b"", b"state=\xff", "state=ä".encode(), b"%ff=%ff"])
def test_a_posted_response_that_cannot_be_read_is_refused(body: bytes) -> None:
    """CB-17."""
    stage = make_stage(response_mode="form_post")
    assert stage.ask(stage.browser.request("/auth/callback", "POST", FORM, body)).status == 400


def test_with_strict_cookies_the_last_step_is_a_navigation_of_the_sites_own() -> None:
    """CK-21: a redirect would arrive without the new cookie, and go round for ever."""
    stage = make_stage(cookie_samesite="strict")
    reply = stage.sign_in("/page?a=<b>")
    assert reply.status == 200
    assert stage.browser.signed_in
    reply = stage.sign_in("/page?a=1", code="code-2")
    assert header(reply, "refresh") == "0;url=/page?a=1"
    assert "SameSite=Strict" in set_cookies(reply)[SESSION_COOKIE]


def test_a_page_that_was_allowed_and_is_not_any_more_is_left_for_the_landing_page() -> None:
    """RD-13: the return path is held against the rules again when it is used."""
    stage = make_stage()
    callback = stage.begin("/members/page")
    moved = make_stage(path_prefix="/members", landing_path="/home")
    moved.browser, moved.grants = stage.browser, stage.grants
    moved.hand.say(TOKEN, moved.redeem)
    assert location(moved.go(callback.replace("/auth/", "/members/"))) == "/home"
