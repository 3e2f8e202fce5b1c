"""What is left of the tokens after each end of a refresh, and what is asked for before it."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest

from intastellar_auth.core.effects import Add, Fetch, Flow, Get, GetMany, Pause
from intastellar_auth.core.once import Work, once
from intastellar_auth.core.refresh import _refresh_of
from intastellar_auth.core.tokens import Kept
from intastellar_auth.errors import ProviderTimeout, ProviderUnreachable
from intastellar_auth.oidc.jose import split_token
from tests.oidc.forge import ISSUER, answer
from tests.settings.making import PEM

from .refreshing import LIFETIME, MODES, refreshing, visit, visiting
from .stage import DISCOVERY, DOCUMENT, JWKS, TOKEN, Stage, asked_of_provider


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def kept(stage: Stage) -> Kept | None:
    """Return the tokens that the browser's session has."""
    admitted = visiting(stage).admitted
    assert admitted is not None
    return admitted.session.tokens


def outcomes_asked_for(stage: Stage, before: int) -> int:
    """Return how often an outcome of a refresh was looked for since ``before``."""
    asked = [one.key for one in stage.hand.done[before:] if isinstance(one, Get)]
    signing_in = [one.key for one in stage.hand.done[:before] if isinstance(one, Get)]
    return len([key for key in asked if key.startswith("outcome:") and key not in signing_in])


def test_a_refresh_token_that_may_have_been_used_is_kept_by_nobody(mode: str) -> None:
    """P9's like: the access token stays good until it ends."""
    stage, _ = refreshing(mode=mode)
    stage.sign_in()
    stage.hand.clock.now += LIFETIME - 30
    stage.hand.say(TOKEN, ProviderTimeout("no answer within 10 s"))
    for process in (stage, stage.other_process()):
        left = kept(process)
        assert left is not None
        assert (left.access_token, left.refresh_token) == ("access-0", None)


def test_an_access_token_outlives_the_process_that_lost_its_refresh() -> None:
    """P9's like."""
    stage, _ = refreshing()
    stage.sign_in()
    stage.hand.clock.now += LIFETIME - 30
    worker = visiting(stage)
    stage.hand.until(worker.running, Add)
    stage.hand.step(worker.running)
    stage.hand.crash(worker.running)
    left = kept(stage.other_process())
    assert left is not None
    assert (left.access_token, left.refresh_token) == ("access-0", None)


def test_an_outcome_that_cannot_be_read_leaves_no_refresh_token(mode: str) -> None:
    """Another version has used it."""
    stage, _ = refreshing(mode=mode)
    stage.sign_in()
    admitted = visiting(stage).admitted
    assert admitted is not None
    assert admitted.session.tokens is not None

    def work() -> Flow[Work]:
        yield from ()
        return Work(b"\xc1")

    what = _refresh_of(stage.site, admitted.session, admitted.session.tokens)
    stage.hand.play(once(what, work))
    stage.hand.clock.now += LIFETIME - 30
    left = kept(stage)
    assert left is not None
    assert left.refresh_token is None


def test_a_refusal_ends_the_tokens_though_the_store_cannot_tell_of_another() -> None:
    stage, provider = refreshing()
    stage.sign_in()
    visit(stage)
    provider.live = None
    stage.hand.clock.now += LIFETIME - 30
    one = visiting(stage)
    stage.hand.until(one.running, Fetch)
    stage.hand.refused = {Get}
    assert one.admitted is not None
    assert one.admitted.session.tokens is None


def test_new_tokens_replace_the_old_ones_in_the_store() -> None:
    """Whoever finds the old ones there would have to look for what became of them."""
    stage, _ = refreshing(mode="server")
    stage.sign_in()
    stage.hand.clock.now += LIFETIME
    visit(stage)
    before = len(stage.hand.done)
    left = kept(stage.other_process())
    assert left is not None
    assert (left.access_token, left.refresh_token) == ("access-1", "refresh-1")
    assert outcomes_asked_for(stage, before) == 0


def test_tokens_that_are_not_believed_end_for_everybody_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """OpenID Connect Core section 12.2: nobody waits for what is known already."""
    stage, provider = refreshing()
    stage.sign_in()
    stage.hand.clock.now += LIFETIME - 30
    provider.id_token = {"sub": "mallory"}
    assert kept(stage) is None
    (line,) = caplog.records
    assert line.getMessage().endswith(' tokens="ended"')
    before = len(stage.hand.done)
    assert kept(stage.other_process()) is None
    assert Pause not in stage.hand.kinds()[before:]


def test_without_the_keys_at_hand_the_refresh_token_is_not_used() -> None:
    """All that can fail without it is done before."""
    stage, provider = refreshing()
    stage.sign_in()
    stage.hand.clock.now += LIFETIME - 30
    stage.hand.say(JWKS, ProviderUnreachable("nobody"))
    assert visit(stage.other_process()) == "access-0"
    assert provider.refreshes == 0


def test_without_openid_no_keys_are_needed() -> None:
    stage, provider = refreshing(scope="profile")
    reply = stage.go("/auth/login")
    stage.grants["code-1"] = {}
    stage.go(f"/auth/callback?code=code-1&state={asked_of_provider(reply)['state']}")
    stage.hand.clock.now += LIFETIME
    stage.hand.say(JWKS, ProviderUnreachable("nobody"))
    assert visit(stage.other_process()) == "access-1"
    assert provider.refreshes == 1


@pytest.mark.parametrize(("announced", "believed"), [(None, True), (["ES256"], False)])
def test_a_refreshed_id_token_is_signed_as_the_provider_says(
    announced: list[str] | None, *, believed: bool
) -> None:
    """ID-17: with any good algorithm where it says nothing."""
    stage, provider = refreshing()
    stage.sign_in()
    provider.id_token = {}
    name = "id_token_signing_alg_values_supported"
    document = {key: value for key, value in DOCUMENT.items() if key != name}
    if announced is not None:
        document[name] = [*announced]
    stage.hand.say(DISCOVERY, answer(document))
    stage.hand.clock.now += LIFETIME
    assert visit(stage.other_process()) == ("access-1" if believed else None)


def test_a_refresh_is_signed_anew_each_time_where_the_client_has_a_key() -> None:
    """RFC 7523 section 3: now, and with a jti of 128 bits."""
    stage, _ = refreshing(
        client_private_key=PEM, client_secret=None, token_endpoint_auth_method="private_key_jwt"
    )
    stage.sign_in()
    stage.hand.clock.now += LIFETIME
    now = stage.hand.clock.now
    assert visit(stage) == "access-1"
    form = dict(parse_qsl((stage.hand.fetched(TOKEN)[-1].body or b"").decode()))
    said = json.loads(split_token(form["client_assertion"], types=("jwt",)).payload)
    assert said["iat"] == int(now)
    assert len(str(said["jti"])) == 22


@pytest.mark.parametrize("gives", [True, False], ids=["refresh token", "none"])
def test_a_logout_looks_once_for_newer_tokens_where_there_can_be_any(*, gives: bool) -> None:
    stage, provider = refreshing()
    provider.gives_refresh_tokens = gives
    stage.sign_in()
    before = len(stage.hand.done)
    stage.go("/auth/logout")
    assert outcomes_asked_for(stage, before) == (1 if gives else 0)


def test_without_discovery_a_refreshed_id_token_is_signed_with_any_good_algorithm() -> None:
    """ID-17: nobody says which."""
    stage, provider = refreshing(
        authorization_endpoint=f"{ISSUER}/authorize", token_endpoint=TOKEN, jwks_uri=JWKS
    )
    stage.sign_in()
    provider.id_token = {}
    stage.hand.clock.now += LIFETIME
    assert visit(stage) == "access-1"


def test_a_session_that_ends_while_a_request_stands_still_has_no_tokens_any_more(
    mode: str,
) -> None:
    """P14: at its very second, though the access token would be good for a while yet."""
    stage, provider = refreshing(mode=mode, session_idle=1000, session_lifetime=100_000)
    provider.lifetime = 1030
    stage.sign_in()
    ends = stage.hand.clock.now + 1000
    stage.hand.clock.now += 980
    slow = visiting(stage.other_process())
    stage.hand.until(slow.running, GetMany)
    stage.hand.clock.now = ends
    admitted = slow.admitted
    assert admitted is None or admitted.auth.access_token is None
    assert provider.refreshes == 0
