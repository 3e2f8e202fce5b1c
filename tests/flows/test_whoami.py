"""Who is signed in, for the site's own scripts."""

from __future__ import annotations

import json

import pytest

from intastellar_auth.core.effects import GetMany
from tests.oidc.forge import ACCESS_TOKEN, ISSUER

from .stage import Stage, header, make_stage, set_cookies, text

SCRIPT: dict[str, str | None] = {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}


@pytest.fixture
def stage() -> Stage:
    return make_stage()


@pytest.mark.parametrize("headers", [SCRIPT, {}], ids=["script", "visitor"])
def test_a_signed_in_user_is_told_in_json(stage: Stage, headers: dict[str, str | None]) -> None:
    stage.sign_in()
    reply = stage.go("/auth/user", headers)
    assert json.loads(reply.body) == {
        "is_authenticated": True,
        "sub": "alice",
        "iss": ISSUER,
        "identity": "alice",
        "display_name": "Alice",
        "email": "alice@example.com",
        "claims": {
            "sub": "alice",
            "iss": ISSUER,
            "name": "Alice",
            "email": "alice@example.com",
        },
        "scopes": ["authenticated", "openid", "profile", "email"],
    }
    assert header(reply, "cache-control") == "no-store"
    assert set_cookies(reply) == {}


def test_no_token_is_ever_told(stage: Stage) -> None:
    """BF-08."""
    stage.sign_in()
    told = text(stage.go("/auth/user"))
    assert ACCESS_TOKEN not in told
    assert "eyJ" not in told


@pytest.mark.parametrize("headers", [SCRIPT, {}], ids=["script", "visitor"])
def test_nobody_is_told_where_to_sign_in(headers: dict[str, str | None]) -> None:
    stage = make_stage(landing_path="/home")
    reply = stage.go("/auth/user", headers)
    assert reply.status == 401
    told = json.loads(reply.body)
    assert told.pop("reference")
    assert told == {
        "error": "login_required",
        "message": "Please sign in first.",
        "login_url": "https://site.example/auth/login?next=/home",
    }
    assert header(reply, "www-authenticate") == 'Cookie realm="https://site.example"'


def test_a_session_that_was_ended_elsewhere_is_nobody_after_the_interval(stage: Stage) -> None:
    stage.sign_in()
    other = stage.other_process()
    assert other.go("/auth/user").status == 200
    kept = dict(stage.browser.cookies)
    stage.go("/auth/logout")
    stage.browser.cookies = kept
    stage.hand.clock.now += 30
    stage.hand.done.clear()
    assert other.go("/auth/user").status == 401
    assert stage.hand.kinds() == [GetMany]
