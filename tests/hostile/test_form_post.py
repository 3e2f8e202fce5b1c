"""The callback takes its response the way it was asked for, and in no other form."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from .browser import NAVIGATION, Browser
from .verdicts import is_signed_in

if TYPE_CHECKING:
    from .server import Pairs

Visit = Callable[..., Browser]
FORM = "application/x-www-form-urlencoded"


def multipart(response: Pairs) -> bytes:
    """Return the response as a multipart form."""
    parts = (
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in response
    )
    return f"{''.join(parts)}--x--\r\n".encode()


def encoded(response: Pairs) -> bytes:
    """Return the response as browsers send it."""
    return urlencode(response).encode()


def test_a_posted_response_signs_in(visit: Visit) -> None:
    """R9-14, CF-F01: the cross-site POST brings the login cookie and no session cookie."""
    browser = visit(RESPONSE_MODE="form_post")
    reply = browser.callback_by_post(browser.at_provider(browser.start()))
    is_signed_in(browser, reply, "alice")
    assert reply.status == 303, "a 307 would post the code on"


@pytest.mark.parametrize(
    ("media_type", "write"),
    [
        ("text/plain", encoded),
        ("", encoded),
        ("multipart/form-data; boundary=x", multipart),
        ("application/json", lambda response: json.dumps(dict(response)).encode()),
        (FORM, lambda _: b""),
        (FORM, lambda _: b"\xff\xfe\x00"),
        (FORM, lambda _: b"&&&==&"),
        (FORM, lambda response: encoded(response) + b"&a=" + b"x" * 10_000_000),
        (FORM, lambda response: encoded(response) + b"&a=1" * 20_000),
        (FORM, lambda response: encoded(response) + b"&" + encoded(response)),
    ],
)
def test_a_post_of_another_form_is_refused_quickly(
    media_type: str, write: Callable[[Pairs], bytes], visit: Visit
) -> None:
    """CB-11, CB-17 (CVE-2021-20718, CVE-2025-3891)."""
    browser = visit(RESPONSE_MODE="form_post")
    response = browser.at_provider(browser.start())
    type_header = {"content-type": media_type} if media_type else {}
    started = time.perf_counter()
    headers = {**NAVIGATION, "sec-fetch-site": "cross-site", **type_header}
    reply = browser.request("POST", "/auth/callback", headers, write(response))
    assert time.perf_counter() - started < 5
    assert 400 <= reply.status < 500
    assert browser.user() is None
    assert browser.provider.hits["token"] == 0


def test_a_response_by_get_is_refused_where_a_post_is_expected(visit: Visit) -> None:
    """CB-16."""
    browser = visit(RESPONSE_MODE="form_post")
    reply = browser.callback(browser.at_provider(browser.start()))
    assert reply.status in (400, 405)
    assert browser.user() is None
    assert browser.provider.hits["token"] == 0


def test_a_response_by_post_is_refused_where_a_get_is_expected(visit: Visit) -> None:
    """CB-16."""
    browser = visit()
    response = browser.at_provider(browser.start())
    for reply in (
        browser.callback_by_post(response),
        browser.post(f"/auth/callback?{urlencode(response)}"),
    ):
        assert reply.status in (400, 405)
    assert browser.user() is None
    assert browser.provider.hits["token"] == 0
    is_signed_in(browser, browser.callback(response), "alice")


def test_a_posted_response_is_not_read_from_the_query(visit: Visit) -> None:
    """CB-16: half of it in the address, half in the body."""
    browser = visit(RESPONSE_MODE="form_post")
    response = browser.at_provider(browser.start())
    headers = {"sec_fetch_site": "cross-site"}
    reply = browser.post(f"/auth/callback?{urlencode(response[:1])}", response[1:], **headers)
    assert 400 <= reply.status < 500
    assert browser.provider.hits["token"] == 0
