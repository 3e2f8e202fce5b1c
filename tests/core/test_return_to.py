"""Return addresses: what is kept, what falls to the default, and that nothing leaves the site."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urljoin, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intastellar_auth.core.return_to import MAX_RETURN_PATH, return_path

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

DEFAULT = "/landing"
ASCII = "".join(map(chr, range(128)))

ELSEWHERE = {
    "RD-01": [
        *("https://evil", "//evil", "///evil", "////evil", "https:evil", "https:/evil"),
        *("http:///evil", "HTTPS://evil", "//evil/%2f..", "//", "///"),
    ],
    "RD-02": [
        *(r"/\evil", r"\/evil", r"\\evil", r"/\\/evil", "/%5cevil", "%2f%2fevil", "/%2f/evil"),
        *("/%5Cevil", "/%2F%2Fevil", r"/%5c/evil", r"/a\b", r"/a?b=\evil", "/%2fevil"),
    ],
    "RD-03": [
        *("/\t/evil", "/\r/evil", "/\n/evil", "/\v/evil", "/\f/evil", "/\0/evil", "/ /evil"),
        *("/\u00a0/evil", "/\u2028/evil", "/%09/evil", "/%0d/evil", "/%0a/evil", "/%00/evil"),
        *("ht%09tps://evil", "\t//evil", " //evil", "/a\r\nSet-Cookie: a=b", "/a%0d%0ab", "/a\n"),
        *("/%20/evil", "/a b", "/%7f/evil"),
    ],
    "RD-04": [
        *(".evil.example", "@evil", "//app@evil", "https://app.example@evil"),
        *("https://app.example%40evil", "https://app.example.evil", "https://evil-example.com"),
    ],
    "RD-05": [
        *(r"https://app.example\.evil", r"https://evil\.app.example"),
        *("https://app.example#@evil", "?@evil", ";@evil", "#@evil"),
    ],
    "RD-06": [
        *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x"),
        *("blob:https://app.example/x", "\x01javascript:alert(1)", " javascript:alert(1)"),
    ],
    "RD-07": [
        *("https://app.example:444/", "http://app.example/", "https://[::1]/", "[::1]"),
        *("https://app.example./", "https://xn--pp-x.example", "\uff0f\uff0fevil", "/\uff0fevil"),
        *("//app\u3002evil", "/app\u3002evil", "/a\u2044b", "/a\u200bb", "/a\U000e0001b"),
    ],
    "RD-08": [
        *("", "*", "/" + "a" * 8192, "/" + "a" * MAX_RETURN_PATH, "/\ufffd", "/\udcff"),
        "/" + "\xe6" * (MAX_RETURN_PATH // 3),
    ],
    "RD-09": [
        *("/auth/login", "/auth/callback?code=x", "/auth/logout", "/auth", "/auth/", "/AUTH/login"),
        *("/auth/login/", "/auth//logout", "/%61uth/logout", "/a/../auth/logout", "/./auth/login"),
        *("/auth%2flogout", "/auth/%6cogout", "/a/%2e%2e/auth/login", "/auth;x/logout"),
        *("/%2561uth/logout", "/a/..%2fauth%2flogout", "/auth./logout", "/a%5c..%5cauth/login"),
        *("/auth?x", "/auth#x", "/auth/frontchannel-logout"),
    ],
    "RD-10": ["https://[evil", "//[", "http://[::1", "/%2f%5b", "https://evil:port/", "//%"],
    "RD-11": ["%252f%252fevil", "/%252fevil", "/%252f%252fevil", "/%25252fevil", "/%2525255cevil"],
    "RD-14": [
        *("/..//evil", "/a/..//evil", "/%2e%2e//evil", "/%2e//evil", "/a/b/../..//evil"),
        *("/.//evil", "/..%2f%2fevil", "/a/..%5c/evil", "/..;//evil", "/a//..//../..//evil"),
        *("/.%2e//evil", "/%2e%2e%2f/evil"),
    ],
}  # fmt: skip

KEPT = {
    "RD-04": ["/.evil", "/@evil", "/app@evil", "/a/@b"],
    "RD-08": [
        *("/", "/a?b=1#c", "/files/a%2Fb", "/a?next[]=1", "/a?b=1&b=2", "/a?b=%ff", "/%ff"),
        *("/a?q=100%25", "/a?q=50%", "/caf%C3%A9", "/a%20b", "/?x", "/#x", "/a//b", "/a/../b"),
        *("/a?to=//evil", "/a?to=https://evil", "/a#//evil", "/a?q=%0a", "/a;b=c/d", "/a%5Cb"),
        *("/.well-known/x", "/a.b/c.", "/*", "/" + "a" * (MAX_RETURN_PATH - 1)),
    ],
    "RD-09": ["/authors", "/auth-x/login", "/a/auth/login", "/a?next=/auth/login", "/auth.html"],
}


WRITTEN = {
    "/caf\xe9": "/caf%C3%A9",
    "/s\xf8g?q=\xe6ble&r=a%20b#\xe5": "/s%C3%B8g?q=%C3%A6ble&r=a%20b#%C3%A5",
    "/cafe\u0301": "/cafe%CC%81",
    "/\u6771\u4eac/\u0661": "/%E6%9D%B1%E4%BA%AC/%D9%A1",
    "/\u0430dmin": "/%D0%B0dmin",
}


def families(table: dict[str, list[str]]) -> list[ParameterSet]:
    return [
        pytest.param(payload, id=f"{row}:{number}")
        for row, payloads in table.items()
        for number, payload in enumerate(payloads)
    ]


@pytest.mark.parametrize("payload", families(ELSEWHERE))
def test_an_address_that_could_be_elsewhere_gives_the_default(payload: str) -> None:
    """RD-01 to RD-14, AD-01, AD-02, AD-06, AD-09, AD-10, AD-19 to AD-22, AD-33, AD-78."""
    assert return_path(payload, default=DEFAULT, own_prefix="/auth") == DEFAULT


@pytest.mark.parametrize("payload", families(KEPT))
def test_a_path_on_this_site_is_kept_as_it_came(payload: str) -> None:
    """RD-08: query, fragment and encoded slashes survive."""
    assert return_path(payload, default=DEFAULT, own_prefix="/auth") == payload


@pytest.mark.parametrize(("address", "encoded"), WRITTEN.items(), ids=map(ascii, WRITTEN))
def test_letters_that_a_link_has_not_encoded_are(address: str, encoded: str) -> None:
    """RD-08: a framework that has decoded its own path links to the letters."""
    assert return_path(address, default=DEFAULT, own_prefix="/auth") == encoded


def test_no_address_gives_the_default() -> None:
    assert return_path(None, default=DEFAULT, own_prefix="/auth") == DEFAULT


def test_our_own_paths_are_found_under_a_mounted_prefix() -> None:
    """RD-09."""
    assert return_path("/app/sign/login", default="/app/", own_prefix="/app/sign") == "/app/"
    assert return_path("/sign/login", default="/app/", own_prefix="/app/sign") == "/sign/login"


PIECES = st.sampled_from(
    [
        *("/", "//", "\\", "%2f", "%5c", "%252f", "%255c", "%25", ".", "..", "%2e", "%2e%2e", ";"),
        *("\t", "\n", "\r", " ", "\0", "%09", "%0a", "%00", "%20", "@", ":", "?", "#", "evil"),
        *("https:", "javascript:", "a", "auth", "login", "logout", "[", "]", "\uff0f", "\xa0"),
        *("\xe6", "\uff21", "e\u0301"),
    ]
)
HOSTILE = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=60)


def as_browsers_resolve(address: str) -> str:
    """Return the absolute URL a browser goes to for ``Location: address`` (WHATWG URL)."""
    seen = address.strip("".join(map(chr, range(33))))
    seen = seen.translate({ord(c): None for c in "\t\n\r"})
    cut = min((seen.find(mark) for mark in "?#" if mark in seen), default=len(seen))
    return urljoin("https://app.example/auth/callback", seen[:cut].replace("\\", "/") + seen[cut:])


@settings(max_examples=200)
@given(HOSTILE, st.sampled_from(["", "/"]))
def test_whatever_comes_in_the_browser_stays_on_this_site(tail: str, head: str) -> None:
    """RD-14, and RD-11: even after further decodings by others behind us."""
    address = return_path(head + tail, default=DEFAULT, own_prefix="/auth")
    assert address in (DEFAULT, quote(head + tail, safe=ASCII, errors="replace"))
    path = address.partition("?")[0].partition("#")[0]
    for _ in range(4):
        target = urlsplit(as_browsers_resolve(path))
        assert (target.scheme, target.netloc) == ("https", "app.example")
        assert not target.path.startswith("/auth/")
        path = unquote(path).replace("?", "_").replace("#", "_")
    assert urlsplit(as_browsers_resolve(address)).netloc == "app.example"


@settings(max_examples=100)
@given(HOSTILE)
def test_an_allowed_address_is_allowed_again(tail: str) -> None:
    """RD-13: it is checked when it is received and when it is used."""
    once = return_path("/" + tail, default=DEFAULT, own_prefix="/auth")
    assert return_path(once, default="/other", own_prefix="/auth") == once
