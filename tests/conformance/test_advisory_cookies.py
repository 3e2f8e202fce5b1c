"""Cookies that other products looked for too long, removed in vain, or took for another."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.errors import SettingsError
from tests.core.parts import KEY, OTHER_KEY
from tests.hostile.cases import claim
from tests.hostile.site import SECRET_KEY, SESSION_COOKIE, environment, pages, protected
from tests.hostile.test_sealed_values import ask, is_nobody
from tests.hostile.test_set_cookie import cookies, everything
from tests.hostile.verdicts import sets_no_session

if TYPE_CHECKING:
    from tests.hostile.conftest import MakeSite
    from tests.hostile.provider import Provider

    from .conftest import Visit


@pytest.mark.parametrize("header", ["", ";", "=", f"{SESSION_COOKIE}", f";{SESSION_COOKIE}=;=;"])
def test_cve_2023_28625_no_cookie_header_is_a_crash(header: str, visit: Visit) -> None:
    """AD-11."""
    is_nobody(visit().site, header)


def test_cve_2024_24814_a_cookie_does_not_say_how_long_to_look(visit: Visit) -> None:
    """AD-12."""
    site = visit().site
    started = time.monotonic()
    for count in ("99999999", "3", "9", "-1"):
        is_nobody(site, f"{SESSION_COOKIE}={count}x; {SESSION_COOKIE}.99999999=x")
    assert time.monotonic() - started < 5


def test_pr_2651_a_cookie_is_removed_with_the_attributes_browsers_ask_for(visit: Visit) -> None:
    """AD-41."""
    cleared = [cookie for cookie in cookies(everything(visit())) if cookie.deletes]
    assert [one for one in cleared if one.name == SESSION_COOKIE]
    for cookie in cleared:
        assert "secure" in cookie.attributes, cookie.name


def test_cve_2025_55162_prefixed_cookies_are_removed_as_they_were_set(visit: Visit) -> None:
    """AD-87: the jar refuses a prefixed cookie without Secure, as browsers do."""
    browser = visit()
    claim("groups", [f"group-number-{number:04}" for number in range(350)])(browser.provider)
    browser.sign_in()
    assert [name for name, _ in browser.jar.cookies if name.startswith(f"{SESSION_COOKIE}.")]
    browser.follow(browser.get("/auth/logout"))
    assert not [name for name, _ in browser.jar.cookies if name.startswith(SESSION_COOKIE + ".")]
    assert (SESSION_COOKIE, "/") not in browser.jar.cookies


def test_cve_2023_23934_a_cookie_without_a_name_is_not_the_session(visit: Visit) -> None:
    """AD-111."""
    browser = visit()
    browser.sign_in()
    is_nobody(browser.site, f"={SESSION_COOKIE}={browser.jar.named(SESSION_COOKIE)}")


@pytest.mark.parametrize("name", ["a;b", "a; Domain=evil.example", "a\r\nb", "a=b", "a b", ""])
def test_cve_2024_47764_a_cookie_s_name_carries_no_attributes(
    name: str, provider: Provider
) -> None:
    """AD-112."""
    with pytest.raises(SettingsError, match="INTASTELLAR_COOKIE_NAME"):
        protected(pages, environment(provider, COOKIE_NAME=name))


def test_cve_2025_47278_the_first_key_signs_and_not_the_oldest(
    visit: Visit, make_site: MakeSite
) -> None:
    """AD-114: what was sealed by both opens with the new one alone."""
    new = OTHER_KEY.decode()
    browser = visit(SECRET_KEYS=f"{new},{SECRET_KEY}")
    browser.sign_in()
    cookie = f"{SESSION_COOKIE}={browser.jar.named(SESSION_COOKIE)}"
    assert ask(make_site(SECRET_KEYS=new), cookie).status == 200
    is_nobody(make_site(SECRET_KEYS=SECRET_KEY), cookie)
    assert KEY != OTHER_KEY


def test_cve_2024_52804_cookies_are_read_in_linear_time(visit: Visit) -> None:
    """AD-115."""
    site = visit().site
    started = time.monotonic()
    for cookie in ("a=" + '\\"' * 30_000, f"{SESSION_COOKIE}=" * 3_000, '"' * 60_000):
        assert ask(site, cookie).status == 401
    assert time.monotonic() - started < 5


def test_ws_2022_0330_prefixes_are_spelled_as_browsers_know_them(visit: Visit) -> None:
    """AD-120: a misspelled one protects nothing, and nobody notices."""
    browser = visit()
    names = {cookie.name for cookie in cookies(everything(browser))}
    prefixed = {name for name in names if name.startswith("_")}
    assert prefixed
    assert all(name.startswith(("__Host-", "__Secure-")) for name in prefixed)
    sets_no_session(browser.get("/public"))
