"""Rows P13 and P14 with tokens: refreshed exactly once, by whoever finds them ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.stores.redis_server import redis_server
from tests.support.browser import Browser
from tests.support.looks import user_with
from tests.support.provider import costs
from tests.support.server import let_pass, until
from tests.support.stage import Stage, stage
from tests.support.wire import answer, fire, under_way

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.wire import Got

# A roll is due once a tenth of SESSION_IDLE has passed.
IDLE = 20
KEEPING: dict[str, Any] = {
    "KEEP_TOKENS": "true",
    "SCOPE": "openid profile email offline_access",
    "REVOCATION_CHECK": "1",
}
SITES: dict[str, dict[str, Any]] = {
    "uvicorn-cookie-sqlite": {"SESSION_MODE": "cookie"},
    "uvicorn-server-redis": {"SESSION_MODE": "server"},
    "uvicorn-cookie-redis-certified": {"SESSION_MODE": "cookie", "by": "certified"},
    "gunicorn-gthread-server-redis-certified": {
        "SESSION_MODE": "server",
        "by": "certified",
        "kind": "gunicorn-gthread",
    },
    "gunicorn-gevent-cookie-redis": {"SESSION_MODE": "cookie", "kind": "gunicorn-gevent"},
}


@pytest.fixture(scope="module", params=SITES)
def here(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Run one site after the other, in four processes each."""
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    with redis_server(folder) as redis:
        store: dict[str, Any] = {"STORE_URL": redis.url} if "redis" in name else {}
        with stage(
            folder, workers=4, SESSION_IDLE=str(IDLE), **KEEPING, **store, **SITES[name]
        ) as running:
            yield running


def tokens(answers: list[Got]) -> list[str | None]:
    """Return the access tokens that the app had."""
    assert {got.status for got in answers} == {200}
    return [json.loads(got.body)["token"] for got in answers]


def asked(here: Stage, cookie: str, times: int = 1) -> list[Got]:
    """Ask for a page of the app's, ``times`` at once."""
    return fire(*[f"{here.url}/api/me"] * times, cookie=cookie)


def test_p14_two_hundred_requests_at_once_find_the_access_token_ended(here: Stage) -> None:
    """RF-01, RF-02, P14: one refresh, two hundred answers with the new token; ten runs in a row."""
    workers: set[str] = set()
    for _ in range(10):
        with Browser() as browser:
            here.provider.shorten(1)
            browser.sign_in_and_stop(f"{here.url}/members")
            cookie = browser.cookie_header(here.url)
            let_pass(1.1)

            with costs(here.provider, token_requests=1):
                answers = asked(here, cookie, times=200)

            (new,) = set(tokens(answers))
            assert new is not None
            with costs(here.provider, token_requests=0):
                assert tokens(asked(here, cookie)) == [new]
            workers |= {got.worker for got in answers}
    assert len(workers) > 1


def test_p13_a_slow_request_overlaps_a_refresh(here: Stage) -> None:
    """P13: its answer, whose roll is due, does not bring the old refresh token back."""
    with Browser() as browser:
        here.provider.shorten(6)
        browser.sign_in(f"{here.url}/members")
        cookie = browser.cookie_header(here.url)
        let_pass(IDLE / 10 + 0.1)
        with under_way(f"{here.url}/slow?gate=refresh", cookie=cookie) as slow:
            here.site.wait_until_entered("refresh")
            let_pass(4)
            with costs(here.provider, token_requests=1):
                (new,) = tokens(asked(here, cookie))
            here.site.open_gate("refresh")
            late = answer(slow)

        with costs(here.provider, token_requests=0):
            assert set(tokens(asked(here, cookie, times=8))) == {new}
            assert late.gives_session
            assert set(tokens(asked(here, late.cookie_header, times=8))) == {new}


def test_p13_a_refresh_overlaps_a_logout(here: Stage) -> None:
    """RF-11, P13: it comes back to a session that has ended, in every process."""
    with Browser() as browser:
        here.provider.shorten(1)
        browser.sign_in_and_stop(f"{here.url}/members")
        cookie = browser.cookie_header(here.url)
        let_pass(1.1)
        here.provider.slow(1)
        before = here.provider.token_requests()
        with under_way(f"{here.url}/api/me", cookie=cookie) as refreshing:
            until(lambda: here.provider.token_requests() > before, "the refresh")
            browser.log_out(here.url)
            late = answer(refreshing)

        let_pass(1.1)
        for kept in (cookie, late.cookie_header):
            assert user_with(kept, here.url) is None
