"""Our own paths, from a scope to a whole answer."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.types import Message

from intastellar_auth.asgi import AuthMiddleware
from intastellar_auth.errors import SettingsError

from .gate import FORM, NAVIGATION, PROVIDER, SESSION_COOKIE, Gate, http, make_gate

MOST = 65_536


@pytest.fixture
def gate() -> Gate:
    return make_gate()


def posted(*parts: bytes) -> list[Message]:
    """Return what a server says of a body that comes in these parts."""
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    return [*messages, {"type": "http.request"}]


def test_a_sign_in_starts(gate: Gate) -> None:
    got = gate.ask("/auth/login?next=/page", NAVIGATION)
    assert got.status == 303
    assert got.one("location").startswith(f"{PROVIDER}/authorize?")
    assert got.one("set-cookie").startswith("__Host-intastellar-login-")
    assert got.one("content-length") == "0"
    assert gate.app.scopes == []


def test_the_user_is_told_by_our_path_and_not_by_the_app(gate: Gate) -> None:
    got = gate.ask("/auth/user", [(b"Cookie".lower(), gate.cookie(name="Alice"))])
    assert json.loads(got.body)["display_name"] == "Alice"
    assert got.one("vary") == "Cookie"
    assert gate.app.scopes == []


def test_a_head_has_the_headers_and_no_body(gate: Gate) -> None:
    headers = [(b"cookie", gate.cookie())]
    full, head = gate.ask("/auth/user", headers), gate.ask("/auth/user", headers, method="HEAD")
    assert head.status == 200
    assert head.body == b""
    assert head.one("content-length") == full.one("content-length") == str(len(full.body))


def test_a_form_may_come_in_parts(gate: Gate) -> None:
    scope = http("/auth/logout", [*FORM, (b"sec-fetch-site", b"same-origin")], method="POST")
    got = gate.send(scope, *posted(b"ne", b"xt=%2F", b"bye"))
    assert got.one("location") == "/bye"


@pytest.mark.parametrize("path", ["/auth/callback", "/auth/logout", "/auth/backchannel-logout"])
def test_a_form_whose_sender_hangs_up_in_the_middle_is_dropped(gate: Gate, path: str) -> None:
    """P10: half a code is sent to nobody, and uses no sign-in up."""
    begun: Message = {"type": "http.request", "body": b"next=/b", "more_body": True}
    got = gate.send(http(path, FORM, method="POST"), begun, {"type": "http.disconnect"})
    assert got.messages == []
    assert gate.app.scopes == []


@pytest.mark.parametrize("path", ["/auth/callback", "/auth/logout", "/auth/login", "/auth/user"])
def test_a_body_that_is_larger_than_any_form_is_not_read_to_its_end(gate: Gate, path: str) -> None:
    """CB-17."""
    # To receive more than these two parts would fail.
    too_large = posted(b"x" * MOST, b"x")[:2]
    got = gate.send(http(path, FORM, method="POST"), *too_large)
    assert got.status == 413
    assert json.loads(got.body)["error"] == "content_too_large"
    assert gate.app.scopes == []


def test_a_body_as_large_as_a_form_may_be_is_read(gate: Gate) -> None:
    scope = http("/auth/logout", FORM, method="POST")
    assert gate.send(scope, *posted(b"x" * MOST)).status == 303


def test_no_body_is_read_that_is_not_ours_to_read(gate: Gate) -> None:
    """The app reads its own; and a GET has none that we would wait for."""
    for scope in (
        http("/page", method="POST"),
        http("/?state=s", method="POST"),
        http("/auth/user", method="PUT"),
        http("/auth/login", NAVIGATION),
    ):
        # To receive more than there is would fail.
        gate.send(scope, {"type": "http.never"})
    assert len(gate.app.scopes) == 2


def test_the_browser_comes_back_from_a_logout_to_where_it_was_going() -> None:
    gate = make_gate(
        end_session_endpoint=f"{PROVIDER}/logout", post_logout_path="/bye", protected_paths=""
    )
    got = gate.ask("/auth/logout?next=/after", [(b"cookie", gate.cookie())])
    asked = parse_qs(urlsplit(got.one("location")).query)
    assert asked["post_logout_redirect_uri"] == ["https://site.example/bye"]
    assert any(one.startswith(f"{SESSION_COOKIE}=;") for one in got.all("set-cookie"))
    assert gate.ask(f"/bye?state={asked['state'][0]}").one("location") == "/after"
    assert gate.app.scopes == []
    for target in ("/bye", "/bye?state=theirs", f"/page?state={asked['state'][0]}"):
        assert gate.ask(target).body == b"the app"


def test_a_session_ends_at_once_in_the_process_that_ends_it(gate: Gate) -> None:
    """LO-08: also one that it remembers, as it does when the cookie has come again."""
    headers = [(b"cookie", gate.cookie())]
    for _ in range(3):
        gate.ask(headers=headers)
    gate.ask("/auth/logout", headers)
    gate.ask(headers=headers)
    known = [scope["user"].is_authenticated for scope in gate.app.scopes]
    assert known == [True, True, True, False]


def test_header_names_in_any_case_are_read(gate: Gate) -> None:
    """Servers send them in lower case; a test client or a layer in front may not."""
    headers = [(b"Sec-Fetch-Mode", b"cors"), (b"Sec-Fetch-Dest", b"empty")]
    assert gate.ask("/auth/login", headers).status == 401


def test_without_settings_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTASTELLAR_BASE_URL", "not a URL")
    with pytest.raises(SettingsError, match="INTASTELLAR_BASE_URL"):
        AuthMiddleware(make_gate().app)
