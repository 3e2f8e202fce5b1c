"""The pages are safe with any value in them, and usable by anybody."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core import pages

if TYPE_CHECKING:
    from collections.abc import Callable

    Page = Callable[[str], str]

PAGES: dict[str, Page] = {
    "failed": lambda value: pages.failed(value, reference=value, sign_in=value, home=value),
    "cancelled": lambda value: pages.cancelled(reference=value, sign_in=value, home=value),
    "expired": lambda value: pages.expired(reference=value, sign_in=value, home=value),
    "offer": lambda value: pages.offer(reference=value, sign_in=value, home=value),
    "not_like_this": lambda value: pages.not_like_this(value, reference=value, home=value),
    "signed_out": lambda value: pages.signed_out(sign_in=value, home=value),
    "confirm_sign_out": lambda value: pages.confirm_sign_out(
        action=value, proof=value, next_path=value, home=value
    ),
}
"""Each page as a function of one value, which stands in every place that takes one."""

each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)

hostile = st.text(max_size=40) | st.lists(
    st.sampled_from(
        [
            *("<", ">", '"', "'", "&", "`", "=", " ", "\n", "\0", "/", "--", "]]>", "<!--", "é"),
            *("<script>", "</style>", "</title>", "onload", "javascript:", "&#x3c;", "&quot;"),
        ]
    ),
    max_size=12,
).map("".join)


class Outline(HTMLParser):
    """What a page is made of: its elements with the attributes' names, its values, its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.others: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element and its attributes."""
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.values += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        """Keep a comment."""
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        """Keep a processing instruction."""
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        """Keep a declaration."""
        self.others.append(data)

    @property
    def text(self) -> str:
        """All text, as somebody reads it."""
        return "".join(self.texts)

    def of(self, tag: str, name: str) -> list[str]:
        """Return the values of the attribute ``name`` of the elements ``tag``."""
        return [value for element, key, value in self.values if (element, key) == (tag, name)]


@each_page
@given(value=hostile)
def test_no_value_adds_an_element_or_an_attribute(page: Page, value: str) -> None:
    """HL-06, HL-07, AD-34."""
    plain, filled = Outline(page("plain")), Outline(page(value))
    assert filled.elements == plain.elements
    assert filled.others == []


@each_page
@given(value=hostile.filter(lambda value: "\r" not in value and "\0" not in value))
def test_every_value_arrives_as_it_was_given(page: Page, value: str) -> None:
    """An address or a proof that escaping changed would lead nowhere."""
    plain, filled = Outline(page("plain")), Outline(page(value))
    assert filled.values == [
        (tag, name, value if given == "plain" else given) for tag, name, given in plain.values
    ]
    assert filled.text == plain.text.replace("plain", value)


def test_the_parser_of_these_tests_sees_what_an_unescaped_value_would_add() -> None:
    seen = Outline("<p title='' onload=x><!-- y --><?z></p><![CDATA[q]]>t")
    assert seen.elements == [("p", ("title", "onload"))]
    assert seen.others == [" y ", "z", "CDATA[q"]
    assert seen.text == "t"


@each_page
def test_a_page_has_a_language_a_title_one_heading_one_main_part_and_a_viewport(page: Page) -> None:
    text = page("plain")
    seen = Outline(text)
    tags = [tag for tag, _ in seen.elements]
    assert text.startswith("<!doctype html>")
    assert seen.of("html", "lang") == ["en"]
    assert [tags.count(tag) for tag in ("title", "h1", "main")] == [1, 1, 1]
    assert "width=device-width, initial-scale=1" in seen.of("meta", "content")


@each_page
def test_a_page_needs_nothing_from_outside_and_runs_nothing(page: Page) -> None:
    """R9-07."""
    seen = Outline(page("plain"))
    assert {tag for tag, _ in seen.elements} <= {
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "p", "div", "a"),
        *("form", "input", "button", "code", "span"),
    }
    assert not any(name.startswith("on") or name == "style" for _, name, _ in seen.values)
    assert seen.of("meta", "http-equiv") == []
    assert "url(" not in pages.STYLE
    assert "@import" not in pages.STYLE


@pytest.mark.parametrize(
    "name", ["failed", "failed_for_good", "cancelled", "expired", "offer", "signed_out"]
)
def test_a_page_offers_to_sign_in_and_the_way_home(name: str) -> None:
    ways = {"sign_in": "/auth/login?next=%2Fmembers", "home": "/start"}
    html = {
        "failed": pages.failed("It broke.", reference="r", **ways),
        "failed_for_good": pages.failed_for_good("It is not set up.", reference="r", **ways),
        "cancelled": pages.cancelled(reference="r", **ways),
        "expired": pages.expired(reference="r", **ways),
        "offer": pages.offer(reference="r", **ways),
        "signed_out": pages.signed_out(**ways),
    }[name]
    seen = Outline(html).of("a", "href")
    # Where signing in again would end here again, it is not the first thing to press.
    first, second = reversed(seen) if name == "failed_for_good" else seen
    assert (first, second) == ("/auth/login?next=%2Fmembers", "/start")


def test_a_failure_says_its_sentence_and_the_reference_to_ask_for_help_with() -> None:
    seen = Outline(pages.failed("It broke.", reference="k7qd-29xm", sign_in="/s", home="/"))
    assert "It broke." in seen.text
    assert "If you ask for help, give this reference: k7qd-29xm" in seen.text


def test_an_offer_says_where_the_visitor_stands() -> None:
    """P7."""
    seen = Outline(pages.offer(reference="k7qd-29xm", sign_in="/s", home="/"))
    assert "You are not signed in here" in seen.text
    assert "give this reference: k7qd-29xm" in seen.text


def test_the_step_on_the_way_back_has_one_way_on() -> None:
    seen = Outline(pages.signed_in("/members"))
    assert seen.of("a", "href") == ["/members"]
    assert "Continue" in seen.text


def test_a_sign_out_is_confirmed_with_a_form_that_posts_the_proof_and_the_target() -> None:
    seen = Outline(
        pages.confirm_sign_out(action="/auth/logout", proof="p-1", next_path="/bye", home="/")
    )
    assert (seen.of("form", "method"), seen.of("form", "action")) == (["post"], ["/auth/logout"])
    assert dict(zip(seen.of("input", "name"), seen.of("input", "value"), strict=True)) == {
        "proof": "p-1",
        "next": "/bye",
    }
    assert seen.of("button", "type") == ["submit"]
    assert seen.of("a", "href") == ["/"]


def test_the_policy_allows_the_style_of_the_pages_by_its_hash_and_nothing_else() -> None:
    """HL-06."""
    style = re.search(r"<style>(.*?)</style>", pages.signed_out(sign_in="/s", home="/"), re.DOTALL)
    assert style
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert pages.content_security_policy() == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    )


@pytest.mark.parametrize(
    ("target", "source"),
    [
        ("https://id.example/connect/end?x=y;z#f", "https://id.example"),
        ("https://id.example", "https://id.example"),
        ("http://127.0.0.1:9000/end", "http://127.0.0.1:9000"),
        ("http://[::1]:9000/end", "http:"),
        ("https://[2001:db8::1]", "https:"),
    ],
)
def test_the_policy_lets_a_form_go_on_to_the_origin_of_a_target(target: str, source: str) -> None:
    policy = pages.content_security_policy((target, target))
    assert policy.endswith(f"; form-action 'self' {source}")


@given(target=hostile | hostile.map("https://id.example".__add__) | hostile.map("https:".__add__))
def test_no_target_adds_a_directive_or_opens_more_than_one_origin(target: str) -> None:
    """HL-01."""
    policy = pages.content_security_policy((target,))
    base = pages.content_security_policy()
    assert policy.startswith(base)
    assert re.fullmatch(r"(?: https://[A-Za-z0-9.:-]+)?", policy.removeprefix(base), re.ASCII)


@pytest.mark.parametrize(
    "target",
    [
        *("", "*", "https://*", "https:", "javascript:alert(1)", "//id.example/end", "/end"),
        *(
            "https://me@id.example/",
            "https://id.example; script-src *",
            "https://id.example,https:",
        ),
        *("https://id.example\n; x", "https://ïd.example/", "https://id.example:port/"),
    ],
)
def test_a_target_that_is_no_plain_http_address_is_left_out(target: str) -> None:
    assert pages.content_security_policy((target,)) == pages.content_security_policy()


@pytest.mark.parametrize(
    ("by", "source"),
    [
        ("https://id.example", "https://id.example"),
        ("https://id.example/tenant?a=b", "https://id.example"),
        ("http://localhost:9000/", "http://localhost:9000"),
        ("http://[::1]:9000/", "http:"),
        (None, "'none'"),
        ("", "'none'"),
        ("javascript:alert(1)", "'none'"),
        ("https://id.example; script-src *", "'none'"),
        ("https://id.example\n; x", "'none'"),
    ],
)
def test_nobody_but_the_origin_that_was_named_may_frame_a_page(by: str | None, source: str) -> None:
    """FL-01: and nothing may come of it there."""
    policy = pages.framing_policy(by)
    assert policy == (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {source}"
    )


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back"),
    [("ink", "card"), ("soft", "card"), ("accent", "card"), ("on-accent", "accent")],
)
def test_text_has_a_contrast_of_seven_to_one(scheme: str, front: str, back: str) -> None:
    """WCAG 2.2 success criterion 1.4.6."""
    light, dark = pages.STYLE.split("@media (prefers-color-scheme: dark)")
    colours = dict(
        re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", {"light": light, "dark": dark}[scheme])
    )
    assert _contrast(colours[front], colours[back]) >= 7


def test_black_on_white_is_the_greatest_contrast_there_is() -> None:
    """The measure of the test above, against the value WCAG gives."""
    assert round(_contrast("#000000", "#ffffff"), 6) == 21
