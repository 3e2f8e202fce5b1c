"""What a refresh believes, keeps, says and takes back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pytest

from intastellar_auth.core.effects import Add, Fetch, Get, Put
from intastellar_auth.errors import ProviderUnreachable
from tests.oidc.forge import answer, jwk

from .refreshing import LIFETIME, MODES, REVOCATION, refreshing, visit, visiting
from .stage import DISCOVERY, DOCUMENT, JWKS, TOKEN, Stage, asked_of_provider, text

if TYPE_CHECKING:
    from intastellar_auth.oidc.json_object import Json

WITH_REVOCATION: dict[str, Json] = {**DOCUMENT, "revocation_endpoint": REVOCATION}


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def due(stage: Stage) -> Stage:
    """Sign in, and let the access token end."""
    stage.sign_in()
    stage.hand.clock.now += LIFETIME
    return stage


def revoked(stage: Stage) -> list[str]:
    """Return the tokens that the provider was asked to revoke."""
    forms = (parse_qsl((one.body or b"").decode()) for one in stage.hand.fetched(REVOCATION))
    return [dict(form)["token"] for form in forms]


@pytest.mark.parametrize("changes", [{}, {"nonce": "anything"}, {"auth_time": None}])
def test_a_refreshed_id_token_of_the_same_user_is_believed(changes: dict[str, Json]) -> None:
    """OpenID Connect Core section 12.2."""
    stage, provider = refreshing()
    provider.id_token = changes
    assert visit(due(stage)) == "access-1"


def test_a_refresh_that_takes_a_role_away_takes_it_from_the_user(mode: str) -> None:
    """RF-10, IM-07: in every process, and for good."""
    stage, provider = refreshing(mode=mode, claims="roles,name")
    provider.id_token = {"roles": ["reader"]}
    stage.sign_in(roles=["admin"], name="Alice")
    stage.hand.clock.now += LIFETIME
    visit(stage)
    provider.id_token = None
    for process in (stage, stage.other_process(), stage.other_process()):
        stage.hand.clock.now += LIFETIME
        one = visiting(process)
        assert one.admitted is not None
        claims = one.admitted.user.claims
        assert (claims["roles"], claims["name"]) == (["reader"], "Alice")
        one.answer()


def test_a_refresh_that_says_there_is_no_role_left_leaves_none(mode: str) -> None:
    """RF-10, IM-05: an empty claim is no claim."""
    stage, provider = refreshing(mode=mode, claims="roles,name")
    provider.id_token = {"roles": ""}
    stage.sign_in(roles=["admin"], name="Alice")
    stage.hand.clock.now += LIFETIME
    one = visiting(stage)
    assert one.admitted is not None
    assert "roles" not in one.admitted.user.claims
    assert one.admitted.user.claims["name"] == "Alice"


@pytest.mark.parametrize(
    "changes",
    [{"sub": "mallory"}, {"iss": "https://evil.example"}, {"aud": "other"}, {"exp": 1}, {"iat": 1}],
    ids=["sub", "iss", "aud", "exp", "iat"],
)
def test_tokens_that_come_with_an_id_token_of_somebody_else_are_not_used(
    mode: str, changes: dict[str, Json]
) -> None:
    """OpenID Connect Core section 12.2: the user stays who they are, without tokens."""
    stage, provider = refreshing(mode=mode)
    provider.id_token = changes
    due(stage)
    assert visit(stage) is None
    one = visiting(stage.other_process())
    assert one.access_token is None
    assert one.admitted is not None
    assert one.admitted.user.sub == "alice"
    assert provider.refreshes == 1


def test_the_keys_are_fetched_anew_for_an_id_token_signed_with_a_new_one() -> None:
    """JW rows: keys rotate."""
    stage, provider = refreshing()
    provider.id_token, provider.key = {}, "next"
    stage.hand.say(JWKS, answer({"keys": [jwk()]}), answer({"keys": [jwk(), jwk("RS256", "next")]}))
    due(stage)
    stage.hand.clock.now += 120
    assert visit(stage) == "access-1"


def test_an_id_token_that_was_not_asked_for_is_not_looked_at() -> None:
    stage, provider = refreshing(scope="profile")
    provider.id_token = {"sub": "mallory"}
    reply = stage.go("/auth/login")
    stage.grants["code-1"] = {}
    stage.go(f"/auth/callback?code=code-1&state={asked_of_provider(reply)['state']}")
    stage.hand.clock.now += LIFETIME
    assert visit(stage) == "access-1"


def test_the_new_token_is_for_the_same_resources() -> None:
    """RFC 8707 section 2.2."""
    resources = ["https://api.example/a", "https://api.example/b"]
    stage, _ = refreshing(authorization_params={"resource": resources})
    visit(due(stage))
    form = parse_qsl((stage.hand.fetched(TOKEN)[-1].body or b"").decode())
    assert [value for name, value in form if name == "resource"] == resources


def test_a_provider_that_does_not_rotate_is_asked_with_the_same_token_again(mode: str) -> None:
    """RFC 6749 section 6."""
    stage, provider = refreshing(mode=mode)
    provider.rotates = False
    due(stage)
    assert visit(stage) == "access-1"
    stage.hand.clock.now += LIFETIME
    assert visit(stage.other_process()) == "access-2"
    assert (provider.refreshes, provider.reused) == (2, 0)


def test_a_token_whose_end_nobody_knows_is_not_refreshed(mode: str) -> None:
    stage, provider = refreshing(mode=mode)
    provider.lifetime = None
    stage.sign_in()
    stage.hand.clock.now += 80_000
    assert visit(stage) == "access-0"
    assert provider.refreshes == 0


def test_a_token_without_a_refresh_token_is_used_until_it_ends(mode: str) -> None:
    stage, provider = refreshing(mode=mode)
    provider.gives_refresh_tokens = False
    stage.sign_in()
    stage.hand.clock.now += LIFETIME - 1
    assert visit(stage) == "access-0"
    stage.hand.clock.now += 1
    assert visit(stage) is None
    assert provider.refreshes == 0


def test_a_refresh_may_narrow_the_scope(mode: str) -> None:
    """RFC 6749 section 6: the app must not believe that it may do more."""
    stage, provider = refreshing(mode=mode)
    provider.more = {"scope": "openid"}
    due(stage)
    admitted = visiting(stage).admitted
    assert admitted is not None
    assert admitted.auth.scopes == ("authenticated", "openid")


@pytest.mark.parametrize("mark", ["access-0", "refresh-0", "access-1", "refresh-1"])
def test_no_token_is_in_a_log_or_a_repr_or_what_a_script_may_ask(
    mode: str, mark: str, caplog: pytest.LogCaptureFixture
) -> None:
    """RF-14, HL-09, TM-05, BF-08."""
    caplog.set_level(logging.DEBUG)
    stage, _ = refreshing(mode=mode)
    due(stage)
    one = visiting(stage)
    admitted = one.admitted
    assert admitted is not None
    one.answer()
    said = text(stage.go("/auth/user"))
    stage.hand.say(TOKEN, answer({"error": "invalid_grant"}, status=400))
    stage.hand.clock.now += LIFETIME
    visit(stage)
    stage.go("/auth/logout")
    shown = repr([admitted, admitted.session, admitted.session.tokens, admitted.auth])
    assert mark not in shown + said + caplog.text + repr(stage.hand.done[:0])
    values = [one.value for one in stage.hand.done if isinstance(one, Put | Add)]
    assert not any(mark.encode() in value for value in values)


@pytest.mark.parametrize("kind", [Add, Get])
def test_a_store_that_is_down_loses_no_tokens(mode: str, kind: type[Add | Get]) -> None:
    """P9's like: a token that nobody could claim is not used."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    visit(stage)
    stage.hand.clock.now += LIFETIME - 30
    stage.hand.refused = {kind}
    assert visit(stage) == "access-0"
    assert provider.refreshes == 0
    stage.hand.refused = set()
    stage.hand.clock.now += 40
    assert visit(stage) == "access-1"
    assert (provider.refreshes, provider.reused) == (1, 0)


def test_a_store_that_fails_behind_a_refresh_never_makes_the_token_be_used_twice(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """P9's like: who refreshed has the new tokens, and whoever cannot know of them has none."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    visit(stage)
    stage.hand.clock.now += LIFETIME
    stage.hand.refused = {Put}
    assert visit(stage) == "access-1"
    assert "event=outcome_not_kept" in caplog.text
    stage.hand.refused = set()
    assert visit(stage) == "access-1"
    visit(stage.other_process())
    assert (provider.refreshes, provider.reused) == (1, 0)


def test_a_provider_whose_keys_cannot_be_had_is_asked_later() -> None:
    """The refresh token is not used before all else is at hand."""
    stage, provider = refreshing()
    stage.sign_in()
    stage.hand.clock.now += 90_000 - 30
    fresh = stage.other_process()
    stage.hand.say(DISCOVERY, ProviderUnreachable("nobody"))
    assert visiting(fresh).admitted is None, "the session has idled out"
    assert provider.refreshes == 0


def test_a_logout_revokes_the_newest_refresh_token(mode: str) -> None:
    """LO rows, RFC 7009: also where the browser has an old cookie."""
    stage, _ = refreshing(mode=mode)
    stage.hand.say(DISCOVERY, answer(WITH_REVOCATION))
    stage.hand.say(REVOCATION, answer({}))
    due(stage)
    old = dict(stage.browser.cookies)
    visit(stage)
    stage.browser.cookies = old
    stage.go("/auth/logout")
    assert revoked(stage) == ["refresh-1"]
    assert not stage.browser.signed_in


def test_a_logout_revokes_the_access_token_where_there_is_no_other(mode: str) -> None:
    stage, provider = refreshing(mode=mode)
    stage.hand.say(DISCOVERY, answer(WITH_REVOCATION))
    stage.hand.say(REVOCATION, answer({}))
    provider.gives_refresh_tokens = False
    stage.sign_in()
    stage.go("/auth/logout")
    assert revoked(stage) == ["access-0"]


@pytest.mark.parametrize(
    "trouble", [ProviderUnreachable("nobody"), answer({}, status=500), answer({}, status=400)]
)
def test_a_logout_that_cannot_revoke_is_a_logout(
    mode: str, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    stage, _ = refreshing(mode=mode)
    stage.hand.say(DISCOVERY, answer(WITH_REVOCATION))
    stage.hand.say(REVOCATION, trouble)
    stage.sign_in()
    stage.go("/auth/logout")
    assert not stage.browser.signed_in
    assert "event=tokens_not_revoked" in caplog.text


def test_a_logout_goes_on_to_revoke_when_the_browser_is_gone(mode: str) -> None:
    stage, _ = refreshing(mode=mode)
    stage.hand.say(DISCOVERY, answer(WITH_REVOCATION))
    stage.hand.say(REVOCATION, answer({}))
    stage.sign_in()
    gone = stage.run(stage.browser.request("/auth/logout"))
    stage.hand.until(gone, Fetch)
    stage.hand.hang_up(gone)
    stage.hand.finish(gone)
    assert revoked(stage) == ["refresh-0"]


def test_p13_what_a_refresh_brings_after_a_logout_is_revoked_too(mode: str) -> None:
    """RF-11, P13: the logout came while the provider was answering."""
    stage, provider = refreshing(mode=mode)
    stage.hand.say(DISCOVERY, answer(WITH_REVOCATION))
    stage.hand.say(REVOCATION, answer({}))
    due(stage)
    slow = visiting(stage)
    stage.hand.until(slow.running, Fetch)
    cookies = dict(stage.browser.cookies)
    stage.other_process().go("/auth/logout")
    assert slow.access_token is None
    assert revoked(stage) == ["refresh-0", "refresh-1"]
    assert provider.refreshes == 1
    stage.browser.cookies = cookies
    stage.hand.clock.now += 31
    assert visiting(stage.other_process()).admitted is None


def test_tokens_too_large_for_cookies_fail_the_sign_in_and_name_the_parts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """CK rows: what is large, and what to set."""
    stage, provider = refreshing()
    provider.more_at_sign_in = {"access_token": "a" * 9000}
    reply = stage.sign_in()
    assert reply.status == 507
    assert "access token 9000 bytes" in caplog.text
    assert "INTASTELLAR_SESSION_MODE=server" in caplog.text


def test_tokens_that_grow_too_large_for_cookies_are_used_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage, provider = refreshing()
    provider.more = {"access_token": "a" * 9000}
    due(stage)
    assert visit(stage) == "a" * 9000
    assert "event=session_not_written" in caplog.text
    assert visit(stage.other_process()) == "a" * 9000
    assert provider.refreshes == 1


def test_tokens_of_any_size_are_kept_in_the_store() -> None:
    stage, provider = refreshing(mode="server")
    provider.more_at_sign_in = {"access_token": "a" * 9000}
    stage.sign_in()
    assert visit(stage) == "a" * 9000
    assert sum(map(len, stage.browser.cookies.values())) < 3000
