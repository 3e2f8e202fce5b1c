"""The authorization endpoint: what it checks, when it asks, and where it answers."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING

import pytest

from tests.devprovider.harness import CALLBACK, ISSUER, PUBLIC, asked, hidden, response_of

if TYPE_CHECKING:
    from tests.devprovider.harness import Rig

pytestmark = pytest.mark.anyio


async def test_a_sign_in_ends_at_the_redirect_uri_with_code_state_and_iss(rig: Rig) -> None:
    page = await rig.authorize()
    answer = await rig.choose(page, login="alice")
    assert answer.headers["location"].startswith(f"{CALLBACK}?")
    response = response_of(answer)
    assert set(response) == {"code", "state", "iss"}
    assert (response["state"], response["iss"]) == ("the-state", ISSUER)


async def test_a_request_without_state_gets_none_back(rig: Rig) -> None:
    assert set(await rig.sign_in(state=None)) == {"code", "iss"}


async def test_a_query_in_the_redirect_uri_is_kept(rig: Rig) -> None:
    response = await rig.sign_in(redirect_uri=f"{CALLBACK}?tenant=1")
    assert response["tenant"] == "1"
    assert response["code"]


async def test_the_request_may_be_posted(rig: Rig) -> None:
    page = await rig.http.post("/authorize", data=asked())
    assert "code" in response_of(await rig.choose(page))


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "unknown"},
        {"redirect_uri": None},
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": CALLBACK.replace("127.0.0.1", "localhost")},
        {"redirect_uri": CALLBACK.replace(":8000", ":8001")},
        {"redirect_uri": f"{CALLBACK}?next=/"},
        {"redirect_uri": CALLBACK.upper()},
        {"redirect_uri": "https://attacker.example/auth/callback"},
    ],
)
async def test_an_untrusted_address_gets_a_page_and_never_a_redirect(
    rig: Rig, changes: dict[str, str | None]
) -> None:
    answer = await rig.authorize(**changes)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "invalid_request" in answer.text


async def test_a_refused_address_is_shown_beside_the_registered_ones(rig: Rig) -> None:
    page = (await rig.authorize(redirect_uri=f"{CALLBACK}/<b>")).text
    registered = "".join(f"<dd><code>{uri}</code></dd>" for uri in PUBLIC.redirect_uris)
    assert f"<dt>Got</dt><dd><code>{CALLBACK}/&lt;b&gt;</code></dd>" in page
    assert f"<dt>Registered</dt>{registered}" in page


async def test_a_missing_address_is_shown_as_none(rig: Rig) -> None:
    assert "<dt>Got</dt><dd>none</dd>" in (await rig.authorize(redirect_uri=None)).text


async def test_an_unknown_client_learns_of_no_address(rig: Rig) -> None:
    assert CALLBACK not in (await rig.authorize(client_id="unknown")).text


async def test_a_parameter_given_twice_gets_a_page(rig: Rig) -> None:
    answer = await rig.http.get("/authorize", params=[*asked().items(), ("state", "other")])
    assert answer.status_code == 400
    assert "more than once" in answer.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"prompt": "select_account"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://site.example/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)
async def test_a_bad_request_goes_back_under_its_name(
    rig: Rig, changes: dict[str, str | None], error: str
) -> None:
    response = response_of(await rig.authorize(**changes))
    assert response["error"] == error
    assert response["state"] == "the-state"
    assert response["iss"] == ISSUER
    assert "code" not in response


async def test_cancel_is_access_denied(rig: Rig) -> None:
    response = response_of(await rig.choose(await rig.authorize(), action="cancel"))
    assert response["error"] == "access_denied"
    assert response["state"] == "the-state"


async def test_form_post_sends_itself_and_has_a_button(rig: Rig) -> None:
    answer = await rig.choose(await rig.authorize(response_mode="form_post", state='"><b>'))
    assert answer.status_code == 200
    assert f'<form method="post" action="{CALLBACK}">' in answer.text
    assert "<button>Continue</button>" in answer.text
    fields = hidden(answer.text)
    assert set(fields) == {"code", "state", "iss"}
    assert fields["state"] == '"><b>'
    assert (await rig.redeem(fields["code"])).status_code == 200


async def test_a_second_sign_in_is_silent(rig: Rig) -> None:
    await rig.sign_in()
    assert "code" in response_of(await rig.authorize())
    assert "code" in response_of(await rig.authorize(prompt="none"))


@pytest.mark.parametrize("hint", ["alice", "alice@example.com"])
async def test_a_hint_at_the_signed_in_user_stays_silent(rig: Rig, hint: str) -> None:
    await rig.sign_in()
    assert "code" in response_of(await rig.authorize(login_hint=hint))


async def test_a_hint_at_another_user_puts_them_first(rig: Rig) -> None:
    await rig.sign_in()
    page = await rig.authorize(login_hint="bob@example.com")
    assert page.text.index('value="bob"') < page.text.index('value="alice"')
    silent = await rig.authorize(login_hint="bob", prompt="none")
    assert response_of(silent)["error"] == "login_required"


async def test_prompt_login_asks_again_and_stays_in_the_session(rig: Rig) -> None:
    first = await rig.claims((await rig.tokens())["id_token"])
    rig.clock.now += 100
    again = await rig.claims((await rig.tokens(prompt="login"))["id_token"])
    assert again["auth_time"] == 1_800_000_100
    assert first["auth_time"] == 1_800_000_000
    assert again["sid"] == first["sid"]


async def test_another_user_gets_another_session(rig: Rig) -> None:
    first = await rig.claims((await rig.tokens())["id_token"])
    other = await rig.claims((await rig.tokens("bob", prompt="login"))["id_token"])
    assert other["sub"] == "bob"
    assert other["sid"] != first["sid"]


async def test_signing_in_changes_the_cookie(rig: Rig) -> None:
    """A cookie planted before the sign-in is worth nothing after it."""
    await rig.sign_in()
    before = rig.http.cookies["devprovider_9000"]
    await rig.sign_in(prompt="login")
    assert rig.http.cookies["devprovider_9000"] != before
    assert rig.provider.sessions.get(before) is None


async def test_max_age_asks_again_once_the_sign_in_is_too_old(rig: Rig) -> None:
    await rig.sign_in()
    rig.clock.now += 60
    assert "code" in response_of(await rig.authorize(max_age="60"))
    rig.clock.now += 1
    assert response_of(await rig.authorize(max_age="60", prompt="none"))["error"] == (
        "login_required"
    )
    assert "Choose a test user" in (await rig.authorize(max_age="60")).text


async def test_prompt_consent_asks_and_does_not_count_as_a_sign_in(rig: Rig) -> None:
    await rig.sign_in()
    rig.clock.now += 100
    page = await rig.authorize(prompt="consent")
    assert "Allow access" in page.text
    code = response_of(await rig.choose(page))["code"]
    claims = await rig.claims((await rig.redeem(code)).json()["id_token"])
    assert claims["auth_time"] == 1_800_000_000


async def test_someone_else_answering_the_consent_page_signs_in(rig: Rig) -> None:
    await rig.sign_in()
    page = await rig.authorize(prompt="consent")
    code = response_of(await rig.choose(page, login="bob"))["code"]
    assert (await rig.claims((await rig.redeem(code)).json()["id_token"]))["sub"] == "bob"


async def test_offline_access_is_asked_for_once(rig: Rig) -> None:
    await rig.sign_in()
    scope = "openid offline_access"
    silent = await rig.authorize(scope=scope, prompt="none")
    assert response_of(silent)["error"] == "consent_required"
    await rig.choose(await rig.authorize(scope=scope))
    assert "code" in response_of(await rig.authorize(scope=scope, prompt="none"))


async def test_a_sign_in_page_works_once(rig: Rig) -> None:
    page = await rig.authorize()
    await rig.choose(page)
    again = await rig.choose(page)
    assert again.status_code == 400
    assert "location" not in again.headers


async def test_a_sign_in_page_left_open_too_long_has_ended(rig: Rig) -> None:
    page = await rig.authorize()
    rig.clock.now += 1800
    assert (await rig.choose(page)).status_code == 400


async def test_an_unknown_user_does_not_spend_the_page(rig: Rig) -> None:
    page = await rig.authorize()
    assert (await rig.choose(page, login="mallory")).status_code == 400
    assert (await rig.choose(page)).status_code == 303


async def test_the_form_of_another_site_is_refused(rig: Rig) -> None:
    """Login CSRF."""
    page = await rig.authorize()
    answer = await rig.http.post(
        "/sign-in",
        data=hidden(page.text) | {"login": "alice"},
        headers={"sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403
    assert not rig.http.cookies


async def test_pages_are_accessible_and_load_nothing(rig: Rig) -> None:
    page = await rig.authorize()
    for part in ('lang="en"', "<main>", "<h1>", "<legend>", 'name="viewport"', "<title>"):
        assert part in page.text
    assert "<script" not in page.text
    assert "http" not in unescape(page.text).replace("<!doctype html>", "")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action" not in policy
    assert page.headers["cache-control"] == "no-store"
    for user in ("alice", "bob", "carol"):
        assert f'name="login" value="{user}"' in page.text


async def test_the_session_cookie_is_out_of_reach_of_scripts(rig: Rig) -> None:
    answer = await rig.choose(await rig.authorize())
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_the_client_is_named_on_the_page(rig: Rig) -> None:
    assert f"<strong>{PUBLIC.client_id}</strong>" in (await rig.authorize()).text
