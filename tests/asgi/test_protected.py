"""Paths that need a signed-in user, and what whoever is not one gets instead."""

from __future__ import annotations

import json

import pytest

from .gate import NAVIGATION, Gate, Headers, make_gate

OLD_BROWSER: Headers = [(b"accept", b"text/html,*/*;q=0.8")]


@pytest.fixture
def gate() -> Gate:
    return make_gate(public_paths="/private/open/*", protected_paths="/private/*,/admin")


@pytest.mark.parametrize("path", ["/", "/page", "/private/open", "/private/open/page", "/privatex"])
def test_a_path_that_needs_nobody_is_open_to_all(gate: Gate, path: str) -> None:
    assert gate.ask(path).body == b"the app"
    assert gate.seen["user"].is_authenticated is False


@pytest.mark.parametrize("path", ["/private", "/private/page", "/admin", "/private/openly"])
def test_a_protected_path_is_open_to_whoever_is_signed_in(gate: Gate, path: str) -> None:
    assert gate.ask(path).status == 401
    assert gate.app.scopes == []
    assert gate.ask(path, [(b"cookie", gate.cookie())]).body == b"the app"


@pytest.mark.parametrize(
    "path",
    [
        "/private/open/../page",
        "/private/open/..%2fpage",
        "//admin",
        "/ADMIN",
        "/admin;x=/private/open",
        "/%61dmin",
        "/private/open%23/../page",
        "\\admin",
        "/x/..\\admin",
        "/admin.",
        "/./admin/",
    ],
)
def test_a_strange_spelling_of_a_protected_path_is_protected(gate: Gate, path: str) -> None:
    """PX-03."""
    assert gate.ask(path, raw_path=None).status == 401
    assert gate.app.scopes == []


@pytest.mark.parametrize("headers", [NAVIGATION, OLD_BROWSER], ids=["new", "old"])
def test_a_navigation_is_sent_to_sign_in_and_comes_back(gate: Gate, headers: Headers) -> None:
    got = gate.ask("/private/page?a=1&b=%2F", headers)
    assert got.status == 303
    assert got.one("location") == "/auth/login?next=/private/page%3Fa%3D1%26b%3D%252F"
    assert got.one("cache-control") == "no-store"
    assert got.all("set-cookie") == []
    assert set(got.all("vary")) == {"Cookie"}


def test_a_backslash_in_a_query_comes_back_with_it(gate: Gate) -> None:
    """RD-02: browsers leave it as it is there, and in a return path it must not stand."""
    got = gate.ask("/private/search?q=a\\b", NAVIGATION)
    assert got.one("location") == "/auth/login?next=/private/search%3Fq%3Da%255Cb"


def test_a_page_that_nobody_can_come_back_to_is_left_for_the_landing_page() -> None:
    """RD-02, RD-09: the path of a request is a return address that a stranger wrote."""
    gate = make_gate(protected_paths="*", landing_path="/home")
    for path in ("//evil.example", "/\\evil.example", "/auth/elsewhere"):
        assert gate.ask(path, NAVIGATION).one("location") == "/auth/login?next=/home"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", NAVIGATION),
        ("PUT", NAVIGATION),
        ("OPTIONS", []),
        ("BREW", NAVIGATION),
        ("HEAD", NAVIGATION),
        ("GET", []),
        ("GET", [(b"sec-fetch-mode", b"cors"), (b"sec-fetch-dest", b"empty")]),
        ("GET", [(b"sec-fetch-mode", b"no-cors"), (b"sec-fetch-dest", b"image")]),
        ("GET", [(b"sec-fetch-mode", b"navigate"), (b"sec-fetch-dest", b"iframe")]),
        ("GET", [*OLD_BROWSER, (b"x-requested-with", b"XMLHttpRequest")]),
        ("GET", [*NAVIGATION, (b"sec-purpose", b"prefetch")]),
        ("GET", [(b"accept", b"application/json")]),
        ("GET", [(b"user-agent", b"kube-probe/1.31")]),
    ],
)
def test_what_cannot_finish_a_sign_in_is_told_where_to_start_one(
    gate: Gate, method: str, headers: Headers
) -> None:
    """RQ-12, CS-04, CS-08, PX-04."""
    got = gate.ask("/private/page", headers, method=method)
    assert got.status == 401
    assert got.one("cache-control") == "no-store"
    assert got.one("www-authenticate") == 'Cookie realm="https://site.example"'
    assert got.all("set-cookie") == []
    assert gate.app.scopes == []
    if method == "HEAD":
        assert got.body == b""
        assert int(got.one("content-length")) > 0
    else:
        told = json.loads(got.body)
        assert told["error"] == "login_required"
        assert told["login_url"] == "https://site.example/auth/login?next=/private/page"
        assert got.one("content-length") == str(len(got.body))


def test_all_paths_can_be_protected_and_some_of_them_public() -> None:
    gate = make_gate(protected_paths="*", public_paths="/,/static/*")
    assert [gate.ask(path).status for path in ("/", "/static/a.css", "/page", "/docs")] == [
        200,
        200,
        401,
        401,
    ]
