"""A provider that is down, slow or broken: a page that helps, and a site that goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from .browser import Browser
from .cases import answer, body, metadata, padded, redirect, slow, status
from .certificates import server_context
from .provider import Misbehaviour, Provider
from .server import Answer
from .verdicts import is_refused, is_safe_page, is_signed_in, restarts_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Log
    from .server import DeadPort

Visit = Callable[..., Browser]

MEMBER = {"token": "token_endpoint", "jwks": "jwks_uri", "userinfo": "userinfo_endpoint"}
BROKEN: dict[str, Callable[[str], Misbehaviour]] = {
    "slow": slow,
    "slow_and_dripping": lambda endpoint: answer(
        endpoint, lambda given: Answer(200, given.body, given.headers, drip=0.2)
    ),
    "status_500": lambda endpoint: status(endpoint, 500, b"Traceback (most recent call last)"),
    "html": lambda endpoint: body(endpoint, b"<html>Maintenance</html>", "text/html"),
    "of_10_mb": padded,
    "of_wrong_types": lambda endpoint: body(
        endpoint, b'{"issuer":1,"access_token":2,"keys":3,"sub":4}'
    ),
    "redirecting": redirect,
}


@pytest.mark.parametrize("endpoint", ["discovery", "jwks", "userinfo", "token"])
@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_endpoint_is_a_safe_page_in_good_time(
    how: str, endpoint: str, visit: Visit, log: Log
) -> None:
    """TK-04, TK-10, DJ-05, DJ-17, UI-06, SS-01; and once it is mended, sign-in works again."""
    browser = visit()
    BROKEN[how](endpoint)(browser.provider)
    started = time.monotonic()
    if endpoint == "discovery":
        is_refused(browser, browser.get("/auth/login"), log)
    elif endpoint == "token" and how.startswith("slow"):
        restarts_once(browser, browser.sign_in(), log)
    else:
        is_refused(browser, browser.sign_in(), log)
    assert time.monotonic() - started < 8.0
    assert browser.get("/public").status == 200
    assert browser.provider.hits["evil"] == 0
    if how == "status_500":
        browser.provider.script.answers.clear()
        _recovers(browser)


def _recovers(browser: Browser) -> None:
    """Sign in before long, without a restart of the site."""
    deadline = time.monotonic() + 5
    while browser.user() is None:
        assert time.monotonic() < deadline, "the site does not notice that the provider is back"
        begun = browser.get("/auth/login?next=/private/page")
        if begun.status == 303:
            browser.callback(browser.at_provider(begun.location))
        time.sleep(0.05)
    assert browser.get("/private/page").status == 200


@pytest.mark.parametrize("endpoint", MEMBER)
def test_a_dead_endpoint_is_a_safe_page(
    endpoint: str, visit: Visit, log: Log, dead: DeadPort
) -> None:
    """SS-05."""
    browser = visit()
    metadata(**{MEMBER[endpoint]: f"{dead.base}/{endpoint}"})(browser.provider)
    reply = browser.sign_in()
    is_refused(browser, reply, log)
    assert reply.status in (502, 503)
    assert browser.get("/public").status == 200


@pytest.fixture(params=[True, False], ids=["expired", "self_signed"])
def untrusted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Provider]:
    """Run a provider over https whose certificate nobody may trust."""
    with Provider(tls=server_context(tmp_path, expired=request.param)) as provider:
        yield provider


@pytest.mark.parametrize("endpoint", MEMBER)
def test_a_certificate_that_cannot_be_trusted_is_a_safe_page(
    endpoint: str, untrusted: Provider, visit: Visit, log: Log
) -> None:
    """DJ-18."""
    browser = visit()
    metadata(**{MEMBER[endpoint]: untrusted.url(endpoint)})(browser.provider)
    is_refused(browser, browser.sign_in(), log)
    assert "certificate" in " ".join(log.ours()).lower()
    assert untrusted.asked == []


def test_an_issuer_whose_certificate_cannot_be_trusted_is_a_safe_page(
    untrusted: Provider, visit: Visit, log: Log
) -> None:
    """DJ-18."""
    browser = visit(ISSUER=untrusted.issuer)
    is_refused(browser, browser.get("/auth/login"), log)
    assert "certificate" in " ".join(log.ours()).lower()
    assert browser.get("/public").status == 200
    assert untrusted.asked == []


def test_a_site_starts_while_its_provider_is_down_and_finds_it_when_it_is_back(
    visit: Visit, log: Log
) -> None:
    """DJ-07."""
    browser = visit()
    browser.provider.server.stop()
    reply = browser.get("/auth/login")
    is_refused(browser, reply, log)
    assert reply.status == 503
    assert browser.get("/public").status == 200
    browser.provider.server.start()
    _recovers(browser)


def test_sessions_outlive_their_provider(visit: Visit, log: Log) -> None:
    """DJ-08: those who are signed in notice nothing; those who are not get a page."""
    browser = visit()
    browser.sign_in()
    browser.provider.server.stop()
    assert browser.user() is not None
    assert browser.get("/private/page").status == 200
    other = visit(browser.site)
    begun = other.get("/auth/login")
    assert begun.status in (303, 503)
    assert other.user() is None
    browser.provider.server.start()
    is_signed_in(other, other.sign_in(), "alice")
    assert log.records


def test_a_callback_that_found_nobody_works_when_the_provider_is_back(
    visit: Visit, log: Log
) -> None:
    """P9: what surely never reached the provider consumes nothing."""
    browser = visit()
    response = browser.at_provider(browser.start())
    browser.provider.server.stop()
    reply = browser.callback(response)
    is_safe_page(reply, log)
    assert reply.status == 503
    browser.provider.server.start()
    deadline = time.monotonic() + 5
    while reply.status == 503:
        assert time.monotonic() < deadline, "the callback was consumed"
        time.sleep(0.05)
        reply = browser.callback(response)
    is_signed_in(browser, reply, "alice")
    assert browser.provider.hits["token"] == 1


def test_the_site_serves_others_while_one_waits_for_the_provider(visit: Visit) -> None:
    """SS-06."""
    waiting = visit()
    other = visit(waiting.site)
    other.sign_in()
    response = waiting.at_provider(waiting.start())
    slow("token")(waiting.provider)
    with ThreadPoolExecutor(1) as elsewhere:
        answer = elsewhere.submit(waiting.callback, response)
        while waiting.provider.hits["token"] < 2:
            assert not answer.done()
        for _ in range(20):
            assert other.get("/private/page").status == 200
        assert not answer.done()
        assert answer.result().status == 303


def test_a_fetch_gets_json_when_the_provider_is_down(visit: Visit, log: Log) -> None:
    """The same reference, in JSON, for whatever is no navigation."""
    browser = visit()
    browser.provider.server.stop()
    reply = browser.request("GET", "/auth/login", {"accept": "application/json"})
    browser.provider.server.start()
    assert reply.status in (401, 503)
    assert reply.get("content-type").startswith("application/json")
    assert not reply.all("set-cookie")
    assert log.records
