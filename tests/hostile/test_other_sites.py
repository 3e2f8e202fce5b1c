"""What another site can do with our visitor's browser: start a sign-in, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .browser import FETCH, Browser
from .test_login_request import sent
from .verdicts import is_signed_in

Visit = Callable[..., Browser]

EVIL = "https://evil.example"


@pytest.mark.parametrize("iss", [EVIL, "", "//evil.example", "http://169.254.169.254/"])
def test_a_sign_in_that_another_site_starts_is_an_ordinary_one(iss: str, visit: Visit) -> None:
    """CF-D01, CS-05, SS-02: at our own provider, whatever issuer is named, and to our own page."""
    browser = visit()
    plain = sent(browser.start())
    target = f"/auth/login?iss={iss}&target_link_uri={EVIL}/x&scope=admin&client_id=evil"
    begun = browser.get(target, sec_fetch_site="cross-site", referer=f"{EVIL}/")
    request = sent(begun.location)
    assert begun.location.startswith(browser.provider.server.base)
    assert request.keys() == plain.keys()
    assert (request["scope"], request["client_id"]) == (plain["scope"], plain["client_id"])
    ended = browser.callback(browser.at_provider(begun.location))
    assert ended.location == "/"
    assert browser.user() is not None


def test_a_sign_in_over_a_session_leaves_it_whole_until_it_replaces_it_whole(visit: Visit) -> None:
    """CS-03, CB-21: abandoned or refused, it has changed nothing."""
    browser = visit()
    browser.sign_in()
    before = browser.user()
    browser.start()
    assert browser.user() == before
    browser.provider.script.claims = lambda given: {**given, "nonce": "another"}
    assert browser.sign_in().status >= 400
    assert browser.user() == before
    browser.provider.script.claims = dict
    browser.provider.sub = "bob"
    is_signed_in(browser, browser.sign_in(), "bob")


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["login", "callback", "logout", "user", "backchannel-logout", "frontchannel-logout"]
)
def test_no_script_of_another_site_may_read_or_ask_anything(
    path: str, method: str, visit: Visit
) -> None:
    """BF-05: a preflight is granted nothing, and no answer may be read across origins."""
    browser = visit()
    browser.sign_in()
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "x-csrf"}
    cross = {**FETCH, "origin": EVIL, "sec-fetch-site": "cross-site", **asks}
    reply = browser.request(method, f"/auth/{path}", cross)
    assert reply.status < 500
    assert not [name for name, _ in reply.headers if name.lower().startswith(b"access-control")]
    assert browser.user() is not None
