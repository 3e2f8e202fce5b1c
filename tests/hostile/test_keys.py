"""Section 2F: the provider's keys are fetched when needed, and no more often than that."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from .browser import Browser
from .cases import id_token, jwks, slow, status
from .jose import Json, Key, jws, rsa_key
from .provider import Misbehaviour, Provider
from .site import running
from .verdicts import is_signed_in

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from .conftest import Log

Visit = Callable[..., Browser]


def signs_with(key: Key) -> Misbehaviour:
    """Sign ID tokens with ``key`` from now on."""
    return id_token(lambda claims: jws(claims, key))


def publishes(key: Key) -> Misbehaviour:
    """Publish ``key`` alone from now on."""
    return jwks(lambda _: [key.jwk()])


def test_keys_that_rotate_are_fetched_once_and_the_old_one_is_not_trusted_any_more(
    visit: Visit, log: Log
) -> None:
    """CF-C05, CF-C06, DJ-15."""
    browser = visit()
    provider = browser.provider
    browser.sign_in()
    publishes(rsa_key("rotated"))(provider)
    signs_with(rsa_key("rotated"))(provider)
    second = visit(browser.site)
    is_signed_in(second, second.sign_in(), "alice")
    assert provider.hits["jwks"] == 2
    signs_with(rsa_key("main"))(provider)
    third = visit(browser.site)
    assert third.sign_in().status >= 400
    assert third.user() is None
    assert log.ours()


def test_a_flood_of_unknown_keys_fetches_them_once(visit: Visit, log: Log) -> None:
    """DJ-10 (CVE-2026-48524): random kids cannot make the site attack its provider."""
    first = visit()
    first.sign_in()
    numbers = iter(range(100))

    def unknown(claims: Json) -> str:
        return jws(claims, rsa_key("attacker"), {"alg": "RS256", "kid": f"k{next(numbers)}"})

    id_token(unknown)(first.provider)
    for _ in range(15):
        browser = visit(first.site)
        assert browser.sign_in().status >= 400
    assert first.provider.hits["jwks"] <= 2
    assert log.ours()


def test_known_keys_serve_on_when_fetching_new_ones_fails(visit: Visit, log: Log) -> None:
    """DJ-13: the token with the unknown key is refused, the old keys are not thrown away."""
    first = visit()
    provider = first.provider
    first.sign_in()
    status("jwks", 500)(provider)
    signs_with(rsa_key("rotated"))(provider)
    refused = visit(first.site)
    assert refused.sign_in().status >= 400
    signs_with(rsa_key("main"))(provider)
    accepted = visit(first.site)
    is_signed_in(accepted, accepted.sign_in(), "alice")
    assert log.ours()


def test_fifty_callbacks_at_once_fetch_metadata_and_keys_once(visit: Visit) -> None:
    """DJ-11: and none of the fifty gets what belongs to another (TK-14)."""
    first = visit()
    browsers = [first, *(visit(first.site) for _ in range(49))]
    with ThreadPoolExecutor(50) as at_once:
        starts = list(at_once.map(Browser.start, browsers))
        responses = []
        for number, address in enumerate(starts):
            first.provider.sub = f"user-{number}"
            responses.append(first.at_provider(address))
        replies = list(at_once.map(Browser.callback, browsers, responses))
    assert {reply.status for reply in replies} <= {302, 303}
    users = [browser.user() for browser in browsers]
    assert [user and user["sub"] for user in users] == [f"user-{n}" for n in range(50)]
    assert first.provider.hits["discovery"] == 1
    assert first.provider.hits["jwks"] == 1


def test_an_outage_is_noticed_once_for_all(visit: Visit, log: Log) -> None:
    """DJ-01, DJ-11, SS-06: thirty visitors at once do not become thirty requests."""
    first = visit()
    status("discovery", 500)(first.provider)
    browsers = [first, *(visit(first.site) for _ in range(29))]
    with ThreadPoolExecutor(30) as at_once:
        replies = list(at_once.map(lambda browser: browser.get("/auth/login"), browsers))
    assert {reply.status for reply in replies} <= {502, 503}
    assert first.provider.hits["discovery"] <= 3
    assert log.ours()


def test_a_slow_fetch_of_keys_holds_up_nobody_whose_key_is_known(visit: Visit, log: Log) -> None:
    """DJ-11: the lock is not held while the provider takes its time."""
    known = visit()
    unknown = visit(known.site)
    known.sign_in()
    slow("jwks")(known.provider)
    response = unknown.at_provider(unknown.start())
    signs_with(rsa_key("rotated"))(known.provider)
    with ThreadPoolExecutor(1) as elsewhere:
        waiting = elsewhere.submit(unknown.callback, response)
        while known.provider.hits["jwks"] < 2:
            assert not waiting.done(), waiting.result().text
        signs_with(rsa_key("main"))(known.provider)
        is_signed_in(known, known.sign_in(), "alice")
        assert not waiting.done()
        assert waiting.result().status >= 400
    assert log.ours()


def test_two_issuers_that_call_their_keys_the_same_are_kept_apart(
    visit: Visit, portal: BlockingPortal, log: Log
) -> None:
    """DJ-20."""
    browser = visit()
    is_signed_in(browser, browser.sign_in(), "alice")
    with Provider() as third, running(portal, third) as site:
        visitor = Browser(site, third)
        log.browsers.append(visitor)
        own = rsa_key("attacker")
        jwks(lambda _: [own.jwk(kid="main")])(third)
        id_token(lambda c: jws(c, own, {"alg": "RS256", "kid": "main"}))(third)
        is_signed_in(visitor, visitor.sign_in(), "alice")
