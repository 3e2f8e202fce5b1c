"""Whatever a browser sends: no error, no visitor out of nothing, no session taken away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, urlencode

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from .browser import Browser
from .jar import Jar
from .site import SESSION_COOKIE

if TYPE_CHECKING:
    from .asgi_call import RawHeaders, Reply

Visit = Callable[..., Browser]
many = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "PROPFIND", "get", "X"]
ENDPOINTS = ["login", "callback", "logout", "user", "backchannel-logout", "frontchannel-logout", ""]
ODD_PATHS = [
    "/auth/login/",
    "/auth/callbackevil",
    "/auth//callback",
    "/AUTH/callback",
    "/auth/%63allback",
    "/auth/callback%00",
    "/auth/callback;x=y",
    "/auth/callback%2f",
    "/auth/../auth/callback",
    "//auth/callback",
    "/auth",
    "/private/%ff%fe",
    "/private/page",
    "/public",
    "",
    "*",
]
PARAMETERS = ["code", "state", "iss", "error", "error_description", "next", "sid", "logout_token"]
HEADERS = [
    b"accept",
    b"authorization",
    b"content-length",
    b"content-type",
    b"cookie",
    b"forwarded",
    b"host",
    b"origin",
    b"purpose",
    b"referer",
    b"sec-fetch-dest",
    b"sec-fetch-mode",
    b"sec-fetch-site",
    b"sec-fetch-user",
    b"sec-purpose",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-requested-with",
    b"x-auth-user",
]
PLAUSIBLE = [
    b"text/html",
    b"navigate",
    b"document",
    b"same-origin",
    b"cross-site",
    b"prefetch",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data; boundary=x",
    b"application/json",
    b"https://site.example",
    b"null",
    b"Bearer x",
    b"Bearer",
    b"-1",
    b"",
]

# A server has refused CR, LF and NUL in a header before the app sees it (RFC 9110 section 5.5).
header_bytes = st.binary(max_size=60).map(lambda raw: raw.translate(None, b"\r\n\0"))
header_values = st.one_of(st.sampled_from(PLAUSIBLE), header_bytes)
headers = st.lists(st.tuples(st.sampled_from(HEADERS), header_values), max_size=8).map(tuple)
paths = st.one_of(
    st.sampled_from(ENDPOINTS).map(lambda endpoint: f"/auth/{endpoint}"),
    st.sampled_from(ODD_PATHS),
    st.binary(max_size=20).map(lambda raw: f"/auth/{quote_from_bytes(raw)}"),
)
pairs = st.lists(st.tuples(st.sampled_from(PARAMETERS), st.text(max_size=40)), max_size=6)
# A lone surrogate has no bytes that a browser could send.
forms = pairs.map(lambda given: urlencode(given, errors="replace").encode())
queries = st.one_of(forms, st.binary(max_size=60).map(lambda raw: raw.translate(None, b" \r\n#")))
bodies = st.one_of(forms, st.binary(max_size=200))


def took_nothing(reply: Reply, jar: Jar) -> None:
    """Apply the answer's cookies to a copy of the jar: the session in it must be what it was."""
    copy = Jar(jar.https, dict(jar.cookies))
    copy.take(reply.all("set-cookie"))
    assert copy.named(SESSION_COOKIE) == jar.named(SESSION_COOKIE)


def gave_nothing(reply: Reply) -> None:
    """Nobody became somebody."""
    assert reply.status < 500, reply.text
    assert not any(header.startswith(f"{SESSION_COOKIE}=1") for header in reply.all("set-cookie"))
    assert b'"signed_in": true' not in reply.body


def test_no_request_is_an_error_or_a_sign_in(visit: Visit) -> None:
    """CB-11, CB-14, CB-17, CB-18, AD-04, AD-14, AD-83, AD-89, HL-03, PX-02, PX-06."""
    browser = visit()

    @many
    @given(st.sampled_from(METHODS), paths, queries, headers, bodies)
    def garbage(method: str, path: str, query: bytes, headers: RawHeaders, body: bytes) -> None:
        gave_nothing(browser.site.send(method, path.encode() + b"?" + query, headers, body))

    garbage()


def test_no_request_takes_a_valid_session_away(visit: Visit) -> None:
    """A failed anything never clears or downgrades the session that came along; logout may."""
    browser = visit()
    browser.sign_in()
    cookie = (b"cookie", browser.jar.header("/").encode())

    @many
    @given(st.sampled_from(METHODS), paths, queries, headers, bodies)
    def garbage(method: str, path: str, query: bytes, headers: RawHeaders, body: bytes) -> None:
        target = path.encode() + b"?" + query
        reply = browser.site.send(method, target, (cookie, *headers), body)
        assert reply.status < 500, reply.text
        if "logout" not in path:
            took_nothing(reply, browser.jar)

    garbage()


def test_no_login_or_hint_cookie_is_an_error(visit: Visit) -> None:
    """CK-07, CB-24: names off real cookies, values of anything, in headers cut anywhere."""
    browser = visit()
    browser.sign_in()
    browser.start()
    names = [cookie.name for cookie in browser.jar.cookies.values()]
    response = browser.at_provider(browser.start())
    name = st.sampled_from([*names, *(name[:-3] for name in names), "", "a"]).map(str.encode)
    separator = st.sampled_from([b"; ", b";", b";  ", b";\t", b",", b" "])
    equals = st.sampled_from([b"=", b"", b"==", b" = "])
    part = st.builds(lambda *parts: b"".join(parts), name, equals, header_bytes, separator)
    endpoint = st.sampled_from(["login", "logout", "user", f"callback?{urlencode(response)}"])
    tokens = browser.provider.hits["token"]

    @many
    @given(endpoint, st.lists(part, max_size=8).map(b"".join))
    def garbage(target: str, cookies: bytes) -> None:
        navigation = ((b"accept", b"text/html"), (b"sec-fetch-mode", b"navigate"))
        gave_nothing(
            browser.site.send(
                "GET", f"/auth/{target}".encode(), (*navigation, (b"cookie", cookies))
            )
        )

    garbage()
    assert browser.provider.hits["token"] == tokens
    assert browser.user() is not None


def test_a_genuine_response_with_any_one_part_replaced_signs_nobody_in(visit: Visit) -> None:
    """R9-06, CB-02, CB-06, CB-11: code, state and iss are right but for one."""
    browser = visit()
    response = browser.at_provider(browser.start())

    @many
    @given(st.sampled_from(["state", "iss"]), st.text(max_size=80), st.booleans())
    def garbage(name: str, value: str, twice: bool) -> None:
        value = value.encode(errors="replace").decode()
        assume(twice or value != dict(response)[name])
        changed = tuple((key, value if key == name else said) for key, said in response)
        sent = (*response, (name, value)) if twice else changed
        gave_nothing(browser.callback(sent))
        assert browser.user() is None

    garbage()
    assert browser.provider.hits["token"] == 0
