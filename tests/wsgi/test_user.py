"""What the app sees of its user, and what nobody but us may say."""

from __future__ import annotations

import json

import pytest

from intastellar_auth import AnonymousUser
from intastellar_auth.user import NO_AUTH

from .client import FETCH, NAVIGATION
from .site import App, make_site


def test_the_app_sees_who_is_signed_in() -> None:
    app = App()
    site = make_site(app)

    got = site.ask(headers={**NAVIGATION, "cookie": site.cookie(claims={"name": "Alice"})})

    assert got.body == app.body
    (environ,) = app.seen
    assert environ["REMOTE_USER"] == "alice"
    assert environ["AUTH_TYPE"] == "Intastellar"
    assert environ["intastellar.user"].display_name == "Alice"
    assert environ["intastellar.user"].iss == "https://id.example"
    assert environ["intastellar.auth"].scopes == ("authenticated", "openid", "email")


@pytest.mark.parametrize("cookie", ["", "__Host-intastellar=1garbage", "a=b"])
def test_the_app_sees_that_nobody_is_signed_in(cookie: str) -> None:
    app = App()

    make_site(app).ask(headers={**NAVIGATION, **({"cookie": cookie} if cookie else {})})

    (environ,) = app.seen
    assert environ["intastellar.user"] == AnonymousUser()
    assert environ["intastellar.auth"] == NO_AUTH
    assert "REMOTE_USER" not in environ
    assert "AUTH_TYPE" not in environ


def test_a_user_that_somebody_else_names_is_not_ours() -> None:
    """HL-03: a server in front that does Basic, or whoever could set these."""
    app = App()
    site = make_site(app)
    outer = {"REMOTE_USER": "mallory", "AUTH_TYPE": "Basic"}

    site.ask(environ=outer)
    cookie = {**NAVIGATION, "cookie": site.cookie()}
    site.ask(headers=cookie, environ=outer)

    nobody, alice = app.seen
    assert "REMOTE_USER" not in nobody
    assert "AUTH_TYPE" not in nobody
    assert (alice["REMOTE_USER"], alice["AUTH_TYPE"]) == ("alice", "Intastellar")


def test_a_session_that_needs_a_look_into_the_store_is_looked_up() -> None:
    """The check against ended sessions is due; nobody has ended this one."""
    app = App()
    site = make_site(app)
    cookie = {**NAVIGATION, "cookie": site.cookie()}
    site.clock.now += 31

    site.ask(headers=cookie)

    assert app.seen[0]["REMOTE_USER"] == "alice"


def test_an_ended_session_is_nobody_s() -> None:
    app = App()
    site = make_site(app)
    cookie = {**NAVIGATION, "cookie": site.cookie()}

    assert site.ask("/auth/logout", headers=cookie).code == 303
    site.ask(headers=cookie)

    assert "REMOTE_USER" not in app.seen[0]


def test_a_script_is_told_who_is_signed_in() -> None:
    site = make_site(App())

    got = site.ask("/auth/user", headers={**FETCH, "cookie": site.cookie()})

    assert got.status == "200 OK"
    assert json.loads(got.body)["sub"] == "alice"
    assert site.ask("/auth/user", headers=FETCH).status == "401 Unauthorized"


@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket"])
@pytest.mark.parametrize("origin", ["https://evil.example", "https://a.site.example", "null", ""])
def test_a_page_of_another_site_opens_no_websocket_as_our_visitor(
    upgrade: str, origin: str
) -> None:
    """CK-24."""
    app = App()
    site = make_site(app)
    sent = {"upgrade": upgrade, "connection": "upgrade", "origin": origin}

    site.ask("/ws", headers={**sent, "cookie": site.cookie()})
    refused = site.ask("/private/ws", headers={**sent, "cookie": site.cookie()})

    (environ,) = app.seen
    assert environ["intastellar.user"] == AnonymousUser()
    assert "REMOTE_USER" not in environ
    assert refused.code == 401


@pytest.mark.parametrize(
    "sent",
    [
        {"upgrade": "websocket", "origin": "https://site.example"},
        {"upgrade": "websocket"},
        {"upgrade": "h2c", "origin": "https://evil.example"},
        {"origin": "https://evil.example"},
    ],
)
def test_any_other_request_is_from_whoever_has_the_cookie(sent: dict[str, str]) -> None:
    app = App()
    site = make_site(app)

    site.ask("/ws", headers={**sent, "cookie": site.cookie()})

    assert app.seen[0]["REMOTE_USER"] == "alice"
