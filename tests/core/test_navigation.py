"""Who can follow a redirect to the provider, and who made the browser ask: told from headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core.messages import Request
from intastellar_auth.core.navigation import (
    is_certainly_not_navigation,
    is_from_elsewhere,
    is_navigation,
    is_prefetch,
)

ORIGIN = "https://www.example.com"
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def asked(**headers: str) -> Request:
    """Return a request with these headers; an underscore stands for a hyphen."""
    return Request(
        "GET", "/", headers=tuple((name.replace("_", "-"), headers[name]) for name in headers)
    )


NAVIGATION = {"sec_fetch_mode": "navigate", "sec_fetch_dest": "document", "accept": HTML}


@pytest.mark.parametrize(
    ("headers", "navigates", "certainly_not"),
    [
        (NAVIGATION, True, False),
        ({**NAVIGATION, "accept": "*/*"}, True, False),
        ({**NAVIGATION, "sec_fetch_dest": "iframe"}, False, True),
        ({**NAVIGATION, "sec_fetch_dest": "frame"}, False, True),
        ({**NAVIGATION, "sec_fetch_dest": "empty"}, False, True),
        ({**NAVIGATION, "sec_fetch_mode": "cors"}, False, True),
        ({**NAVIGATION, "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"}, False, True),
        ({**NAVIGATION, "sec_fetch_mode": "websocket"}, False, True),
        ({"sec_fetch_mode": "navigate", "accept": HTML}, False, False),
        ({"sec_fetch_dest": "document", "accept": HTML}, False, False),
        ({"accept": HTML}, True, False),
        ({"accept": "text/html"}, True, False),
        ({"accept": HTML, "x_requested_with": "XMLHttpRequest"}, False, True),
        ({**NAVIGATION, "x_requested_with": "com.example.app"}, True, True),
        ({"accept": "application/json"}, False, False),
        ({"accept": "*/*"}, False, False),
        ({"accept": "image/avif,image/webp"}, False, False),
        ({}, False, False),
    ],
)
def test_only_a_visitor_who_goes_to_a_page_navigates(
    headers: dict[str, str], navigates: bool, certainly_not: bool
) -> None:
    """RQ-12."""
    request = asked(**headers)
    assert is_navigation(request) is navigates
    assert is_certainly_not_navigation(request) is certainly_not


@pytest.mark.parametrize(
    ("headers", "looks_ahead"),
    [
        ({"sec_purpose": "prefetch"}, True),
        ({"sec_purpose": "prefetch;prerender"}, True),
        ({"sec_purpose": "prefetch;anonymous-client-ip"}, True),
        ({"purpose": "prefetch"}, True),
        ({"purpose": "prerender"}, True),
        ({"x_moz": "prefetch"}, True),
        ({"x_moz": "livebookmarks"}, False),
        ({"sec_purpose": ""}, False),
        ({}, False),
    ],
)
def test_a_prefetch_says_so_and_is_no_navigation(
    headers: dict[str, str], looks_ahead: bool
) -> None:
    """Row P12."""
    request = asked(**NAVIGATION, **headers)
    assert is_prefetch(request) is looks_ahead
    assert is_navigation(request) is not looks_ahead


@pytest.mark.parametrize(
    ("headers", "elsewhere"),
    [
        ({"sec_fetch_site": "same-origin"}, False),
        ({"sec_fetch_site": "none"}, False),
        ({"sec_fetch_site": "same-site"}, True),
        ({"sec_fetch_site": "cross-site"}, True),
        ({"sec_fetch_site": ""}, True),
        ({"sec_fetch_site": "SAME-ORIGIN"}, True),
        ({"sec_fetch_site": "same-origin, cross-site"}, True),
        ({"sec_fetch_site": "cross-site", "origin": ORIGIN, "referer": f"{ORIGIN}/"}, True),
        ({"sec_fetch_site": "same-origin", "origin": "null"}, False),
        ({"origin": ORIGIN}, False),
        ({"origin": "null"}, True),
        ({"origin": ""}, True),
        ({"origin": "https://evil.example"}, True),
        ({"origin": "http://www.example.com"}, True),
        ({"origin": "https://www.example.com:444"}, True),
        ({"origin": "https://www.example.com.evil.example"}, True),
        ({"origin": f"{ORIGIN}, {ORIGIN}"}, True),
        ({"origin": "https://evil.example", "referer": f"{ORIGIN}/"}, True),
        ({"referer": ORIGIN}, False),
        ({"referer": f"{ORIGIN}/page?x=y"}, False),
        ({"referer": "https://evil.example/"}, True),
        ({"referer": f"https://evil.example/?{ORIGIN}/"}, True),
        ({"referer": "https://www.example.com@evil.example/"}, True),
        ({"referer": "https://user@www.example.com/"}, True),
        ({"referer": "//www.example.com/"}, True),
        ({"referer": "https://[evil/"}, True),
        ({"referer": ""}, True),
        ({}, False),
    ],
)
def test_a_request_that_another_site_made_is_told_from_one_of_our_own(
    headers: dict[str, str], elsewhere: bool
) -> None:
    """LO-01, CS-07."""
    assert is_from_elsewhere(asked(**headers), ORIGIN) is elsewhere


def test_a_header_that_comes_twice_is_no_proof() -> None:
    """LO-01: whichever of the two is the browser's own."""
    for one, other in (("same-origin", "cross-site"), ("cross-site", "same-origin")):
        request = Request("GET", "/", headers=(("sec-fetch-site", one), ("sec-fetch-site", other)))
        assert is_from_elsewhere(request, ORIGIN)


@given(st.text(max_size=60), st.sampled_from(["sec_fetch_site", "origin", "referer", "accept"]))
def test_no_header_is_an_error_and_only_our_own_words_are_ours(value: str, name: str) -> None:
    """CS-07, CS-11."""
    request = asked(**{name: value})
    is_navigation(request)
    is_certainly_not_navigation(request)
    ours = value in ("same-origin", "none") if name == "sec_fetch_site" else name == "accept"
    assert is_from_elsewhere(request, ORIGIN) is not ours
