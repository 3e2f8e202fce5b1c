"""The start of a sign-in: an attempt, a login cookie, and a redirect to the provider."""

from __future__ import annotations

import pytest

from intastellar_auth.core.effects import Add, Delete, Get, Put, Take
from intastellar_auth.errors import ProviderTimeout
from tests.oidc.forge import CLIENT_ID, answer

from .stage import (
    DISCOVERY,
    DOCUMENT,
    Stage,
    asked_of_provider,
    header,
    location,
    make_stage,
    set_cookies,
    text,
)

STORE = {Get, Put, Add, Take, Delete}


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def test_a_sign_in_starts_with_state_nonce_and_pkce(stage: Stage) -> None:
    """RQ-01, RQ-11."""
    reply = stage.go("/auth/login?next=/page")
    asked = asked_of_provider(reply)
    assert len(asked["state"]) <= 256
    assert len(asked["nonce"]) == len(asked["code_challenge"]) == 43
    assert {name: asked[name] for name in asked.keys() - {"state", "nonce", "code_challenge"}} == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": "https://site.example/auth/callback",
        "scope": "openid profile email",
        "code_challenge_method": "S256",
    }
    assert header(reply, "cache-control") == "no-store"
    assert header(reply, "referrer-policy") == "no-referrer"


def test_a_start_needs_no_store(stage: Stage) -> None:
    """A store that is down costs nobody the way to the provider."""
    stage.go("/auth/login")
    assert not STORE & set(stage.hand.kinds())


def test_each_start_has_its_own_login_cookie(stage: Stage) -> None:
    """P11."""
    asked = [asked_of_provider(stage.go("/auth/login")) for _ in range(3)]
    assert len(stage.browser.cookies) == 3
    for name in ("state", "nonce", "code_challenge"):
        assert len({one[name] for one in asked}) == 3


def test_login_cookies_never_pile_up(stage: Stage) -> None:
    """CB-24."""
    for _ in range(50):
        stage.go(f"/auth/login?next=/{'a' * 500}")
    kept = stage.browser.cookies
    assert 1 <= len(kept) <= 5
    assert sum(len(name) + len(value) + 3 for name, value in kept.items()) <= 3500


@pytest.mark.parametrize(
    "hostile", ["//evil.example", "https://evil.example", "/\\evil.example", "/auth/logout", ""]
)
def test_a_start_that_names_another_site_ends_at_the_landing_page(hostile: str) -> None:
    """RD-01, RD-09."""
    stage = make_stage(landing_path="/home")
    assert location(stage.sign_in(hostile)) == "/home"


def test_only_the_first_spelling_of_a_repeated_next_could_be_meant_so_none_is(
    stage: Stage,
) -> None:
    """RD-08."""
    reply = stage.go("/auth/login?next=/a&next=/b")
    assert location(stage.go(stage.approve(reply, "code-1", {}))) == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        {"sec-fetch-dest": "iframe"},
        {"x-requested-with": "XMLHttpRequest"},
    ],
    ids=["fetch", "frame", "XMLHttpRequest"],
)
def test_a_script_is_told_where_to_sign_in_and_uses_nothing_up(
    stage: Stage, headers: dict[str, str | None]
) -> None:
    """RQ-12."""
    reply = stage.go("/auth/login?next=/page", headers)
    assert reply.status == 401
    assert '"login_url":"https://site.example/auth/login?next=/page"' in text(reply)
    assert set_cookies(reply) == {}
    assert stage.hand.done == []


def test_a_client_that_says_nothing_of_itself_is_taken_at_its_word(stage: Stage) -> None:
    bare = dict.fromkeys(("accept", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-site"))
    assert asked_of_provider(stage.go("/auth/login", bare))


def test_parameters_of_the_request_do_not_reach_the_provider(stage: Stage) -> None:
    """RQ-08."""
    hostile = "&scope=admin&client_id=theirs&redirect_uri=https://evil.example&prompt=none&state=s"
    asked = asked_of_provider(stage.go(f"/auth/login?next=/{hostile}"))
    assert asked["scope"] == "openid profile email"
    assert asked["client_id"] == CLIENT_ID
    assert "prompt" not in asked


def test_the_extra_parameters_of_the_settings_do() -> None:
    stage = make_stage(authorization_params='{"prompt": "none", "acr_values": "gold"}')
    asked = asked_of_provider(stage.go("/auth/login"))
    assert (asked["prompt"], asked["acr_values"]) == ("none", "gold")


def test_form_post_is_asked_for_and_its_cookie_travels_with_a_cross_site_post() -> None:
    """CF-F01, CK-22."""
    reply = make_stage(response_mode="form_post").go("/auth/login")
    assert asked_of_provider(reply)["response_mode"] == "form_post"
    (cookie,) = set_cookies(reply).values()
    assert cookie.endswith("; Secure; HttpOnly; SameSite=None")


def test_a_provider_that_is_down_is_a_page_and_no_attempt(stage: Stage) -> None:
    stage.hand.say(DISCOVERY, ProviderTimeout("accounts.example: no answer within 10 s"))
    reply = stage.go("/auth/login?next=/page")
    assert reply.status == 503
    assert header(reply, "retry-after") == "5"
    assert set_cookies(reply) == {}


def test_a_provider_that_speaks_for_another_gets_no_visitor(stage: Stage) -> None:
    """CF-C03: before the authorization request."""
    stage.hand.say(DISCOVERY, answer({**DOCUMENT, "issuer": "https://evil.example"}))
    assert stage.go("/auth/login").status == 502


def test_without_openid_there_is_no_nonce() -> None:
    stage = make_stage(scope="profile")
    assert "nonce" not in asked_of_provider(stage.go("/auth/login"))
