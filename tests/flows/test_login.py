"""The start of a sign-in: an attempt, a login cookie, and a redirect to the provider."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core.effects import Add, Delete, Get, Put, Take
from intastellar_auth.core.messages import Reply
from intastellar_auth.errors import ProviderTimeout
from tests.oidc.forge import CLIENT_ID, answer

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
    set_cookies,
    text,
)

STORE = {Get, Put, Add, Take, Delete}


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def test_a_sign_in_starts_with_state_nonce_and_pkce(stage: Stage) -> None:
    """BF-11, CF-D11, R9-09, RQ-01, RQ-11."""
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
    hostile = "&scope=admin&client_id=theirs&redirect_uri=https://evil.example&prompt=login&state=s"
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


def asked_with(stage: Stage, **query: str) -> dict[str, str]:
    """Return what the provider is asked where ``query`` is given to login."""
    return asked_of_provider(stage.go(f"/auth/login?{urlencode({'next': '/page', **query})}"))


GOOD_WISHES = [
    {"login_hint": "alice@example.com"},
    {"login_hint": "Ålice &state=evil#?"},
    {"login_hint": "a" * 255},
    {"ui_locales": "de"},
    {"ui_locales": "fr-CA fr en-x-private zh-Hant-TW"},
    {"ui_locales": " ".join(["en"] * 33)},
    {"login_hint": "alice", "ui_locales": "da", "prompt": "none"},
]


@pytest.mark.parametrize("wishes", GOOD_WISHES)
def test_what_a_visitor_may_wish_for_is_passed_on_and_remembered_nowhere(
    stage: Stage, wishes: dict[str, str]
) -> None:
    """RQ-15."""
    plain = asked_with(stage)
    asked = asked_with(stage, **wishes)
    assert {name: asked[name] for name in asked.keys() - plain.keys()} == wishes
    assert not wishes.keys() & asked_with(stage).keys()


@pytest.mark.parametrize(
    "wishes",
    [
        {"login_hint": "a" * 256},
        {"login_hint": "a\r\nb"},
        {"login_hint": "a\x00"},
        {"login_hint": "a\u202eb"},
        {"login_hint": ""},
        {"ui_locales": "en" + " en" * 33},
        {"ui_locales": "en\n"},
        {"ui_locales": "en  de"},
        {"ui_locales": " en"},
        {"ui_locales": "en_GB"},
        {"ui_locales": "en-"},
        {"ui_locales": "englishes"},
        {"ui_locales": "é"},
        {"prompt": "login"},
        {"prompt": "None"},
        {"prompt": "none login"},
        {"prompt": "create"},
        {"acr_values": "gold"},
        {"resource": "https://evil.example"},
        {"claims": "{}"},
    ],
)
def test_what_is_too_long_odd_or_not_to_be_wished_for_is_dropped_in_silence(
    stage: Stage, wishes: dict[str, str]
) -> None:
    """RQ-08, RQ-15."""
    assert asked_with(stage, **wishes).keys() == asked_with(stage).keys()


@given(st.dictionaries(st.sampled_from(["login_hint", "ui_locales", "prompt"]), st.text()))
def test_whatever_is_wished_for_the_redirect_is_one_to_the_provider(wishes: dict[str, str]) -> None:
    """RQ-08, RQ-15."""
    stage = make_stage()
    sent = {name: value.encode("utf-8", "surrogatepass") for name, value in wishes.items()}
    asked = asked_of_provider(stage.go(f"/auth/login?{urlencode(sent)}"))
    assert asked["client_id"] == CLIENT_ID
    assert all(asked[name] == wishes[name] for name in asked.keys() & wishes.keys())


def test_a_wish_stands_over_the_settings() -> None:
    params = '{"login_hint": "@example.com", "ui_locales": "en", "display": "page"}'
    stage = make_stage(authorization_params=params)
    asked = asked_with(stage, login_hint="alice", ui_locales="da")
    assert (asked["login_hint"], asked["ui_locales"], asked["display"]) == ("alice", "da", "page")
    asked = asked_with(stage, login_hint="\n", ui_locales="?")
    assert (asked["login_hint"], asked["ui_locales"]) == ("@example.com", "en")


@pytest.mark.parametrize("prompt", ["login", "consent"])
def test_a_link_does_not_get_around_the_owner_s_prompt(prompt: str) -> None:
    stage = make_stage(authorization_params={"prompt": prompt})
    assert asked_with(stage, prompt="none")["prompt"] == prompt


def test_claims_are_asked_for_as_compact_json() -> None:
    """OpenID Connect Core section 5.5."""
    stage = make_stage(
        authorization_params={"claims": {"id_token": {"email": {"essential": True}}}}
    )
    assert asked_with(stage)["claims"] == '{"id_token":{"email":{"essential":true}}}'


@pytest.mark.parametrize("resource", [["https://api.example/"], ["https://api.example/", "urn:b"]])
def test_a_resource_is_named_in_both_requests(resource: list[str]) -> None:
    """RFC 8707 sections 2.1 and 2.2."""
    stage = make_stage(authorization_params={"resource": resource})
    reply = stage.go("/auth/login")
    assert parse_qs(urlsplit(location(reply)).query)["resource"] == resource
    stage.go(stage.approve(reply, CODE, {}))
    (request,) = stage.hand.fetched(TOKEN)
    assert parse_qs((request.body or b"").decode())["resource"] == resource


NEEDS_VISITOR = [
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
]
SILENT_BY = {
    "settings": ('{"prompt": "none"}', "/auth/login?next=/page%3Fa=1"),
    "link": ("{}", "/auth/login?next=/page%3Fa=1&prompt=none"),
}


def refuse(stage: Stage, reply: Reply, error: str) -> Reply:
    """Let the provider answer the request of ``reply`` with ``error``."""
    state = asked_of_provider(reply)["state"]
    return stage.go(f"/auth/callback?{urlencode({'error': error, 'state': state})}")


@pytest.mark.parametrize("error", NEEDS_VISITOR)
@pytest.mark.parametrize(("params", "target"), SILENT_BY.values(), ids=SILENT_BY)
def test_a_silent_sign_in_that_needs_the_visitor_asks_once_and_ends_where_it_began(
    params: str, target: str, error: str
) -> None:
    """RQ-13: OpenID Connect Core section 3.1.2.6."""
    stage = make_stage(authorization_params=params)
    silent = stage.go(target)
    assert asked_of_provider(silent)["prompt"] == "none"
    asking = refuse(stage, silent, error)
    assert "prompt" not in asked_of_provider(asking)
    assert stage.hand.fetched(TOKEN) == []
    assert location(stage.go(stage.approve(asking, CODE, {}))) == "/page?a=1"
    assert stage.browser.signed_in


@pytest.mark.parametrize("error", NEEDS_VISITOR)
@pytest.mark.parametrize(("params", "target"), SILENT_BY.values(), ids=SILENT_BY)
def test_a_provider_that_says_so_again_meets_with_a_page(
    params: str, target: str, error: str
) -> None:
    """RQ-13: no loop."""
    stage = make_stage(authorization_params=params)
    page = refuse(stage, refuse(stage, stage.go(target), error), error)
    assert page.status == 403
    assert "/auth/login?next=/page%3Fa%3D1" in text(page)


@pytest.mark.parametrize(("params", "target"), SILENT_BY.values(), ids=SILENT_BY)
def test_a_silent_sign_in_that_succeeds_or_fails_for_another_reason_does_not_ask(
    params: str, target: str
) -> None:
    """RQ-13."""
    stage = make_stage(authorization_params=params)
    assert refuse(stage, stage.go(target), "access_denied").status == 403
    assert location(stage.go(stage.approve(stage.go(target), CODE, {}))) == "/page?a=1"


@pytest.mark.parametrize(("params", "target"), SILENT_BY.values(), ids=SILENT_BY)
def test_a_silent_answer_comes_twice_and_each_time_leads_on(params: str, target: str) -> None:
    """RQ-13, P2: either of the two can be finished."""
    stage = make_stage(authorization_params=params)
    silent = stage.go(target)
    answered = [refuse(stage, silent, "login_required") for _ in range(2)]
    for code, asking in zip(("code-1", "code-2"), answered, strict=True):
        assert location(stage.go(stage.approve(asking, code, {}))) == "/page?a=1"


def test_a_visible_sign_in_does_not_start_again_because_another_was_silent(stage: Stage) -> None:
    """RQ-13: it is the attempt that remembers, not the browser."""
    visible = stage.go("/auth/login?next=/page")
    stage.go("/auth/login?next=/page&prompt=none")
    assert refuse(stage, visible, "login_required").status == 403
