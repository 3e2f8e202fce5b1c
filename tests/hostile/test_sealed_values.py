"""A sealed cookie opens whole, under its own name, at its own site, or not at all."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from .browser import FETCH, NAVIGATION, Browser
from .cases import claim
from .provider import CLIENT_ID
from .site import SECRET_KEY, SESSION_COOKIE

if TYPE_CHECKING:
    from .asgi_call import Reply
    from .conftest import Log, MakeSite
    from .site import Site

Visit = Callable[..., Browser]
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
# The site is the same for all examples on purpose: none of them may change anything in it.
many = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def ask(site: Site, cookies: str, path: str = "/auth/user") -> Reply:
    """Send these cookies with a fetch."""
    headers = {**FETCH, "host": "site.example", "cookie": cookies}
    raw = tuple((name.encode(), value.encode("latin-1")) for name, value in headers.items())
    return site.send("GET", path.encode(), raw)


def is_nobody(site: Site, cookies: str) -> None:
    """CK-07: anonymous, without an error and without a hint."""
    assert ask(site, cookies).status == 401
    assert ask(site, cookies, "/private/page").status == 401
    public = ask(site, cookies, "/public")
    assert public.status == 200
    assert '"signed_in": false' in public.text


def login_cookie(browser: Browser) -> tuple[str, str]:
    """Start a sign-in and return the name and value of its cookie."""
    before = {name for name, _ in browser.jar.cookies}
    browser.start()
    (name,) = {name for name, _ in browser.jar.cookies} - before
    return name, browser.jar.named(name)


def test_any_other_text_than_the_sealed_one_is_nobody(visit: Visit) -> None:
    """CK-07: bytes changed, cut off, added; AD-75."""
    browser = visit()
    browser.sign_in()
    sealed = browser.jar.named(SESSION_COOKIE)
    position = st.integers(0, len(sealed) - 1)
    characters = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=';,"\\')

    @many
    @given(position, position, characters, st.sampled_from(["put", "cut", "add", "turn"]))
    def tampered(at: int, to: int, character: str, how: str) -> None:
        changed = {
            "put": sealed[:at] + character + sealed[at + 1 :],
            "cut": sealed[: min(at, to)] + sealed[max(at, to) + 1 :],
            "add": sealed[:at] + character + sealed[at:],
            "turn": sealed[at:] + sealed[:at],
        }[how]
        assume(changed != sealed)
        is_nobody(browser.site, f"{SESSION_COOKIE}={changed}")

    tampered()
    assert browser.user() is not None


def spellings(text: str) -> Iterator[str]:
    """Yield ``text`` with each character changed, with every other last one, and with more."""
    for at, character in enumerate(text):
        yield text[:at] + chr(ord(character) ^ 1) + text[at + 1 :]
    end = len(text.rstrip("=")) - 1
    yield from (text[:end] + last + text[end + 1 :] for last in BASE64 if last != text[end])
    yield from (text + more for more in ("=", "==", "===", "~", "."))
    yield text.translate({ord("-"): "+", ord("_"): "/"}) + "="


@pytest.mark.parametrize("sub", ["a", "ab", "abc"])
@pytest.mark.parametrize("mode", ["cookie", "server"])
def test_every_single_character_of_the_session_counts(mode: str, sub: str, visit: Visit) -> None:
    """CK-07, JW-15's cousin: no spare bit of the encoding is left unchecked, and no padding."""
    browser = visit(session_mode=mode)
    browser.provider.sub = sub
    browser.sign_in()
    for other in spellings(browser.jar.named(SESSION_COOKIE)):
        reply = ask(browser.site, f"{SESSION_COOKIE}={other}")
        assert reply.status == 401, other
    assert browser.user() is not None


@pytest.mark.parametrize(
    "garbage",
    ["", "=", "1", "3", "-1", "0x10", "99999999", '"quoted"', "é", "\x80\xff", "A" * 4000],
)
def test_a_session_of_garbage_is_nobody(garbage: str, visit: Visit) -> None:
    """CK-07, AD-11."""
    is_nobody(visit().site, f"{SESSION_COOKIE}={garbage}")


def test_a_login_cookie_is_no_session_and_a_session_is_no_login_cookie(
    visit: Visit, log: Log
) -> None:
    """CB-26, CS-10 (CVE-2023-48309)."""
    browser = visit()
    browser.sign_in()
    session = browser.jar.named(SESSION_COOKIE)
    name, login = login_cookie(browser)
    for value in (login, f"1{login}", login[1:]):
        is_nobody(browser.site, f"{SESSION_COOKIE}={value}")
    response = browser.at_provider(browser.start())
    tokens = browser.provider.hits["token"]
    for value in (session, session[1:], login):
        for key in list(browser.jar.cookies):
            held = browser.jar.cookies[key]
            if held.name != SESSION_COOKIE:
                browser.jar.cookies[key] = type(held)(held.name, value, held.attributes)
        reply = browser.callback(response)
        assert reply.status in (302, 303, 400, 403)
        assert browser.provider.hits["token"] == tokens
    assert browser.user() is not None, "a failed callback took the session away"
    assert name
    assert log.records


def test_the_hint_of_the_id_token_is_neither(visit: Visit) -> None:
    """CB-26."""
    browser = visit()
    browser.sign_in()
    (hint,) = [c.value for c in browser.jar.cookies.values() if c.path == "/auth/logout"]
    for value in (hint, f"1{hint}", hint[1:]):
        is_nobody(browser.site, f"{SESSION_COOKIE}={value}")


@pytest.mark.parametrize(
    "change",
    [
        {"SECRET_KEYS": "another key of another site which is long enough"},
        {"CLIENT_ID": "another-client"},
        {"COOKIE_NAME": "__Host-another"},
    ],
)
def test_what_one_site_sealed_does_not_open_at_another(
    change: dict[str, str], visit: Visit, make_site: MakeSite
) -> None:
    """CK-07, CK-08, CB-25 (CVE-2026-73419)."""
    browser = visit()
    browser.sign_in()
    other = make_site(**change)
    is_nobody(
        other, f"{change.get('COOKIE_NAME', SESSION_COOKIE)}={browser.jar.named(SESSION_COOKIE)}"
    )
    assert change.get("CLIENT_ID") != CLIENT_ID


def test_a_retired_key_still_opens_and_a_removed_one_does_not(
    visit: Visit, make_site: MakeSite
) -> None:
    """CK-12 (CVE-2025-47278)."""
    browser = visit()
    browser.sign_in()
    cookie = f"{SESSION_COOKIE}={browser.jar.named(SESSION_COOKIE)}"
    new = "a newer key of this site that is long enough too"
    assert ask(make_site(SECRET_KEYS=f"{new},{SECRET_KEY}"), cookie).status == 200
    is_nobody(make_site(SECRET_KEYS=new), cookie)


def test_the_same_session_is_never_sealed_to_the_same_bytes(visit: Visit) -> None:
    """CK-08, AD-07 (CVE-2021-32791), and nothing readable is in it (CK-25)."""
    browser = visit()
    seen = set()
    for _ in range(20):
        browser.sign_in()
        seen.add(browser.jar.named(SESSION_COOKIE))
    assert len(seen) == 20
    for sealed in seen:
        text = sealed.encode()
        raw = b"".join(
            base64.urlsafe_b64decode(text[n:] + b"=" * (-len(text[n:]) % 4))
            for n in (0, 1)
            if (len(text) - n) % 4 != 1
        )
        assert b"alice" not in raw + text


@pytest.mark.parametrize(
    "shadow",
    [
        f"{SESSION_COOKIE.lower()}=evil",
        f"{SESSION_COOKIE.upper()}=evil",
        f"={SESSION_COOKIE}=evil",
        f" {SESSION_COOKIE}=evil",
        f"{SESSION_COOKIE}",
        f"{SESSION_COOKIE}=",
        f"{SESSION_COOKIE}.1=evil",
        f"{SESSION_COOKIE}.99999999=evil",
        f"a={SESSION_COOKIE}=evil",
        f'a="; {SESSION_COOKIE}=evil; "',
        f"{SESSION_COOKIE}=evil",
    ],
)
def test_a_cookie_that_shadows_the_session_is_neither_taken_for_it_nor_an_error(
    shadow: str, visit: Visit
) -> None:
    """CK-04, CK-05, CK-06 (CVE-2023-23934)."""
    browser = visit()
    browser.sign_in()
    is_nobody(browser.site, shadow)
    real = f"{SESSION_COOKIE}={browser.jar.named(SESSION_COOKIE)}"
    statuses = {
        ask(browser.site, both).status for both in (f"{shadow}; {real}", f"{real}; {shadow}")
    }
    assert statuses <= {200, 401}


def test_a_nameless_cookie_cannot_carry_the_session(visit: Visit) -> None:
    """CK-04: a sibling domain may plant ``=__Host-name=value``, which has no prefix's promise."""
    browser = visit()
    browser.sign_in()
    sealed = browser.jar.named(SESSION_COOKIE)
    is_nobody(browser.site, f"={SESSION_COOKIE}={sealed}")
    is_nobody(browser.site, f"a=b {SESSION_COOKIE}={sealed}")
    is_nobody(browser.site, f"{SESSION_COOKIE.lower()}={sealed}")


def test_chunks_are_read_whole_in_order_and_of_one_session(visit: Visit) -> None:
    """CK-15, AD-12 (CVE-2024-24814)."""
    pieces: list[dict[str, str]] = []
    browser = visit()
    claim("groups", [f"group-number-{number:04}" for number in range(350)])(browser.provider)
    for _ in range(2):
        browser.sign_in()
        own = {
            n: c.value for (n, _), c in browser.jar.cookies.items() if n.startswith(SESSION_COOKIE)
        }
        pieces.append(own)
    one, two = pieces
    second = f"{SESSION_COOKIE}.1"
    assert second in one
    site = browser.site

    def header(parts: dict[str, str]) -> str:
        return "; ".join(f"{name}={value}" for name, value in parts.items())

    assert ask(site, header(one)).status == 200
    assert ask(site, header(dict(reversed(one.items())))).status == 200
    assert ask(site, header({**one, f"{SESSION_COOKIE}.99999999": "x"})).status == 200
    is_nobody(site, header({**one, second: two[second]}))
    is_nobody(site, header({SESSION_COOKIE: one[SESSION_COOKIE]}))
    is_nobody(site, header({second: one[second]}))
    is_nobody(site, header({**one, SESSION_COOKIE: one[second], second: one[SESSION_COOKIE]}))
    for count in "0123456789-x":
        changed = {**one, SESSION_COOKIE: count + one[SESSION_COOKIE][1:]}
        assert ask(site, header(changed)).status == (200 if changed == one else 401)


@pytest.mark.parametrize(
    "cookies",
    [
        "; ".join(f"cookie{number}=value" for number in range(5_000)),
        "; ".join(f"{SESSION_COOKIE}={number}" for number in range(3_000)),
        f"{SESSION_COOKIE}=" + "A" * 65_000,
        f"{SESSION_COOKIE}=3" + "; ".join(f"{SESSION_COOKIE}.{n}=x" for n in range(3_000)),
        "a=" + '\\"' * 32_000,
        ";" * 65_000,
        "=" * 65_000,
        f"{SESSION_COOKIE}=" * 3_000,
        " " * 65_000,
    ],
)
def test_a_monstrous_cookie_header_costs_little(cookies: str, visit: Visit) -> None:
    """CK-19 (CVE-2024-52804, CVE-2023-28625)."""
    site = visit().site
    started = time.perf_counter()
    is_nobody(site, cookies)
    raw = {**NAVIGATION, "cookie": cookies}
    headers = tuple((name.encode(), value.encode()) for name, value in raw.items())
    for path in (b"/auth/login", b"/auth/callback?code=c&state=s", b"/auth/logout"):
        assert site.send("GET", path, headers).status < 500
    assert time.perf_counter() - started < 5
