"""Section 2I: a logout ends everything it can reach, and only for those who asked for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from .browser import FETCH, NAVIGATION, Browser
from .cases import metadata
from .jar import Cookie, parse
from .site import SESSION_COOKIE

if TYPE_CHECKING:
    from .conftest import Log
    from .jose import Json
    from .server import Pairs

Visit = Callable[..., Browser]
HOME = ("/", "https://site.example/", "https://site.example")


@pytest.fixture
def alice(visit: Visit) -> Browser:
    """Sign Alice in."""
    browser = visit()
    browser.sign_in()
    return browser


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"referer": "https://evil.example/page"},
        {"referer": "https://site.example.evil.example/"},
        {"origin": "http://site.example"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_site_cannot_sign_a_visitor_out(
    method: str, headers: dict[str, str], alice: Browser
) -> None:
    """BF-04, LO-01: a link, a form or an image gets a page with a button."""
    form = {"content-type": "application/x-www-form-urlencoded"} if method == "POST" else {}
    raw = {"host": "site.example", "accept": "text/html", "cookie": alice.jar.header("/"), **form}
    sent = tuple((k.encode(), v.encode()) for k, v in {**raw, **headers}.items())
    reply = alice.site.send(method, b"/auth/logout", sent)
    assert reply.status < 500
    assert not any(parse(header).deletes for header in reply.all("set-cookie"))
    assert reply.status not in (302, 303)
    assert alice.user() is not None


def test_the_button_of_that_page_signs_out(alice: Browser) -> None:
    """R9-15, LO-01, CS-09."""
    page = alice.get("/auth/logout?next=/bye", sec_fetch_site="cross-site")
    assert "<form" in page.text
    assert "frame-ancestors 'none'" in page.get("content-security-policy")
    address, _ = alice.follow(alice.post("/auth/logout?next=/bye", origin="https://site.example"))
    assert alice.user() is None
    assert address.startswith(("/", "https://site.example/"))


def end_session(browser: Browser) -> dict[str, str]:
    """Sign out and return the end-session request's parameters."""
    url = urlsplit(browser.get("/auth/logout").location)
    assert url.path == "/end_session"
    pairs = parse_qsl(url.query)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_the_provider_is_told_who_signs_out_and_where_to(visit: Visit) -> None:
    """LO-02, LO-03, CF-L01: always with a state; some providers come back only with one."""
    issued: list[object] = []
    browser = visit()

    def issue(given: Json) -> Json:
        issued.append(given["id_token"])
        return given

    browser.provider.script.token = issue
    browser.sign_in()
    request = end_session(browser)
    assert request["id_token_hint"] == issued[-1]
    assert request["client_id"] == "site-client"
    assert request["post_logout_redirect_uri"].startswith("https://site.example/")
    assert request["state"]
    assert browser.user() is None, "the local session goes first"


@pytest.mark.parametrize(
    "state",
    [
        lambda given: given,
        lambda _: (),
        lambda _: (("state", "another"),),
        lambda _: (("state", "https://evil.example"),),
        lambda given: given + given,
        lambda _: (("next", "//evil.example"), ("state", "/\\evil.example")),
    ],
    ids=["same", "none", "other", "address", "twice", "with next"],
)
def test_a_logout_ends_on_a_page_of_this_site_whatever_state_comes_back(
    state: Callable[[Pairs], Pairs], alice: Browser
) -> None:
    """CF-L01, CF-L02, CF-L03, LO-06."""
    alice.provider.script.post_logout = state
    address, last = alice.follow(alice.get("/auth/logout"))
    assert urlsplit(address).path == "/"
    assert urlsplit(address).netloc in ("", "site.example")
    assert last.status == 200
    assert alice.user() is None


def test_a_logout_can_end_elsewhere_on_this_site(alice: Browser) -> None:
    """LO-07."""
    address, _ = alice.follow(alice.get("/auth/logout?next=/bye?a=b"))
    assert address.removeprefix("https://site.example") == "/bye?a=b"


@pytest.mark.parametrize("endpoint", [None, "javascript:alert(1)", "http://evil.example/out", 7])
def test_without_a_usable_end_session_endpoint_the_logout_is_local(
    endpoint: object, visit: Visit
) -> None:
    """LO-04, LO-05."""
    browser = visit()
    metadata(end_session_endpoint=endpoint)(browser.provider)
    begun = browser.get("/auth/login")
    if begun.status >= 400:
        return
    browser.callback(browser.at_provider(begun.location))
    assert browser.get("/auth/logout").location in HOME
    assert browser.user() is None


def test_an_end_session_endpoint_with_a_query_keeps_it(visit: Visit) -> None:
    """LO-05."""
    browser = visit()
    address = browser.provider.url("end_session")
    metadata(end_session_endpoint=f"{address}?tenant=one")(browser.provider)
    browser.sign_in()
    request = end_session(browser)
    assert request["tenant"] == "one"
    assert "post_logout_redirect_uri" in request


def test_a_cookie_copied_before_the_logout_is_worth_nothing_after_it(alice: Browser) -> None:
    """LO-08 (CVE-2025-46344)."""
    stolen = alice.jar.header("/")
    alice.get("/auth/logout")
    headers = {**FETCH, "cookie": stolen}
    raw = tuple((name.encode(), value.encode()) for name, value in headers.items())
    assert alice.site.send("GET", b"/auth/user", raw).status == 401


def test_a_logout_works_while_the_provider_is_down(alice: Browser, log: Log) -> None:
    """The local part always happens."""
    alice.provider.server.stop()
    reply = alice.get("/auth/logout")
    alice.provider.server.start()
    assert reply.status in (302, 303)
    assert alice.user() is None
    assert log is not None


def test_a_site_that_never_met_its_provider_logs_out_as_well(visit: Visit, log: Log) -> None:
    """DJ-07: started while the provider is down."""
    browser = visit()
    browser.provider.server.stop()
    reply = browser.get("/auth/logout")
    browser.provider.server.start()
    assert reply.location in HOME
    assert log is not None


@pytest.mark.parametrize("left", ["nothing", "the hint", "garbage"])
def test_a_logout_without_a_session_still_ends_the_provider_s(left: str, alice: Browser) -> None:
    """Works when the local session has already expired."""
    for key, cookie in list(alice.jar.cookies.items()):
        if cookie.name.startswith(SESSION_COOKIE) or left == "nothing":
            del alice.jar.cookies[key]
        elif left == "garbage":
            alice.jar.cookies[key] = Cookie(cookie.name, "garbage", cookie.attributes)
    request = end_session(alice)
    assert ("id_token_hint" in request) == (left == "the hint")


def test_every_cookie_is_gone_after_a_logout(alice: Browser) -> None:
    """LO-10: every one that could sign in, or say who was."""
    alice.follow(alice.get("/auth/logout"))
    kept = [cookie for cookie in alice.jar.cookies.values() if cookie.name == SESSION_COOKIE]
    assert kept == []
    assert alice.jar.header("/auth/logout").count("hint") == 0


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_sign_nobody_out(method: str, alice: Browser) -> None:
    """LO-01."""
    reply = alice.request(method, "/auth/logout", NAVIGATION)
    assert reply.status < 500
    assert alice.user() is not None
