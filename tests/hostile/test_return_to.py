"""Section 3C: wherever a visitor is sent after login or logout, it is a page of this site."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest

from .browser import Browser

Visit = Callable[..., Browser]

PAYLOADS = {
    "RD-01": [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "////evil.example",
        "https:evil.example",
        "https:/evil.example",
        "http:///evil.example",
        "/%2f%2fevil.example",
        "//evil.example/%2e%2e",
    ],
    "RD-02": [
        r"/\evil.example",
        r"\/evil.example",
        r"\\evil.example",
        r"/\\/evil.example",
        r"/%5cevil.example",
        r"%2f%2fevil.example",
        r"/%2f/evil.example",
        r"/a\..\..\evil.example",
        r"\evil.example",
    ],
    "RD-03": [
        "/\t/evil.example",
        "/\r/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        "/%09/evil.example",
        "/%0d%0a/evil.example",
        "/%00/evil.example",
        "ht\ttps://evil.example",
        "/\x0b/evil.example",
        "/\x0c/evil.example",
        "/\0/evil.example",
        " //evil.example",
        "/ /evil.example",
        "\u00a0//evil.example",
        "/\u2028/evil.example",
        "/a\r\nSet-Cookie: evil=1",
        "/a\r\n\r\n<script>",
    ],
    "RD-04": [
        "/.evil.example",
        ".evil.example",
        "@evil.example",
        "//site.example@evil.example",
        ":443@evil.example",
        "https://site.example@evil.example",
        "https://site.example%40evil.example",
        "https://site.example.evil.example",
        "https://evil-site.example",
    ],
    "RD-05": [
        r"https://site.example\.evil.example",
        r"https://evil.example\.site.example",
        r"https://site.example#@evil.example",
        r"?@evil.example",
        r";@evil.example",
        r"#@evil.example",
    ],
    "RD-06": [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "blob:https://site.example/x",
        "\x01javascript:alert(1)",
        " javascript:alert(1)",
        "/javascript:alert(1)",
    ],
    "RD-07": [
        "https://site.example:444/",
        "http://site.example/",
        "http://[::1]/",
        "https://site.example./",
        "https://s\u0131te.example/",
        "\uff0f\uff0fevil.example",
        "/\uff0fevil.example",
        "https://evil\u3002example",
    ],
    "RD-08": ["", "*", "/" + "a" * 8_000, "/%ff%fe", "/%", "/%zz", "/a?b=%0d%0aX:y", "[]", "/[::1"],
    "RD-10": ["http://[::1", "https://[evil", "http://a:b:c", "//[", "http://\ud7ff", "/?" * 500],
    "RD-11": ["%252f%252fevil.example", "/%252f%252fevil.example", "%25252f"],
}
CASES = [(row, payload) for row, payloads in PAYLOADS.items() for payload in payloads]
WAYS: dict[str, Callable[[str], str]] = {
    "encoded": lambda payload: quote(payload, safe=""),
    "as_it_is": lambda payload: payload,
}


def is_on_this_site(location: str) -> None:
    """Assert that a WHATWG parser finds no other origin in ``location`` (RD-14)."""
    path = location.removeprefix("https://site.example")
    assert re.fullmatch(r"/([!-.0-\[\]-~][!-\[\]-~]*)?", path.partition("?")[0]), location
    assert re.fullmatch(r"[!-~]*", path), location
    # Nor does whatever decodes it once or twice more behind us (RD-11).
    for _ in range(2):
        path = unquote(path)
        assert not path.startswith(("//", "/\\")), location


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("row", "payload"), CASES, ids=[f"{r} {p[:40]!a}" for r, p in CASES])
def test_a_sign_in_and_a_sign_out_end_on_this_site(
    row: str, payload: str, way: str, visit: Visit
) -> None:
    """R9-05, RD-01 to RD-14, LO-07; AD-01, AD-02, AD-10, AD-20 to AD-23, AD-33, AD-35."""
    assert row.startswith("RD-")
    browser = visit()
    said = WAYS[way](payload)
    begun = browser.get(f"/auth/login?next={said}")
    ended = browser.callback(browser.at_provider(begun.location))
    is_on_this_site(ended.location)
    assert browser.user() is not None
    address, last = browser.follow(browser.get(f"/auth/logout?next={said}"))
    is_on_this_site(address)
    assert last.status in (200, 401), last.text
    assert browser.user() is None


@pytest.mark.parametrize("name", ["next[]", "Next", "rd", "returnTo", "target_link_uri", "url"])
def test_no_other_parameter_names_a_target(name: str, visit: Visit) -> None:
    """RD-08, RD-12."""
    browser = visit()
    headers = {"referer": "https://evil.example/"}
    begun = browser.get(f"/auth/login?{name}=/private/page", **headers)
    assert browser.callback(browser.at_provider(begun.location)).location in (
        "/",
        "https://site.example/",
    )


def test_two_targets_are_none(visit: Visit) -> None:
    """RD-08: neither the first nor the last wins where a proxy may have read the other."""
    browser = visit()
    begun = browser.get("/auth/login?next=/private/a&next=/private/b")
    ended = browser.callback(browser.at_provider(begun.location))
    assert ended.location in ("/", "https://site.example/")


@pytest.mark.parametrize("path", ["login", "callback", "logout", "login?next=/auth/login"])
def test_a_target_among_our_own_paths_makes_no_loop(path: str, visit: Visit) -> None:
    """RD-09."""
    browser = visit()
    ended = browser.sign_in(f"/auth/{path}")
    assert ended.location in ("/", "https://site.example/")
    assert browser.user() is not None


@pytest.mark.parametrize("target", ["/a?b=1#c", "/a%2fb", "/a?next=//x", "/a%20b", "/%C3%BC?q=%zz"])
def test_a_path_of_this_site_survives(target: str, visit: Visit) -> None:
    """RD-08: query, fragment and encoded slash are kept."""
    location = visit().sign_in(target).location.removeprefix("https://site.example")
    is_on_this_site(location)
    assert location == target


@pytest.mark.parametrize(
    "target", ["/private/a%20b?c=%20d", "/private/%C3%BC", "/private/a?b=c&d="]
)
def test_a_visitor_who_was_sent_to_sign_in_comes_back_to_that_page(
    target: str, visit: Visit
) -> None:
    """RD-08: whatever characters its address has."""
    browser = visit()
    address, last = browser.follow(browser.get(target))
    assert address.removeprefix("https://site.example") == target
    assert last.status == 200
