"""Signing out: what goes, in which order, and that the local part always happens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intastellar_auth.core.effects import Effect, Fetch, Get, Put
from intastellar_auth.core.logout import landed
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.provider import Provider
from intastellar_auth.errors import ProviderTimeout
from intastellar_auth.oidc.discovery import Metadata
from intastellar_auth.oidc.json_object import Json
from tests.oidc.forge import CLIENT_ID, ISSUER, answer

from .kept_outcome import keep_outcome
from .stage import (
    DISCOVERY,
    DOCUMENT,
    END_SESSION,
    SESSION_COOKIE,
    USERINFO,
    Stage,
    location,
    make_stage,
    query,
    set_cookies,
    text,
)

HINT_COOKIE = "__Secure-intastellar-hint"
DOWN = ProviderTimeout("accounts.example: no answer within 10 s")


def signed_in(**values: object) -> Stage:
    """Return a stage whose browser is signed in."""
    stage = make_stage(**values)
    stage.sign_in()
    stage.hand.done.clear()
    return stage


@pytest.fixture
def stage() -> Stage:
    return signed_in()


def removed(reply: Reply) -> list[str]:
    """Return each ``Set-Cookie`` of ``reply`` that removes, name and domain, in their order."""
    found: list[str] = []
    for key, value in reply.headers:
        if key == "set-cookie":
            assert "Max-Age=0" in value
            domain = value.partition("Domain=")[2].partition(";")[0]
            found.append(f"{value.partition('=')[0]}@{domain}")
    return found


def test_the_four_steps_come_in_their_order(stage: Stage) -> None:
    """LO-02, LO-03: the SDK's cookies, our session, the provider's session, a public page."""
    reply = stage.go("/auth/logout?next=/bye")
    assert removed(reply) == [
        "inta_account@",
        "inta_account@site.example",
        "inta_acc@",
        "inta_acc@site.example",
        f"{SESSION_COOKIE}@",
        f"{HINT_COOKIE}@",
    ]
    target = location(reply)
    assert target.startswith(f"{END_SESSION}?")
    asked = query(target)
    assert asked.pop("id_token_hint").count(".") == 2
    assert asked.pop("state")
    assert asked == {
        "client_id": CLIENT_ID,
        "post_logout_redirect_uri": "https://site.example/",
    }
    back = landed(stage.site, stage.browser.request(f"/?state={query(target)['state']}"))
    assert back is not None
    assert location(back) == "/bye"


@pytest.mark.parametrize(("claims", "kept"), [("name", True), ("groups", False)])
def test_the_id_token_is_kept_for_it_where_the_session_leaves_room(
    caplog: pytest.LogCaptureFixture, claims: str, *, kept: bool
) -> None:
    """LO-03: without it the provider asks, and with it some servers would refuse the request."""
    caplog.set_level("INFO", "intastellar_auth")
    stage = make_stage(claims=claims)
    # The same ID token in both cases; a session that keeps its groups has no room for it beside.
    groups: list[Json] = [f"group {number:04}" for number in range(190)]
    stage.sign_in(groups=groups)
    assert stage.browser.signed_in
    assert (HINT_COOKIE in stage.browser.cookies) is kept
    assert ("event=id_token_hint_not_kept" in caplog.text) is not kept
    assert ("id_token_hint" in query(location(stage.go("/auth/logout")))) is kept


def test_the_sdks_cookies_go_from_every_domain_they_may_be_on() -> None:
    stage = signed_in(base_url="https://www.shop.example.com", client_cookies="inta_acc")
    assert removed(stage.go("/auth/logout"))[:4] == [
        "inta_acc@",
        "inta_acc@www.shop.example.com",
        "inta_acc@shop.example.com",
        "inta_acc@example.com",
    ]


def test_script_can_see_that_its_cookies_are_gone(stage: Stage) -> None:
    reply = stage.go("/auth/logout")
    sdk = set_cookies(reply)["inta_account"]
    assert "HttpOnly" not in sdk
    assert "SameSite" not in sdk


def test_a_cookie_is_removed_as_it_was_set() -> None:
    """LO-10, CK-20."""
    stage = make_stage()
    was_set = set_cookies(stage.sign_in())
    gone = set_cookies(stage.go("/auth/logout"))
    for name in (SESSION_COOKIE, HINT_COOKIE):
        kept = {part for part in was_set[name].split("; ")[1:] if "Max-Age" not in part}
        assert kept < set(gone[name].split("; "))
    assert "Path=/auth/logout" in gone[HINT_COOKIE]


def test_the_session_is_ended_before_the_provider_is_asked_for_anything() -> None:
    """LO-02: whoever hangs up while a slow provider is asked is signed out all the same."""
    stage = signed_in()
    stage.hand.clock.now += 3600
    running = stage.run(stage.browser.request("/auth/logout"))
    stage.hand.until(running, Fetch)
    assert Put in stage.hand.kinds()
    stage.hand.hang_up(running)
    assert stage.other_process().go("/auth/user").status == 401


def test_a_copy_of_the_cookie_is_worth_nothing_after_the_logout(stage: Stage) -> None:
    """LO-08."""
    copy = dict(stage.browser.cookies)
    stage.go("/auth/logout")
    stage.browser.cookies = copy
    assert stage.go("/auth/user").status == 401
    elsewhere = stage.other_process()
    stage.hand.clock.now += stage.settings.revocation_check
    assert elsewhere.go("/auth/user").status == 401


@pytest.mark.parametrize("mode", ["cookie", "server"])
@pytest.mark.parametrize("lost", [True, False], ids=["first answer lost", "all answers arrived"])
def test_a_logout_ends_what_the_callbacks_of_other_tabs_would_give_again(
    mode: str, *, lost: bool
) -> None:
    """P6, P11: the cookie has the last tab's session, and the first tab's callback comes again."""
    stage = make_stage(session_mode=mode)
    first, second = stage.begin("/one", "code-1"), stage.begin("/two", "code-2")
    before = dict(stage.browser.cookies)
    stage.go(first)
    if lost:
        stage.browser.cookies = before
    stage.go(second)
    stage.go("/auth/logout")
    stage.hand.clock.now += 60
    for callback in (first, second, first):
        reply = stage.other_process().go(callback)
        assert reply.status == 400
        assert not stage.browser.signed_in


def test_a_logout_ends_the_session_of_whoever_was_signed_in_before(stage: Stage) -> None:
    """P6: Alice, then Bob in her place; Bob signs out, and goes back in the history."""
    stage.hand.say(USERINFO, answer({"sub": "carol"}))
    callback = stage.begin(code="code-2", sub="carol")
    stage.go(callback)
    stage.hand.say(USERINFO, answer({"sub": "bob"}))
    stage.sign_in(code="code-3", sub="bob")
    stage.go("/auth/logout")
    assert stage.go(callback).status == 400
    assert not stage.browser.signed_in


@pytest.mark.parametrize("outcome", [b"", b"\xc1", b"\x91\x07"])
def test_an_outcome_that_another_version_has_recorded_keeps_nobody_signed_in(
    stage: Stage, outcome: bytes
) -> None:
    keep_outcome(stage, stage.begin("/two", "code-2"), outcome)
    stage.go("/auth/logout")
    assert not stage.browser.signed_in


def test_a_logout_leaves_a_tab_alone_that_is_still_signing_in(stage: Stage) -> None:
    """P11."""
    callback = stage.begin("/two", "code-2")
    stage.go("/auth/logout")
    assert location(stage.go(callback)) == "/two"
    assert stage.browser.signed_in


def test_a_logout_ends_each_session_that_the_browser_sends() -> None:
    """LO-08: of before ``COOKIE_DOMAIN`` was set, say, and of after."""
    stage = signed_in()
    cookies = [dict(stage.browser.cookies)]
    stage.sign_in(code="code-2")
    cookies.append(dict(stage.browser.cookies))
    both = "; ".join(f"{SESSION_COOKIE}={one[SESSION_COOKIE]}" for one in cookies)
    stage.ask(replace_cookie(stage.browser.request("/auth/logout"), both))
    for one in cookies:
        stage.browser.cookies = {SESSION_COOKIE: one[SESSION_COOKIE]}
        assert stage.go("/auth/user").status == 401


def replace_cookie(request: Request, header: str) -> Request:
    """Return ``request`` with another ``Cookie`` header."""
    rest = tuple(one for one in request.headers if one[0] != "cookie")
    return replace(request, headers=(("cookie", header), *rest))


def test_the_tombstone_lasts_as_long_as_the_session_could(stage: Stage) -> None:
    stage.hand.clock.now += 1000
    stage.go("/auth/logout")
    (tombstone,) = (one for one in stage.hand.done if isinstance(one, Put))
    assert tombstone.ttl == stage.settings.session_lifetime - 1000
    assert tombstone.value == b""


def test_a_logout_works_when_nobody_is_signed_in_any_more() -> None:
    stage = make_stage()
    reply = stage.go("/auth/logout?next=/bye")
    assert location(reply).startswith(END_SESSION)
    assert "id_token_hint" not in query(location(reply))
    assert f"{SESSION_COOKIE}@" in removed(reply)
    assert Put not in stage.hand.kinds()


@pytest.mark.parametrize("kinds", [{Put}, {Put, Get}])
def test_the_browser_is_signed_out_though_the_store_is_down(
    stage: Stage, kinds: set[type[Effect]], caplog: pytest.LogCaptureFixture
) -> None:
    stage.hand.refused = kinds
    kept = dict(stage.browser.cookies)
    assert location(stage.go("/auth/logout")).startswith(END_SESSION)
    assert stage.browser.cookies.keys() & {SESSION_COOKIE, HINT_COOKIE} == set()
    assert "event=logout_not_recorded" in caplog.text
    stage.browser.cookies = kept
    assert stage.go("/auth/user").status == 401


def test_the_local_part_happens_though_the_provider_is_down(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.hand.say(DISCOVERY, DOWN)
    stage.hand.clock.now += 86400 - 1
    elsewhere = stage.other_process()
    assert location(elsewhere.go("/auth/logout?next=/bye")) == "/bye"
    assert "event=provider_logout_left_out" in caplog.text
    assert not stage.browser.signed_in
    assert Put in stage.hand.kinds()


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://accounts.example/{end}",
        "https://169.254.169.254/end",
        f"{END_SESSION}?{'x' * 9000}",
    ],
    ids=["no url", "internal", "long"],
)
def test_the_local_part_happens_though_the_endpoint_cannot_be_used(
    endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    """LO-05."""
    stage = make_stage()
    stage.sign_in()
    stage.site = replace(stage.site, provider=saying(stage.site.provider, endpoint))
    assert location(stage.go("/auth/logout?next=/bye")) == "/bye"
    assert not stage.browser.signed_in
    assert "event=provider_logout_left_out" in caplog.text


def saying(provider: Provider, endpoint: str) -> Provider:
    """Return ``provider`` as settings have it that name this ``end_session_endpoint``."""

    def said(found: Metadata | None) -> Metadata:
        return replace(provider.said(found), end_session_endpoint=endpoint)

    return Provider(ISSUER, said, provider.clock)


def test_a_provider_without_the_endpoint_is_left_out() -> None:
    """LO-04."""
    stage = make_stage()
    stage.hand.say(DISCOVERY, answer({**DOCUMENT, "end_session_endpoint": None}))
    stage.sign_in()
    assert location(stage.go("/auth/logout?next=/bye")) == "/bye"


def test_a_site_that_keeps_the_providers_session_asks_it_nothing() -> None:
    stage = signed_in(idp_logout=False)
    stage.hand.done.clear()
    assert location(stage.go("/auth/logout?next=/bye")) == "/bye"
    assert Fetch not in stage.hand.kinds()


def test_a_logout_that_ends_at_a_protected_page_says_so_instead() -> None:
    """The page would send the visitor to sign in at once again."""
    stage = signed_in(idp_logout=False, protected_paths="*")
    reply = stage.go("/auth/logout?next=/secret")
    assert reply.status == 200
    assert "You are signed out" in text(reply)
    assert 'href="/auth/login?next=/secret"' in text(reply)
    assert f"{SESSION_COOKIE}@" in removed(reply)


@pytest.mark.parametrize("hostile", ["//evil.example", "/auth/login", "javascript:alert(1)"])
def test_a_logout_ends_on_this_site(hostile: str) -> None:
    """LO-07."""
    stage = signed_in(idp_logout=False, post_logout_path="/home")
    assert location(stage.go(f"/auth/logout?next={hostile}")) == "/home"


def test_coming_back_with_a_state_that_is_not_ours_is_the_apps_own_page(stage: Stage) -> None:
    """LO-06, CF-L02, CF-L03."""
    state = query(location(stage.go("/auth/logout")))["state"]
    theirs = make_stage(client_id="another-client")
    for target in ("/?state=s-1", "/?state=", "/", f"/?state={state}x", f"/?state={state}&state=b"):
        assert landed(stage.site, stage.browser.request(target)) is None
    assert landed(theirs.site, stage.browser.request(f"/?state={state}")) is None
    assert landed(stage.site, stage.browser.request(f"/?state={state}", "POST")) is None
    assert landed(stage.site, stage.browser.request(f"/?state={state}")) is not None


def test_a_target_that_was_allowed_and_is_not_any_more_is_left_out(stage: Stage) -> None:
    """RD-13: held against the rules again when it is used."""
    state = query(location(stage.go("/auth/logout?next=/members/page")))["state"]
    moved = make_stage(path_prefix="/members")
    back = landed(moved.site, moved.browser.request(f"/?state={state}"))
    assert back is not None
    assert location(back) == "/"


def test_a_posted_logout_takes_its_target_from_the_form() -> None:
    stage = signed_in(idp_logout=False)
    headers: dict[str, str | None] = {"sec-fetch-site": "same-origin"}
    request = stage.browser.request("/auth/logout?next=/a", "POST", headers, b"next=/b")
    assert location(stage.ask(request)) == "/b"


def test_an_attempt_under_way_in_another_tab_goes_on(stage: Stage) -> None:
    """P11: a logout removes what is its own."""
    callback = stage.begin("/other", code="code-2")
    stage.go("/auth/logout")
    assert location(stage.go(callback)) == "/other"
