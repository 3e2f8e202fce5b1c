"""Sections 3A and 3E: every ``Set-Cookie`` and every header about caching, on every answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from .browser import Browser
from .cases import claim
from .jar import Cookie, parse
from .site import SESSION_COOKIE

if TYPE_CHECKING:
    from .asgi_call import Reply

Visit = Callable[..., Browser]
SDK = ("inta_account", "inta_acc")


def everything(browser: Browser) -> list[Reply]:
    """Go through every kind of answer there is and return them all."""
    begun = browser.get("/auth/login?next=/private/page")
    abandoned = [browser.get("/auth/login?next=/private/page") for _ in range(6)]
    refused = browser.callback((("state", "s"), ("code", "c"), ("iss", browser.provider.issuer)))
    ended = browser.sign_in()
    again = browser.sign_in()
    user = browser.get("/auth/user")
    asked = browser.get("/auth/logout", sec_fetch_site="cross-site")
    out = browser.get("/auth/logout")
    nobody = browser.get("/auth/user")
    empty = browser.get("/auth/callback")
    return [begun, *abandoned, refused, ended, again, user, asked, out, nobody, empty]


def cookies(replies: list[Reply]) -> list[Cookie]:
    """Return what these answers set and clear."""
    return [parse(header) for reply in replies for header in reply.all("set-cookie")]


def test_every_cookie_is_locked_to_this_host_and_out_of_reach_of_script(visit: Visit) -> None:
    """CK-01, CK-02, LO-10, BF-02, AD-41, AD-87."""
    found = [cookie for cookie in cookies(everything(visit())) if cookie.name not in SDK]
    assert any(cookie.name == SESSION_COOKIE for cookie in found)
    assert len({cookie.name for cookie in found}) > 3
    for cookie in found:
        attributes = cookie.attributes
        assert {"secure", "httponly", "path", "samesite"} <= attributes.keys(), cookie.name
        assert "domain" not in attributes
        assert cookie.same_site in ("lax", "strict")
        if cookie.path == "/":
            assert cookie.name.startswith("__Host-")
        else:
            assert cookie.path == "/auth/logout"
            assert cookie.name.startswith("__Secure-")


def test_a_cookie_is_cleared_with_the_attributes_it_was_set_with(visit: Visit) -> None:
    """LO-10, CK-20: or browsers keep it."""
    found = [cookie for cookie in cookies(everything(visit())) if cookie.name not in SDK]
    shapes: dict[str, set[tuple[str, ...]]] = {}
    for cookie in found:
        shape = sorted(
            f"{name}={value.lower()}"
            for name, value in cookie.attributes.items()
            if name not in ("max-age", "expires")
        )
        shapes.setdefault(cookie.name, set()).add(tuple(shape))
    assert all(len(each) == 1 for each in shapes.values()), shapes
    assert any(cookie.deletes and cookie.name == SESSION_COOKIE for cookie in found)


def test_a_login_cookie_travels_with_a_cross_site_post_only_where_it_must(visit: Visit) -> None:
    """CK-22, CF-F01."""
    browser = visit(RESPONSE_MODE="form_post")
    (login,) = cookies([browser.get("/auth/login")])
    assert login.same_site == "none"
    assert login.name.startswith("__Host-")
    ended = browser.callback_by_post(browser.at_provider(browser.start()))
    session = [cookie for cookie in cookies([ended]) if cookie.name == SESSION_COOKIE]
    assert [cookie.same_site for cookie in session] == ["lax"]


def test_plain_http_on_loopback_uses_no_prefix_and_no_secure(visit: Visit) -> None:
    """CK-03: a browser drops a prefixed cookie without Secure, and says nothing."""
    browser = visit(BASE_URL="http://127.0.0.1:8765")
    found = cookies(everything(browser))
    assert any(cookie.name == "intastellar" for cookie in found)
    assert not any(cookie.name.startswith("__") for cookie in found)
    assert not any("secure" in cookie.attributes for cookie in found)
    assert all("httponly" in cookie.attributes for cookie in found if cookie.name not in SDK)


def test_no_answer_that_depends_on_the_visitor_can_be_cached(visit: Visit) -> None:
    """CA-01, CA-03 (CVE-2025-48947, CVE-2025-64762)."""
    browser = visit()
    for reply in [browser.get("/private/page"), *everything(browser)]:
        assert reply.get("cache-control") == "no-store"
        assert not reply.get("etag")


def test_a_page_of_the_app_that_sees_the_visitor_varies_by_cookie(visit: Visit) -> None:
    """CA-02 (CVE-2023-30861, CVE-2026-27205)."""
    browser = visit()
    for _ in range(2):
        for reply in (browser.get("/public"), browser.get("/private/page")):
            if reply.status == 200:
                assert "cookie" in reply.get("vary").lower()
        browser.sign_in()


def test_a_session_of_several_cookies_leaves_none_behind_when_it_shrinks(visit: Visit) -> None:
    """CK-14, CK-16: the jar refuses a cookie that is too large."""
    browser = visit()
    groups = [f"group-number-{number:04}" for number in range(350)]
    claim("groups", groups)(browser.provider)
    browser.sign_in()
    user = browser.user()
    assert user is not None
    assert str(groups[-1]) in str(user)
    large = [name for name, _ in browser.jar.cookies if name.startswith(SESSION_COOKIE + ".")]
    assert large
    claim("groups", ["one"])(browser.provider)
    browser.sign_in()
    assert browser.user() is not None
    assert not [name for name, _ in browser.jar.cookies if name.startswith(SESSION_COOKIE + ".")]


def test_a_session_that_no_cookies_can_hold_is_a_page_and_not_a_loop(visit: Visit) -> None:
    """CK-14."""
    browser = visit()
    claim("groups", [f"group-number-{number:06}" for number in range(5_000)])(browser.provider)
    reply = browser.sign_in()
    assert reply.status >= 400
    assert browser.user() is None


@pytest.mark.parametrize("https", [True, False])
def test_the_browser_sdk_s_cookies_go_with_a_logout(https: bool, visit: Visit) -> None:
    """Step 1 of logout: host-only and for every parent domain that the SDK may have used."""
    base = "https://www.app.site.example" if https else "http://127.0.0.1:8765"
    browser = visit(BASE_URL=base)
    browser.sign_in()
    cleared = cookies([browser.get("/auth/logout")])
    domains = ["www.app.site.example", "app.site.example", "site.example"] if https else []
    for name in SDK:
        found = {c.attributes.get("domain", "").lstrip(".") for c in cleared if c.name == name}
        assert {"", *domains} <= found, found
        assert all(cookie.deletes for cookie in cleared if cookie.name == name)
