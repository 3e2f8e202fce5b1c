"""Back-channel logout, effect by effect: what is asked, in which order, and whom it ends."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intastellar_auth.core.effects import Get, Put
from intastellar_auth.core.messages import Request
from intastellar_auth.errors import ProviderTimeout
from intastellar_auth.oidc.json_object import Json
from intastellar_auth.oidc.logout_token import MAX_AGE
from tests.oidc.forge import ISSUER, NOW, answer, claims, jwk, token
from tests.oidc.forge_logout import SID, logout_claims, logout_token

from .stage import DISCOVERY, JWKS, Browser, Stage, make_stage, set_cookies
from .told import BACK, FORM, form, lives, posted, signed_in, stored, tell


@pytest.fixture
def stage() -> Stage:
    """Return a stage that has not met its provider."""
    return make_stage()


@pytest.fixture
def alice() -> Stage:
    """Return a stage with alice signed in."""
    return signed_in()


def test_a_session_is_ended_after_everything_was_checked(stage: Stage) -> None:
    """CF-K01, BL-01: the keys, the token, its jti, whose the sid is; and the jti is kept last."""
    assert tell(stage, logout_token()).status == 200
    assert [getattr(one, "url", type(one)) for one in stage.hand.done] == [
        *(DISCOVERY, JWKS),
        *(Get, Get, Put, Put),
    ]
    jti, known, tombstone, kept = stored(stage)
    assert isinstance(jti, Get)
    assert isinstance(known, Get)
    assert isinstance(tombstone, Put)
    assert isinstance(kept, Put)
    assert kept.key == jti.key
    assert tombstone.key not in (jti.key, known.key)
    assert kept.ttl == MAX_AGE + 2 * stage.settings.clock_skew


def test_a_tombstone_outlives_a_sign_in_that_is_under_way(stage: Stage) -> None:
    """BL-14: begun before the logout, ended after it, and then in use for as long as may be."""
    for raw in (logout_token(), logout_token(sid=None)):
        stage.hand.done.clear()
        tell(stage, raw)
        tombstone, _ = (one for one in stored(stage) if isinstance(one, Put))
        longest = stage.settings.login_timeout + stage.settings.session_lifetime
        assert tombstone.ttl == longest


UNREADABLE: dict[str, Request] = {
    "no body": posted(b""),
    "no type": posted(form(logout_token()), {}),
    "JSON": posted(b'{"logout_token": "x"}', {"content-type": "application/json"}),
    "multipart": posted(form(logout_token()), {"content-type": "multipart/form-data; boundary=x"}),
    "two types": posted(form(logout_token()), {"content-type": f"{FORM['content-type']}, a/b"}),
    "two tokens": posted(form(logout_token()) + b"&" + form(logout_token())),
    "the same twice": posted(form("a.b.c") * 2),
    "only in the query": posted(b"", query=form(logout_token()).decode()),
    "an empty one": posted(b"logout_token="),
    "another field": posted(b"id_token=x"),
    "more than 16 kB": posted(form(logout_token()) + b"&x=" + b"x" * 20_000),
    "gzip": posted(gzip.compress(form(logout_token())), {**FORM, "content-encoding": "gzip"}),
    "not UTF-8": posted(b"logout_token=%ff"),
    "no token": posted(form("x")),
    "two parts": posted(form("x.y")),
    "an encrypted one": posted(form("a.b.c.d.e")),
    "an alg of none": posted(form(token(logout_claims(), {"alg": "none"}))),
    "a MAC": posted(form(token(logout_claims(), {"alg": "HS256", "kid": "main"}))),
    "an access token": posted(form(token(logout_claims(), {"alg": "RS256", "typ": "at+jwt"}))),
    "a key of its own": posted(form(token(logout_claims(), {"alg": "RS256", "jwk": jwk()}))),
    "crit": posted(form(token(logout_claims(), {"alg": "RS256", "crit": ["x"], "x": 1}))),
}


@pytest.mark.parametrize("request_", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_a_token_costs_nothing_but_reading_it(
    stage: Stage, request_: Request
) -> None:
    """BL-15, BL-17, BL-11, CF-K02: no key is fetched for it, and the store is not asked."""
    reply = stage.hand.finish(stage.run(request_))
    assert reply.status == 400
    assert stage.hand.done == []


UNBELIEVED: dict[str, str] = {
    "from another issuer": logout_token(iss="https://evil.example"),
    "for another client": logout_token(aud="other"),
    "without an event": logout_token(events={}),
    "with a nonce": logout_token(nonce="n"),
    "for nobody": logout_token(sub=None, sid=None),
    "without a name": logout_token(jti=None),
    "old": logout_token(iat=NOW - 2 * MAX_AGE),
    "an ID token": token(claims(sid=SID)),
    "signed by somebody else": token(logout_claims(), {"alg": "RS256", "kid": "main"}, name="x"),
    "another algorithm": token(logout_claims(), alg="ES256"),
}


@pytest.mark.parametrize("raw", UNBELIEVED.values(), ids=UNBELIEVED)
def test_what_is_not_believed_never_gets_to_the_store(alice: Stage, raw: str) -> None:
    """CF-K03 to CF-K08, BL-03, BL-06, BL-10, BL-13."""
    assert tell(alice, raw).status == 400
    assert stored(alice) == []
    assert lives(alice)


@settings(max_examples=60)
@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda raw: b"logout_token=" + raw))
def test_no_body_is_an_error_of_ours_or_a_logout(body: bytes) -> None:
    stage = make_stage()
    assert stage.hand.finish(stage.run(posted(body))).status == 400
    assert stage.hand.done == []


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["logout_token", "sid", "iss", "state", "code"]), st.text()))
def test_no_fields_are_an_error_of_ours_or_a_logout(fields: dict[str, str]) -> None:
    stage = make_stage()
    body = urlencode(fields, errors="surrogatepass").encode()
    assert stage.hand.finish(stage.run(posted(body))).status == 400
    assert stage.hand.done == []


def test_fields_beside_the_token_are_ignored(alice: Stage) -> None:
    body = b"client_id=x&" + form(logout_token()) + b"&x="
    charset = {"content-type": "Application/X-WWW-Form-URLEncoded; charset=utf-8"}
    assert alice.hand.finish(alice.run(posted(body, charset))).status == 200
    assert not lives(alice)


# --- whom it ends


def test_a_sid_ends_its_session_and_the_users_others_stay(alice: Stage) -> None:
    """BL-01: in every process."""
    phone = Stage(alice.hand, alice.settings, alice.site, Browser(), alice.grants)
    phone.sign_in(code="code-2", sid="another")
    assert tell(alice, logout_token()).status == 200
    assert not lives(alice)
    assert lives(phone)


def test_a_sub_ends_all_sessions_of_the_user(alice: Stage) -> None:
    """BL-02."""
    phone = Stage(alice.hand, alice.settings, alice.site, Browser(), alice.grants)
    phone.sign_in(code="code-2")
    bob = Stage(alice.hand, alice.settings, alice.site, Browser(), alice.grants)
    bob.hand.say(f"{ISSUER}/userinfo", answer({"sub": "bob"}))
    bob.sign_in(code="code-3", sub="bob")
    assert tell(alice, logout_token(sid=None)).status == 200
    assert not lives(alice)
    assert not lives(phone)
    assert lives(bob)


def test_a_sid_of_somebody_else_ends_nothing(alice: Stage) -> None:
    """BL-04: and the same token is no more welcome the second time."""
    raw = logout_token(sub="bob")
    for _ in range(2):
        assert tell(alice, raw).status == 400
    assert Put not in alice.hand.kinds()
    assert lives(alice)


def test_a_sid_alone_needs_no_sub(alice: Stage) -> None:
    assert tell(alice, logout_token(sub=None)).status == 200
    assert not lives(alice)


@pytest.mark.parametrize("raw", [logout_token(sid="unknown"), logout_token(sub="x", sid=None)])
def test_nobody_learns_whether_a_sid_or_a_sub_is_known(alice: Stage, raw: str) -> None:
    """BL-05."""
    known, unknown = tell(alice, logout_token(sid="s-9")), tell(alice, raw)
    assert known == unknown
    assert lives(alice)


# --- once, and not less than once


def test_a_token_is_good_for_one_use_in_all_processes(alice: Stage) -> None:
    """BL-12."""
    raw = logout_token()
    assert tell(alice, raw).status == 200
    alice.hand.done.clear()
    for stage in (alice, alice.other_process()):
        assert tell(stage, raw).status == 400
    assert Put not in alice.hand.kinds()


def test_a_token_is_remembered_for_as_long_as_it_is_good(stage: Stage) -> None:
    """BL-12: from the future by the whole leeway, and then as old as a token may be."""
    skew = stage.settings.clock_skew
    raw = logout_token(iat=NOW + skew, exp=NOW + 9999)
    assert tell(stage, raw).status == 200
    stage.hand.clock.now += MAX_AGE + 2 * skew - 0.1
    stage.hand.done.clear()
    assert tell(stage, raw).status == 400
    assert Get in stage.hand.kinds(), "too old, and so not a test of what is remembered"
    stage.hand.clock.now += 0.2
    stage.hand.done.clear()
    assert tell(stage, raw).status == 400
    assert stored(stage) == []


def test_another_sites_tokens_are_others(stage: Stage) -> None:
    """Two sites may share a store, and providers count as they like."""
    other = make_stage(client_id="client-2")
    other.hand.store = stage.hand.store
    assert tell(stage, logout_token(jti="1")).status == 200
    assert tell(other, logout_token(jti="1", aud="client-2")).status == 200


@pytest.mark.parametrize("raw", [logout_token(), logout_token(sid=None)], ids=["sid", "sub"])
@pytest.mark.parametrize("at", range(4))
def test_a_store_that_is_down_is_never_a_yes(alice: Stage, raw: str, at: int) -> None:
    """BL-20: at any step, and the provider may send the same token again."""
    running = alice.run(posted(form(raw)))
    for _ in range(at):
        alice.hand.step(running)
    alice.hand.refused = {Get, Put}
    assert alice.hand.finish(running).status == 503
    alice.hand.refused = set()
    assert tell(alice, raw).status == 200
    assert not lives(alice)


def test_a_provider_that_cannot_be_asked_for_its_keys_may_try_again(stage: Stage) -> None:
    raw = logout_token()
    stage.hand.say(JWKS, ProviderTimeout("accounts.example: no answer within 10 s"))
    assert tell(stage, raw).status == 503
    assert stored(stage) == []
    stage.hand.say(JWKS, answer({"keys": [jwk()]}))
    stage.hand.clock.now += 1
    assert tell(stage, raw).status == 200


def test_a_new_key_is_looked_for_once(alice: Stage) -> None:
    """BL-09, BL-17, DJ-10."""
    alice.hand.say(JWKS, answer({"keys": [jwk("RS256", "new")]}))
    new = token(logout_claims(), name="new")
    assert tell(alice, new).status == 200
    assert len(alice.hand.fetched(JWKS)) == 1
    for number in range(20):
        unknown: Mapping[str, Json] = {"alg": "RS256", "kid": f"k-{number}"}
        assert tell(alice, token(logout_claims(), unknown)).status == 400
    assert len(alice.hand.fetched(JWKS)) == 1


def test_the_visitors_own_cookies_mean_nothing_here(alice: Stage) -> None:
    """BL-16, BL-18: whoever posts from a browser of alice's."""
    body = form(logout_token(sub="bob", sid="s-9"))
    headers: dict[str, str | None] = {**FORM, "origin": "https://evil.example"}
    reply = alice.ask(alice.browser.request(BACK, "POST", headers, body))
    assert (reply.status, reply.body, set_cookies(reply)) == (200, b"{}", {})
    assert lives(alice)
