"""Back-channel and front-channel logout: only the provider's own word ends a session."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support.server import let_pass, until

from .bad_logouts import CASES, FORM, SID, Posted, form, good, signed
from .browser import Browser
from .jose import jws, main_key, rsa_key

if TYPE_CHECKING:
    from .asgi_call import Reply
    from .conftest import Log
    from .site import Site

Visit = Callable[..., Browser]
PATH = b"/auth/backchannel-logout"
each_case = pytest.mark.parametrize("case", CASES, ids=[f"{one.ids}: {one.name}" for one in CASES])


def post(site: Site, body: bytes, method: str = "POST", **headers: str) -> Reply:
    """Send ``body`` as the provider's server does."""
    every = {"host": site.host, **headers}
    raw = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in every.items())
    return site.send(method, PATH, raw, body)


def tell(browser: Browser, token: str) -> Reply:
    """Post ``token``, which no log may hold."""
    browser.provider.secrets.add(token)
    return post(browser.site, form(token), **FORM)


def is_guarded(reply: Reply) -> None:
    """BL-18: not kept anywhere, and nothing for a browser in it."""
    assert reply.get("cache-control") == "no-store"
    assert reply.get("content-type") == "application/json"
    assert reply.get("x-content-type-options") == "nosniff"
    assert reply.all("set-cookie") == []


def arrive(visit: Visit, site: Site | None = None, sid: str = SID) -> Browser:
    """Sign alice in, whose session at the provider is ``sid``."""
    browser = visit(site)
    browser.provider.script.claims = lambda given: {**given, "sid": sid}
    browser.sign_in()
    assert browser.user() is not None
    return browser


def is_signed_out(browser: Browser) -> None:
    """Return once the session has ended, which takes ``REVOCATION_CHECK`` seconds at most."""
    until(lambda: browser.user() is None, "the end of the session", patience=1.5)


@each_case
def test_what_is_not_a_good_token_is_refused(case: Posted, visit: Visit, log: Log) -> None:
    """CF-K02 to CF-K08, BL-03, BL-04, BL-06 to BL-11, BL-13, BL-15, BL-18."""
    browser = arrive(visit)
    body = case.body(browser.provider)
    reply = post(browser.site, body, **case.headers)
    assert reply.status == case.status
    is_guarded(reply)
    said = json.loads(reply.body)
    assert set(said) == {"error", "message", "reference"}
    assert said["error"] in ("invalid_request", "content_too_large")
    assert any(said["reference"] in line for line in log.ours())
    assert browser.provider.hits["evil"] == 0
    assert body.decode("latin-1")[-40:] not in log.text() or not body


def test_none_of_that_ends_the_session_and_one_good_token_does(visit: Visit) -> None:
    """CF-K01 to CF-K08, BL-01 to BL-15: the good one last, so that the others could have."""
    browser = arrive(visit)
    for case in CASES:
        post(browser.site, case.body(browser.provider), **case.headers)
    let_pass(1.2)
    assert browser.user() is not None
    reply = tell(browser, signed(browser.provider))
    assert reply.status == 200
    is_guarded(reply)
    is_signed_out(browser)


@pytest.mark.parametrize(
    "change", [{"sub": None}, {"sid": None}, {"aud": ["x", "site-client"]}, {"frobnication": [1]}]
)
def test_a_good_token_may_say_less_and_more(change: dict[str, object], visit: Visit) -> None:
    """BL-02, BL-06."""
    browser = arrive(visit)
    assert tell(browser, signed(browser.provider, **change)).status == 200
    is_signed_out(browser)


@pytest.mark.parametrize("typ", ["logout+jwt", "JWT", "absent"])
def test_a_good_token_may_say_what_it_is(typ: str, visit: Visit) -> None:
    """BL-11."""
    browser = arrive(visit)
    header: dict[str, object] = {"alg": "RS256", "kid": "main", "typ": typ}
    if typ == "absent":
        del header["typ"]
    assert tell(browser, jws(good(browser.provider), main_key(), header)).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_a_post_is_heard(method: str, visit: Visit) -> None:
    """BL-15."""
    browser = visit()
    reply = post(browser.site, form(signed(browser.provider)), method, **FORM)
    assert reply.status == (204 if method == "HEAD" else 405)
    assert reply.get("cache-control") == "no-store"
    assert browser.provider.hits["jwks"] == 0


def test_a_token_that_is_stolen_and_sent_again_is_refused(visit: Visit) -> None:
    """BL-12: also fifty times at once; what it asks for happens once or is the same again."""
    browser = arrive(visit)
    token = signed(browser.provider)
    assert tell(browser, token).status == 200
    with ThreadPoolExecutor(10) as at_once:
        replies = list(at_once.map(lambda _: tell(browser, token), range(50)))
    assert {reply.status for reply in replies} == {400}


def test_a_later_sign_in_is_out_of_reach_of_a_stolen_token(visit: Visit) -> None:
    """BL-12: by sub, and never delivered."""
    browser = arrive(visit)
    token = signed(browser.provider, sid=None)
    let_pass(1.1)
    later = arrive(visit, browser.site, sid="another")
    assert tell(browser, token).status == 200
    is_signed_out(browser)
    assert later.user() is not None


def test_a_flood_of_garbage_asks_the_provider_for_nothing(visit: Visit) -> None:
    """BL-17: not even for its metadata."""
    browser = visit()
    bodies = [b"logout_token=" + b"x" * size for size in range(40)] + [form("a.b.c")] * 40
    with ThreadPoolExecutor(10) as at_once:
        replies = list(at_once.map(lambda body: post(browser.site, body, **FORM), bodies))
    assert {reply.status for reply in replies} == {400}
    assert not browser.provider.hits


def test_a_flood_of_unknown_keys_fetches_them_once(visit: Visit) -> None:
    """BL-17, DJ-10: whoever posts needs no cookie and no sign-in."""
    browser = arrive(visit)
    provider = browser.provider
    assert provider.hits["jwks"] == 1

    def unknown(number: int) -> Reply:
        header: dict[str, object] = {"alg": "RS256", "kid": f"k{number}"}
        return tell(browser, jws(good(provider), rsa_key("attacker"), header))

    with ThreadPoolExecutor(10) as at_once:
        replies = list(at_once.map(unknown, range(60)))
    assert {reply.status for reply in replies} == {400}
    assert provider.hits["jwks"] == 2
    assert browser.user() is not None


def test_a_visitors_browser_is_nobody_here(visit: Visit) -> None:
    """BL-16, BL-18: a page of another site's that posts loses the visitor nothing."""
    browser = arrive(visit)
    reply = browser.request(
        "POST",
        PATH.decode(),
        {**FORM, "origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        form("a.b.c"),
    )
    assert reply.status == 400
    is_guarded(reply)
    assert browser.user() is not None


@pytest.mark.parametrize(
    "query",
    [
        "iss=<script>alert(1)</script>&sid=<script>",
        "iss=%22%3E%3Cimg%20src=x%3E&sid=x",
        "iss=https://evil.example&sid=x&next=https://evil.example",
        "iss=a&iss=b&sid=c&sid=d",
        "sid=%ff",
        "sid=%0d%0aset-cookie:%20x=y",
    ],
)
def test_a_frame_shows_nothing_of_what_it_was_asked(query: str, visit: Visit) -> None:
    """FL-02, FL-04 (CVE-2019-1010247)."""
    browser = arrive(visit)
    reply = browser.get(f"/auth/frontchannel-logout?{query}", sec_fetch_dest="iframe")
    assert reply.status in (200, 400)
    assert reply.get("location") == ""
    assert not [word for word in ("script", "img", "evil", "set-cookie") if word in reply.text]
    policy = reply.get("content-security-policy")
    assert "default-src 'none'" in policy
    framing = policy.partition("frame-ancestors ")[2].partition(";")[0]
    assert framing == (browser.provider.server.base if reply.status == 200 else "'none'")
    assert browser.user() is not None


def test_a_guessed_sid_ends_nothing_and_a_known_one_its_session(visit: Visit) -> None:
    """FL-01, FL-03."""
    browser = arrive(visit)
    other = arrive(visit, browser.site, sid="another")
    stranger = visit(browser.site)
    for sid in ("guessed", SID):
        target = f"/auth/frontchannel-logout?iss={browser.provider.issuer}&sid={sid}"
        assert stranger.get(target, sec_fetch_dest="iframe").status == 200
    is_signed_out(browser)
    assert other.user() is not None
