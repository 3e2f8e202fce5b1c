"""Cookies: what is found in a header of anybody's making, and what a browser is told to keep."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from intastellar_auth.core import cookies
from intastellar_auth.core.cookies import CookieAttributes
from intastellar_auth.errors import SessionTooLarge
from tests.hostile.jar import Jar, parse

NAME = "__Host-site"
PREFIX = "__Host-site-login-"
NAMED = NAME.encode()
AS_SET = CookieAttributes()
MOST = 11_000

wild = st.lists(
    st.sampled_from(
        [
            *(b"__Host-site=", b"__Host-site=1x", b"__Host-site=2x", b"__Host-site=3", b"; ", b";"),
            *(b"__Host-site.1=y", b"__Host-site.2=z", b"__host-site=1x", b"; __Host-site=1x ; "),
            *(b"__Host-site-login-0123456789abcdef=v", b"=", b" ", b"\t", b'"', b"\\", b"\0"),
            *(b"\xff", b"\r\n", b",", b"a=b"),
        ]
    )
    | st.binary(max_size=9),
    max_size=30,
).map(b"".join)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (b"", []),
        (b"__Host-site=a", [b"a"]),
        (b"x=y; __Host-site=a", [b"a"]),
        (b"x=y;__Host-site=a;z=", [b"a"]),
        (b"__Host-site=", [b""]),
        (b"__Host-site=a \t; x=y", [b"a"]),
        (b"__Host-site=a=b=c", [b"a=b=c"]),
        (b"__Host-site=a; __Host-site=b", [b"a", b"b"]),
        (b"__Host-site.1=a", []),
        (b"__Host-site-login=a", []),
        (b"__Host-site", []),
        (b"__Host-site ; x=y", []),
    ],
)
def test_a_cookie_is_found_by_its_whole_name(header: bytes, found: list[bytes]) -> None:
    assert cookies.values(header, NAMED) == found


@pytest.mark.parametrize(
    "header",
    [
        *(b"__host-site=a", b"__HOST-SITE=a", b" __Host-site=a", b"x=y;  __Host-site=a"),
        *(b"=__Host-site=a", b"; =__Host-site=a", b"x=y __Host-site=a", b"x=y,__Host-site=a"),
        *(b'x="; __Host-site', b"x=y;\t__Host-site=a", b"a__Host-site=a", b"x=__Host-site=a"),
    ],
)
def test_what_only_looks_like_the_cookie_is_not_it(header: bytes) -> None:
    """CK-04, AD-111 (CVE-2023-23934)."""
    assert cookies.values(header, NAMED) == []
    assert cookies.gather(header, NAMED) == []


@settings(max_examples=200)
@example(b"__Host-site=1x; __Host-site-login-0123456789abcdef=v; __Host-site=y; __Host-site=z")
@given(wild)
def test_no_header_is_an_error(header: bytes) -> None:
    """CK-19, AD-11: and a value is one that a plain reader finds too."""
    found = cookies.values(header, NAMED)
    ours = [pair for pair in re.split(rb"; ?", header) if pair.startswith(NAMED + b"=")]
    assert found == [pair.partition(b"=")[2].rstrip() for pair in ours][:4]
    for text in cookies.gather(header, NAMED):
        assert b";" not in text
    for name, value in cookies.named_alike(header, PREFIX).items():
        assert cookies.values(header, name.encode())
        assert value in header
    cookies.clear_chunks(header, NAME, AS_SET, 0)


class Counted(bytes):
    """A header that counts how many of its bytes are looked at in search of something."""

    looked_at = 0

    def find(self, sub: bytes, start: int = 0) -> int:  # type: ignore[override]  # all that is used
        """Find ``sub``, and count the bytes up to where it was."""
        found = super().find(sub, start)
        self.looked_at += (found if found != -1 else len(self)) - start + 1
        return found


@pytest.mark.parametrize(
    "header",
    [
        b"; ".join(b"cookie%d=value" % number for number in range(5000)),
        b"; ".join(b"__Host-site=3%d" % number for number in range(5000)),
        b"; ".join(b"__Host-site.%d=x" % number for number in range(5000)),
        b"; ".join(b"__Host-site-login-%016x=x" % number for number in range(5000)),
        b"__Host-site=3" + b"A" * 65_536,
        b"__Host-site=" * 6000,
        b"x__Host-site=" * 6000,
        b"__Host-site-login-" * 4000,
        b"__Host-site-login-" + b"a" * 65_536,
        b"x=" + b'\\"' * 32_768,
        *(b";" * 65_536, b"=" * 65_536, b" " * 65_536, b"; " * 32_768),
    ],
)
def test_a_monstrous_header_is_looked_at_once_for_each_thing_sought(header: bytes) -> None:
    """CK-19, AD-115 (CVE-2024-52804): the name once, and the end of each of at most four values."""
    counted = Counted(header)
    assert len(cookies.values(counted, NAMED)) <= 4
    assert counted.looked_at <= 6 * len(header)
    assert len(cookies.gather(header, NAMED)) <= 4
    assert len(cookies.named_alike(header, PREFIX)) <= 20
    assert len(cookies.clear_chunks(header, NAME, AS_SET, 0)) <= cookies.MAX_CHUNKS


def test_cookies_are_named_after_a_text_and_found_by_that_shape() -> None:
    names = [cookies.tagged(PREFIX, text) for text in ("one", "two")]
    others = [f"{PREFIX}{'0' * 15}", f"{PREFIX}{'0' * 17}", f"{PREFIX}{'G' * 16}", NAME]
    header = "; ".join(f"{name}=v-{name[-1]}" for name in [*names, *others]).encode()
    assert len(set(names)) == 2
    assert cookies.named_alike(header, PREFIX) == {n: f"v-{n[-1]}".encode() for n in names}
    assert names == [cookies.tagged(PREFIX, text) for text in ("one", "two")]


@pytest.mark.parametrize("prefix", ["*a|b+c.d^e$-login-", "a.b-login-", "x|-login-"])
def test_a_name_is_taken_literally_where_it_holds_signs_of_a_pattern(prefix: str) -> None:
    """CK-18: RFC 6265 allows them in a name."""
    name = cookies.tagged(prefix, "text")
    header = f"x=theirs; {name}=ours; aXb-login-0123456789abcdef=theirs".encode()
    assert cookies.named_alike(header, prefix) == {name: b"ours"}


def test_a_cookie_is_set_with_all_its_attributes() -> None:
    """CK-01."""
    strict = CookieAttributes(path="/auth", domain="example.com", same_site="strict")
    assert cookies.set_cookie("n", "v", AS_SET, 60) == (
        "n=v; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax"
    )
    assert cookies.set_cookie("n", "v", strict, 60) == (
        "n=v; Path=/auth; Max-Age=60; Domain=example.com; Secure; HttpOnly; SameSite=Strict"
    )


@given(
    st.builds(
        CookieAttributes,
        path=st.sampled_from(["/", "/auth/logout"]),
        domain=st.sampled_from([None, "example.com"]),
        secure=st.booleans(),
        http_only=st.booleans(),
        same_site=st.sampled_from([None, "lax", "strict", "none"]),
    )
)
def test_a_cookie_is_cleared_with_the_attributes_it_was_set_with(
    attributes: CookieAttributes,
) -> None:
    """LO-10, CK-20, AD-41, AD-87: or browsers keep it."""
    set_, cleared = (
        parse(header)
        for header in (
            cookies.set_cookie("n", "v", attributes, 60),
            cookies.clear_cookie("n", attributes),
        )
    )
    assert cleared.deletes
    assert cleared.value == ""
    assert cleared.attributes.pop("expires") == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert set_.attributes | {"max-age": "0"} == cleared.attributes


@given(st.integers(1, MOST), st.sampled_from([None, "a.long.name.of.a.host.example.com"]))
def test_a_text_of_any_length_comes_back_from_the_browser(length: int, domain: str | None) -> None:
    """CK-14: each cookie is under 4096 bytes, attributes included."""
    name = "site" if domain else NAME
    text = ("0123456789-_abcdef" * (length // 18 + 1))[:length]
    written = cookies.spread(name, text, CookieAttributes(domain=domain), 604_800)
    assert len(written) <= cookies.MAX_CHUNKS
    assert all(len(header) < 4096 for header in written)
    jar = Jar(https=True)
    jar.take(["x=y; Path=/", *written])
    assert cookies.gather(jar.header("/").encode(), name.encode()) == [text.encode()]


def test_a_text_uses_no_more_cookies_than_it_needs() -> None:
    counts = [len(cookies.spread(NAME, "x" * n, AS_SET, 60)) for n in range(1, MOST, 50)]
    assert set(counts) == {1, 2, 3}
    assert counts == sorted(counts)


@pytest.mark.parametrize(("length", "count"), [(12_200, 4), (20_000, 5)])
def test_a_text_beyond_three_cookies_is_too_large(length: int, count: int) -> None:
    """CK-14."""
    words = rf"{length} bytes need {count} cookies of 40\d\d, at most 3"
    with pytest.raises(SessionTooLarge, match=words):
        cookies.spread(NAME, "x" * length, AS_SET, 60)


def chunked(text: str) -> dict[str, str]:
    """Return the cookies that carry ``text``, by name."""
    return {c.name: c.value for c in map(parse, cookies.spread(NAME, text, AS_SET, 60))}


def gathered(*parts: dict[str, str] | str) -> list[bytes]:
    """Return what is gathered from these cookies in this order."""
    texts = [
        part if isinstance(part, str) else "; ".join(f"{n}={v}" for n, v in part.items())
        for part in parts
    ]
    return cookies.gather("; ".join(texts).encode(), NAMED)


THREE = "".join(f"{number:05}" for number in range(2000))
CHUNKS = chunked(THREE)
FIRST, SECOND, THIRD = ({name: CHUNKS[name]} for name in (NAME, f"{NAME}.1", f"{NAME}.2"))


def test_chunks_are_found_in_any_order() -> None:
    """CK-15."""
    assert gathered(FIRST, SECOND, THIRD) == [THREE.encode()]
    assert gathered(THIRD, "x=y", SECOND, FIRST) == [THREE.encode()]


@pytest.mark.parametrize(
    "parts",
    [
        (FIRST, THIRD),
        (FIRST, SECOND),
        (FIRST,),
        (SECOND, THIRD),
        (FIRST, SECOND, SECOND, THIRD),
        (FIRST, SECOND, f"{NAME}.1=x", THIRD),
    ],
    ids=["no middle", "no end", "no rest", "no first", "twice", "a twin"],
)
def test_chunks_that_are_not_whole_are_nothing(parts: tuple[dict[str, str] | str, ...]) -> None:
    """CK-15."""
    assert gathered(*parts) == []


@pytest.mark.parametrize("index", ["3", "99999999", "-1", "0x10", "0", "01", "+1", " 1", "1e0"])
def test_chunks_that_nobody_counted_change_nothing(index: str) -> None:
    """CK-15, AD-12 (CVE-2024-24814)."""
    assert gathered(FIRST, SECOND, THIRD, f"{NAME}.{index}=x") == [THREE.encode()]
    assert gathered(f"{NAME}.{index}=x", {NAME: "1short"}) == [b"short"]


@pytest.mark.parametrize("count", ["", "0", "4", "9", "-", "x", "\u0663", "99999999"])
def test_a_count_that_we_never_write_is_nothing(count: str) -> None:
    """CK-15."""
    assert gathered({NAME: count + CHUNKS[NAME][1:] if count else ""}, SECOND, THIRD) == []


def test_a_twin_of_the_first_chunk_is_a_text_of_its_own() -> None:
    """CK-06: whichever of them opens is the session."""
    assert gathered({NAME: "1planted"}, FIRST, SECOND, THIRD) == [b"planted", THREE.encode()]


def test_only_chunks_that_the_browser_sent_are_removed() -> None:
    """CK-16, LO-10."""
    header = f"{NAME}=3x; {NAME}.1=x; {NAME}.2=x; {NAME}.3=x".encode()
    removed = [parse(value) for value in cookies.clear_chunks(header, NAME, AS_SET, 1)]
    assert [cookie.name for cookie in removed] == [f"{NAME}.1", f"{NAME}.2"]
    assert all(cookie.deletes for cookie in removed)
    assert cookies.clear_chunks(b"x=y", NAME, AS_SET, 0) == []


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        ("app.example.com", [None, "app.example.com", "example.com"]),
        ("example.com", [None, "example.com"]),
        ("a.b.example.com", [None, "a.b.example.com", "b.example.com", "example.com"]),
        ("localhost", [None, "localhost"]),
        ("127.0.0.1", [None, "127.0.0.1"]),
        ("::1", [None, "::1"]),
        ("[::1]", [None, "[::1]"]),
    ],
)
def test_a_cookie_of_the_browser_sdk_is_cleared_however_it_was_set(
    host: str, domains: list[str | None]
) -> None:
    """LO-10: host-only, and for each domain that the SDK may have named."""
    removed = cookies.clear_everywhere("inta_acc", host, CookieAttributes(http_only=False))
    found = [parse(header) for header in removed]
    assert [cookie.attributes.get("domain") for cookie in found] == domains
    assert all(c.deletes and c.path == "/" and "httponly" not in c.attributes for c in found)
