"""Which path is asked for: ours, a protected one, an app's, under any mount and spelling."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .client import FETCH, NAVIGATION, call, make_environ
from .site import App, make_site


def next_of(location: str) -> str:
    """Return where the sign-in that starts at ``location`` will end."""
    (value,) = parse_qs(urlsplit(location).query)["next"]
    return value


def test_a_navigation_to_a_protected_path_is_sent_to_sign_in() -> None:
    app = App()

    got = make_site(app).ask("/private/page?a=1&b=%20")

    assert got.status == "303 See Other"
    assert got.header("location").startswith("/auth/login?next=")
    assert next_of(got.header("location")) == "/private/page?a=1&b=%20"
    assert app.seen == []


@pytest.mark.parametrize(
    ("method", "headers"), [("GET", FETCH), ("POST", NAVIGATION), ("DELETE", FETCH)]
)
def test_anything_else_on_a_protected_path_is_told_where_to_sign_in(
    method: str, headers: dict[str, str]
) -> None:
    app = App()

    got = make_site(app).ask("/private/page", method, headers)

    assert got.status == "401 Unauthorized"
    assert json.loads(got.body)["login_url"].startswith("https://site.example/auth/login?next=")
    assert app.seen == []


def test_somebody_signed_in_gets_the_protected_page() -> None:
    app = App()
    site = make_site(app)

    assert site.ask("/private/page", headers={"cookie": site.cookie()}).body == app.body


def test_a_public_path_among_the_protected_ones_is_for_everybody() -> None:
    app = App()
    site = make_site(app, protected_paths="*", public_paths="/open/*")

    assert site.ask("/open/page").body == app.body
    assert site.ask("/open/../private").code == 303


def test_a_head_of_a_protected_path_has_the_headers_and_no_body() -> None:
    got = make_site(App()).ask("/private/page", "HEAD", FETCH)

    assert got.code == 401
    assert int(got.header("content-length")) > 0
    assert got.body == b""


def test_a_head_of_a_path_of_ours_uses_nothing_up() -> None:
    """P12."""
    got = make_site(App()).ask("/auth/login", "HEAD")

    assert (got.status, got.body) == ("204 No Content", b"")
    assert got.all("set-cookie") == []


@pytest.mark.parametrize("variable", ["RAW_URI", "REQUEST_URI"])
def test_the_visitor_comes_back_to_the_path_as_it_was_spelled(variable: str) -> None:
    """What gunicorn and what uWSGI, waitress and mod_wsgi say."""
    target = "/private/%7Ealice/a%2Fb?x=%2F"

    got = make_site(App()).ask(target, environ={"RAW_URI": None, variable: target})

    assert next_of(got.header("location")) == target


def test_a_server_that_does_not_say_the_spelling_gets_one_of_ours() -> None:
    got = make_site(App()).ask("/private/%7Ealice/caf%C3%A9", environ={"RAW_URI": None})

    assert next_of(got.header("location")) == "/private/~alice/caf%C3%A9"


@pytest.mark.parametrize("raw", ["https://evil.example/private/page", "//evil.example/x", "*"])
def test_a_spelling_of_another_path_is_not_believed(raw: str) -> None:
    """RD-04: the target may come in absolute form, or from whoever could set it."""
    got = make_site(App()).ask("/private/page", environ={"RAW_URI": raw})

    assert next_of(got.header("location")) == "/private/page"


def test_a_path_is_the_utf_8_that_its_bytes_are() -> None:
    """PEP 3333 carries them as latin-1."""
    site = make_site(App(), protected_paths="/café/*")
    site_of_anyone = make_site(App(), protected_paths="/other/*")

    assert site.ask("/caf%C3%A9/menu").code == 303
    assert site_of_anyone.ask("/caf%C3%A9/menu").code == 200


def test_a_path_that_is_no_utf_8_is_answered() -> None:
    got = make_site(App(), protected_paths="*").ask("/%ff%fe")

    assert got.code == 303


def test_an_empty_path_is_the_front_page() -> None:
    """PEP 3333: the variable may be empty, or not be there at all."""
    site = make_site(App(), protected_paths="/", base_url="https://site.example/shop")
    bare = make_environ("/shop", mount="/shop")
    del bare["PATH_INFO"]

    for got in (site.ask("/shop", mount="/shop"), call(site.app, bare)):
        assert next_of(got.header("location")) == "/shop/"


def test_a_mounted_site_has_its_own_paths_below_its_mount() -> None:
    app = App()
    site = make_site(app, base_url="https://site.example/shop~1")

    user = site.ask("/shop~1/auth/user", headers=FETCH, mount="/shop~1")
    protected = site.ask("/shop~1/private/%7Ex?q", mount="/shop~1")
    outside = site.ask("/shop~1/auth/user", headers=FETCH)

    assert user.code == 401
    assert protected.header("location").startswith("/shop~1/auth/login?")
    assert next_of(protected.header("location")) == "/shop~1/private/%7Ex?q"
    assert outside.body == app.body


@given(st.binary(max_size=40))
def test_every_path_of_bytes_is_answered_by_us_or_by_the_app(path: bytes) -> None:
    app = App()
    site = make_site(app, protected_paths="/private/*")

    got = site.ask(environ={"PATH_INFO": "/" + path.decode("latin-1")})

    assert got.code in (200, 303, 401)
    assert (got.code == 200) == (len(app.seen) == 1)
