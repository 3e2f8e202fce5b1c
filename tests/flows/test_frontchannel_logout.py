"""Front-channel logout: a frame on the provider's page names a session, and brings no cookie."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from intastellar_auth.core.effects import Get, Put
from tests.oidc.forge import ISSUER
from tests.oidc.forge_logout import SID, logout_token

from .stage import Browser, Stage, header, make_stage, set_cookies
from .told import FRONT, framed, lives, signed_in, tell


@pytest.fixture
def alice() -> Stage:
    """Return a stage with alice signed in."""
    return signed_in()


def test_a_frame_ends_the_session_that_it_names(alice: Stage) -> None:
    """FL-01, CF-X01, CF-X02: without any cookie."""
    reply = framed(alice, iss=ISSUER, sid=SID)
    assert (reply.status, set_cookies(reply)) == (200, {})
    assert header(reply, "content-security-policy").endswith(f"frame-ancestors {ISSUER}")
    assert not lives(alice)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"iss": ISSUER},
        {"sid": SID},
        {"iss": "https://evil.example", "sid": SID},
        {"iss": f"{ISSUER}/", "sid": SID},
        {"iss": ISSUER, "sid": ""},
    ],
)
def test_a_frame_that_does_not_say_whose_session_ends_nothing(
    alice: Stage, query: dict[str, str]
) -> None:
    """FL-02: and the store is not even asked."""
    assert framed(alice, **query).status == 200
    assert alice.hand.done == []
    assert lives(alice)


@pytest.mark.parametrize("sid", ["made-up", SID.upper(), f"{SID} ", "x" * 10_000])
def test_a_made_up_sid_leaves_nothing_in_the_store(alice: Stage, sid: str) -> None:
    """SS-07, FL-03: one question, and the same answer."""
    made_up = framed(alice, iss=ISSUER, sid=sid)
    assert alice.hand.kinds() == [Get]
    assert lives(alice)
    assert made_up == framed(alice, iss=ISSUER, sid=SID)


def test_a_sid_that_comes_twice_is_none(alice: Stage) -> None:
    target = f"{FRONT}?{urlencode({'iss': ISSUER, 'sid': SID})}&sid={SID}"
    assert alice.hand.finish(alice.run(Browser().request(target))).status == 400
    assert lives(alice)


def test_without_an_issuer_there_is_nobody_to_ask() -> None:
    """A site that signs in without OpenID Connect."""
    stage = make_stage(
        issuer=None,
        scope="profile",
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        userinfo_endpoint=f"{ISSUER}/userinfo",
    )
    reply = framed(stage, iss=ISSUER, sid=SID)
    assert reply.status == 200
    assert header(reply, "content-security-policy").endswith("frame-ancestors 'none'")
    assert stage.hand.done == []


def test_a_frame_is_told_when_the_store_is_down(alice: Stage) -> None:
    for kinds in ({Get}, {Put}):
        alice.hand.refused = set(kinds)
        assert framed(alice, iss=ISSUER, sid=SID).status == 503
    alice.hand.refused = set()
    assert lives(alice)


def test_the_log_says_how_and_not_who(alice: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """TM-05."""
    caplog.set_level("DEBUG")
    raw = logout_token()
    framed(alice, iss=ISSUER, sid=SID)
    tell(alice, raw)
    tell(alice, raw)
    assert caplog.text.count("event=signed_out_by_provider") == 2
    assert 'channel="front"' in caplog.text
    assert 'channel="back"' in caplog.text
    assert "came before (jti)" in caplog.text
    assert not [secret for secret in ("alice", SID, raw) if secret in caplog.text]
