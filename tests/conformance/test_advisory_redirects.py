"""Return addresses that led visitors of other products to somebody else's site."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio
import pytest

from tests.devprovider.harness import Rig
from tests.hostile.test_return_to import is_on_this_site

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Visit

    Stays = Callable[..., None]


@pytest.fixture
def stays(visit: Visit) -> Stays:
    """Return what signs in and out with return addresses: each must end on this site."""

    def stays(*addresses: str, parameter: str = "next") -> None:
        browser = visit()
        for said in (way for one in addresses for way in (one, quote(one, safe=""))):
            begun = browser.get(f"/auth/login?{parameter}={said}")
            is_on_this_site(browser.callback(browser.at_provider(begun.location)).location)
            address, last = browser.follow(browser.get(f"/auth/logout?{parameter}={said}"))
            is_on_this_site(address)
            assert last.status in (200, 401)

    return stays


def test_cve_2019_14857_three_slashes_lead_to_no_other_site(stays: Stays) -> None:
    """AD-01."""
    stays("///evil.example", "////evil.example", "https:///evil.example")


def test_cve_2019_20479_a_backslash_leads_to_no_other_site(stays: Stays) -> None:
    """AD-02."""
    stays(r"/\evil.example", r"\\evil.example", "/%5cevil.example")


def test_cve_2021_32786_what_only_browsers_read_as_another_host_is_not_followed(
    stays: Stays,
) -> None:
    """AD-06."""
    stays(r"https://site.example\.evil.example/", "https://evil.example#@site.example/")


def test_cve_2021_39191_target_link_uri_leads_to_no_other_site(stays: Stays) -> None:
    """AD-09."""
    stays("https://evil.example;@site.example", "//evil.example", parameter="target_link_uri")


def test_cve_2022_23527_a_tab_leads_to_no_other_site(stays: Stays) -> None:
    """AD-10."""
    stays("/\t/evil.example", "\t//evil.example")


def test_cve_2017_1000070_two_slashes_lead_to_no_other_site(stays: Stays) -> None:
    """AD-19."""
    stays("//evil.example", "//evil.example/%2f..")


def test_cve_2020_5233_an_encoded_address_leads_to_no_other_site(stays: Stays) -> None:
    """AD-20."""
    stays("/%2f%2fevil.example", "%2f%2fevil.example", "https%3a%2f%2fevil.example")


def test_cve_2020_11053_encoded_white_space_leads_to_no_other_site(stays: Stays) -> None:
    """AD-21."""
    stays("/%09/evil.example", "/%0a/evil.example", "/%0d/evil.example", "/%20/evil.example")


def test_cve_2020_4037_more_white_space_leads_to_no_other_site(stays: Stays) -> None:
    """AD-22."""
    stays("/\x0b/evil.example", "/\x0c//evil.example", "\u00a0//evil.example", "/\u2028/evil")


def test_cve_2021_21291_a_name_that_only_ends_like_ours_is_another_site(stays: Stays) -> None:
    """AD-23."""
    stays("https://evil-site.example/", "https://site.example.evil.example/", "//.site.example")


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "///evil.example/..%2f"])
def test_cve_2022_24794_the_path_that_was_asked_for_leads_to_no_other_site(
    path: str, visit: Visit
) -> None:
    """AD-33."""
    browser = visit(PROTECTED_PATHS="*")
    address, _ = browser.follow(browser.get(path))
    is_on_this_site(address)
    assert browser.user() is not None


def test_cve_2021_43812_return_to_leads_to_no_other_site(stays: Stays) -> None:
    """AD-35."""
    stays("https://evil.example/", "https://evil.example", parameter="returnTo")
    stays("https://site.example@evil.example/", "https://site.example%40evil.example")


def test_cve_2026_44681_the_development_provider_redirects_to_registered_addresses_alone() -> None:
    """AD-52 (CVE-2026-41479): also with an error to tell."""

    async def main() -> None:
        rig = Rig()
        async with rig.http:
            for changes in ({}, {"response_type": "token"}, {"scope": None}, {"prompt": "none"}):
                answer = await rig.authorize(redirect_uri="https://evil.example/", **changes)
                assert answer.status_code == 400
                assert "location" not in answer.headers

    anyio.run(main)


def test_cve_2024_39694_what_looks_local_after_a_control_character_is_not(stays: Stays) -> None:
    """AD-73."""
    stays("/\0/evil.example", "/\x1f/evil.example", "~//evil.example", "/\x7f/evil.example")


def test_cve_2022_24858_callback_url_leads_to_no_other_site(stays: Stays) -> None:
    """AD-77 (CVE-2022-29214)."""
    stays("https://evil.example", "javascript:alert(1)", parameter="callbackUrl")
    stays("javascript:alert(1)//site.example", "data:text/html,https://site.example")


def test_cve_2022_31093_an_address_that_no_parser_reads_is_answered_at_once(stays: Stays) -> None:
    """AD-78."""
    started = time.monotonic()
    stays("http://[::1", "https://a:b:c", "//[", "/?" * 2_000, "[]", "%")
    assert time.monotonic() - started < 5


def test_cve_2023_50771_neither_sign_in_nor_sign_out_redirects_elsewhere(
    stays: Stays, visit: Visit
) -> None:
    """AD-92 (CVE-2023-50770): and there is no password of our own that could be recovered."""
    stays("https:evil.example", "https:/evil.example")
    reply = visit().post("/auth/login", (("username", "admin"), ("password", "admin")))
    assert reply.status == 405


def test_cve_2016_1000001_no_referrer_and_no_host_leads_to_another_site(visit: Visit) -> None:
    """AD-117 (CVE-2021-32805)."""
    browser = visit()
    elsewhere = {"referer": "https://evil.example/", "origin": "https://evil.example"}
    begun = browser.get("/auth/login?next=//evil.example", **elsewhere)
    ended = browser.callback(browser.at_provider(begun.location))
    is_on_this_site(ended.location)
    assert browser.user() is not None
