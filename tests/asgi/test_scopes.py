"""What the app is given, in every shape that a server may give it to us."""

from __future__ import annotations

import pytest
from starlette.types import Message

from .gate import NAVIGATION, Gate, http, make_gate


@pytest.fixture
def gate() -> Gate:
    return make_gate()


def test_nobody_is_an_anonymous_user(gate: Gate) -> None:
    gate.ask()
    user, auth = gate.seen["user"], gate.seen["auth"]
    assert user.is_authenticated is False
    assert (user.sub, user.iss, user.email, user.claims) == (None, None, None, {})
    assert (user.display_name, user.identity) == ("", "")
    assert (auth.scopes, auth.access_token) == ((), None)


def test_a_signed_in_user_has_a_name_and_scopes(gate: Gate) -> None:
    gate.ask(headers=[(b"cookie", gate.cookie(name="Alice", email="alice@example.com"))])
    user, auth = gate.seen["user"], gate.seen["auth"]
    assert user.is_authenticated is True
    assert (user.sub, user.identity, user.display_name) == ("alice", "alice", "Alice")
    assert user.email == "alice@example.com"
    assert auth.scopes == ("authenticated", "profile")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_session_that_must_be_checked_is_checked_on_both_event_loops(
    gate: Gate, backend: str
) -> None:
    scope = http("/page", [(b"cookie", gate.cookie(age=60.0))])
    gate.send(scope, backend=backend)
    assert gate.seen["user"].is_authenticated


def test_the_apps_own_session_and_state_stay_its_own(gate: Gate) -> None:
    session, state = {"cart": 3}, {"pool": object()}
    gate.ask(session=session, state=state)
    assert gate.seen["session"] is session
    assert gate.seen["state"] is state
    assert session == {"cart": 3}
    gate.app.scopes.clear()
    gate.ask()
    assert "session" not in gate.seen


def test_what_a_client_claims_to_be_is_not_believed(gate: Gate) -> None:
    """PX-05, CS-12: no header, no query and no scope of a layer in front signs anybody in."""
    headers = [(b"x-user", b"alice"), (b"remote-user", b"alice"), (b"authorization", b"Bearer a")]
    gate.ask("/page?session=s-1", headers, user="alice")
    assert gate.seen["user"].is_authenticated is False


def test_several_cookie_headers_are_one(gate: Gate) -> None:
    """RFC 9113 section 8.2.3."""
    for headers in (
        [(b"cookie", b"a=b"), (b"cookie", gate.cookie()), (b"cookie", b"c=d")],
        [(b"cookie", gate.cookie()), (b"accept", b"*/*"), (b"cookie", b"a=b")],
    ):
        gate.app.scopes.clear()
        gate.ask(headers=headers)
        assert gate.seen["user"].is_authenticated


@pytest.mark.parametrize("cookie", [b"", b";", b"\xff\xfe", b"__Host-intastellar=1\xff", b"a"])
def test_a_cookie_header_of_garbage_is_nobody(gate: Gate, cookie: bytes) -> None:
    """CK-07."""
    assert gate.ask(headers=[(b"cookie", cookie)]).status == 200
    assert gate.seen["user"].is_authenticated is False


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"raw_path": None},
        {"raw_path": None, "root_path": None},
        {"path": "/mounted/private/a b", "root_path": "/mounted", "raw_path": None},
        {"path": "/mounted/private/a b", "root_path": "/mounted"},
        {"root_path": "/mounted"},
        {"root_path": "/priv"},
    ],
    ids=str,
)
def test_a_visitor_comes_back_to_the_page_however_the_server_spells_it(
    gate: Gate, changes: dict[str, object]
) -> None:
    """The path is relative to where the app is mounted, whether or not the server cut it off."""
    usual = {"path": "/private/a b", "raw_path": b"/private/a%20b"}
    if str(changes.get("path", "")).startswith("/mounted") and "raw_path" not in changes:
        usual["raw_path"] = b"/mounted/private/a%20b"
    got = gate.ask("/?x=%20", NAVIGATION, **{**usual, **changes})
    assert got.status == 303
    assert got.one("location") == "/auth/login?next=/private/a%2520b%3Fx%3D%2520"
    assert gate.app.scopes == []


def test_a_visitor_comes_back_to_the_path_as_the_browser_spelled_it(gate: Gate) -> None:
    """RD-08: to some apps an encoded slash is another path than a plain one."""
    got = gate.ask(
        headers=NAVIGATION,
        path="/mounted at/private/a/b",
        root_path="/mounted at",
        raw_path=b"/mounted%20at/private/a%2Fb",
    )
    assert got.one("location") == "/auth/login?next=/private/a%252Fb"


def test_a_raw_path_that_is_of_another_path_is_not_used(gate: Gate) -> None:
    got = gate.ask("/private/page", NAVIGATION, raw_path=b"/elsewhere")
    assert got.one("location") == "/auth/login?next=/private/page"


@pytest.mark.parametrize(
    ("path", "root_path"),
    [("/mounted/auth/user", "/mounted"), ("/auth/user", "/mounted"), ("/auth/user", "")],
)
def test_our_paths_are_found_where_the_app_is_mounted(
    gate: Gate, path: str, root_path: str
) -> None:
    assert gate.ask(path=path, root_path=root_path).status == 401


@pytest.mark.parametrize(
    ("path", "root_path"),
    [
        ("/mounted/auth/user", ""),
        ("/mountedauth/user", "/mounted"),
        ("/auth/users", ""),
        ("/auth/user/", ""),
        ("/mounted", "/mounted"),
    ],
)
def test_a_path_that_only_begins_like_one_of_ours_is_the_apps(
    gate: Gate, path: str, root_path: str
) -> None:
    """PX-06."""
    assert gate.ask(path=path, root_path=root_path).body == b"the app"


def test_the_root_of_a_mounted_app_is_protected_like_any_root() -> None:
    gate = make_gate(protected_paths="/")
    assert gate.ask(path="/mounted", root_path="/mounted").status == 401
    assert gate.ask(path="/mounted/page", root_path="/mounted").status == 200


def test_a_site_below_a_path_knows_its_own_addresses() -> None:
    gate = make_gate(base_url="https://site.example/shop", protected_paths="*")
    got = gate.ask("/page", NAVIGATION)
    assert got.one("location") == "/shop/auth/login?next=/shop/page"


STREAM: list[Message] = [
    {"type": "http.response.start", "status": 200, "headers": ((b"x-app", b"1"),)},
    {"type": "http.response.body", "body": b"one", "more_body": True},
    {"type": "http.response.body", "body": b"two", "more_body": True},
    {"type": "http.response.body"},
    {"type": "http.response.trailers", "headers": [(b"x-sum", b"2")]},
]


def test_an_answer_in_pieces_goes_through_piece_by_piece() -> None:
    gate = make_gate(*STREAM)
    got = gate.ask()
    assert got.messages[1:] == STREAM[1:]
    assert got.messages[0]["headers"] == [(b"x-app", b"1"), (b"vary", b"Cookie")]


def test_an_answer_without_headers_gets_one() -> None:
    gate = make_gate({"type": "http.response.start", "status": 204})
    assert gate.ask().messages[0]["headers"] == [(b"vary", b"Cookie")]


def test_what_an_answer_varies_by_already_is_kept() -> None:
    """CVE-2023-30861."""
    headers = [(b"vary", b"Accept-Encoding")]
    gate = make_gate({"type": "http.response.start", "status": 200, "headers": headers})
    assert gate.ask().all("vary") == ["Accept-Encoding", "Cookie"]


@pytest.mark.parametrize("signed_in", [True, False])
def test_an_exception_of_the_apps_is_the_servers_to_handle(gate: Gate, *, signed_in: bool) -> None:
    headers = [(b"cookie", gate.cookie(age=600.0))] if signed_in else []

    async def failing(*_: object) -> None:
        raise ZeroDivisionError("a mistake of the app's")

    gate.middleware._app = failing
    with pytest.raises(ZeroDivisionError):
        gate.ask(headers=headers)
