"""A Redis that is killed, paused, or full, while people are on the site."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.stores.redis_server import RedisServer, redis_server
from tests.support.browser import Browser
from tests.support.looks import assert_signs_in
from tests.support.provider import costs
from tests.support.server import let_pass, until
from tests.support.stage import Stage, stage
from tests.support.wire import fire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.commands import Kind
    from tests.support.wire import Got

VISITORS = 4
SITES: dict[str, tuple[Kind, str]] = {
    "uvicorn-cookie": ("uvicorn", "cookie"),
    "uvicorn-server": ("uvicorn", "server"),
    "gunicorn-gthread-server": ("gunicorn-gthread", "server"),
}


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Stage, RedisServer]]:
    """One site after the other, each with a Redis that a test may harm."""
    kind, sessions = SITES[request.param]
    with (
        redis_server(tmp_path, "--dir", str(tmp_path), "--dbfilename", "kept.rdb") as redis,
        stage(
            tmp_path,
            kind=kind,
            workers=2,
            SESSION_MODE=sessions,
            STORE_URL=redis.url,
            REVOCATION_CHECK="1",
            SESSION_IDLE="600",
        ) as here,
    ):
        yield here, redis


@contextmanager
def load(here: Stage, cookie: str) -> Iterator[list[Got]]:
    """Have visitors ask for a page without end; give what they got."""
    got: list[Got] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            got.extend(fire(f"{here.url}/api/me", cookie=cookie))

    with ThreadPoolExecutor(VISITORS) as pool:
        asking = [pool.submit(ask) for _ in range(VISITORS)]
        try:
            yield got
        finally:
            over.set()
        for each in asking:
            each.result()


def signed_in(here: Stage, browser: Browser) -> str:
    """Sign in, be seen by every worker, and return the ``Cookie`` header."""
    browser.sign_in(f"{here.url}/members")
    cookie = browser.cookie_header(here.url)
    seen: set[str] = set()

    def all_have_seen() -> bool:
        seen.update(got.worker for got in fire(*[f"{here.url}/api/me"] * 8, cookie=cookie))
        return len(seen) == here.site.workers

    until(all_have_seen, "an answer of each worker")
    return cookie


def more(got: list[Got]) -> None:
    """Wait for some more answers than there are now."""
    count = len(got)
    until(lambda: len(got) >= count + 40, "more answers")


def refused_and_not_spent(here: Stage, callback: str, cookie: str) -> None:
    """Check that a callback is told to come again, and that its code is not sent."""
    with costs(here.provider, token_requests=0):
        began = time.monotonic()
        for answered in fire(callback, cookie=cookie):
            assert answered.status == 503
            assert "not available right now" in answered.body
        assert time.monotonic() - began < 10


def test_a_redis_that_is_killed_and_comes_back_under_load(
    site: tuple[Stage, RedisServer], browser: Browser, stranger: Browser, tmp_path: Path
) -> None:
    """P9: who is signed in stays so; who signs in is told to try again; then all is as before."""
    here, redis = site
    with load(here, signed_in(here, browser)) as got:
        more(got)
        callback = stranger.sign_in_until_callback(f"{here.url}/members/again")
        cookie = stranger.cookie_header(callback)
        redis.tell("SAVE")
        redis.server.kill()
        more(got)
        refused_and_not_spent(here, callback, cookie)
        more(got)
        kept = ("--dir", str(tmp_path), "--dbfilename", "kept.rdb")
        with redis_server(tmp_path, *kept, port=redis.port):
            with costs(here.provider, token_requests=1):
                assert_signs_in(fire(*[callback] * 4, cookie=cookie), here, "/members/again")
            more(got)
    assert {one.status for one in got} == {200}
    assert here.site.server.log().count("event=unforeseen") == 0


def test_a_redis_that_is_paused_under_load(
    site: tuple[Stage, RedisServer], browser: Browser, stranger: Browser
) -> None:
    """CLIENT PAUSE: it accepts connections and answers nothing, as in a failover."""
    here, redis = site
    with load(here, signed_in(here, browser)) as got:
        callback = stranger.sign_in_until_callback(f"{here.url}/members/paused")
        cookie = stranger.cookie_header(callback)
        redis.tell("CLIENT", "PAUSE", "12000")
        refused_and_not_spent(here, callback, cookie)
        # Those that were the first to find out have waited for two seconds.
        let_pass(3)
        count = len(got)
        let_pass(3)
        assert len(got) > count + 40, "requests do not wait for it"
        until(redis.answers, "an answer of Redis")

        def back() -> bool:
            (answered,) = fire(callback, cookie=cookie)
            return answered.status == 303

        with costs(here.provider, token_requests=1):
            until(back, "a sign-in")
        more(got)
    assert {one.status for one in got} == {200}


def test_a_redis_that_is_full(
    site: tuple[Stage, RedisServer], browser: Browser, stranger: Browser
) -> None:
    """``maxmemory`` with ``noeviction``: it reads, and writes nothing."""
    here, redis = site
    with load(here, signed_in(here, browser)) as got:
        callback = stranger.sign_in_until_callback(f"{here.url}/members/full")
        cookie = stranger.cookie_header(callback)
        redis.tell("CONFIG", "SET", "maxmemory-policy", "noeviction")
        redis.tell("CONFIG", "SET", "maxmemory", "1")
        refused_and_not_spent(here, callback, cookie)
        more(got)
        redis.tell("CONFIG", "SET", "maxmemory", "0")
        with costs(here.provider, token_requests=1):
            assert_signs_in(fire(*[callback] * 4, cookie=cookie), here, "/members/full")
        more(got)
    assert {one.status for one in got} == {200}


def test_the_log_hears_of_a_redis_that_is_down_now_and_then(
    site: tuple[Stage, RedisServer], browser: Browser
) -> None:
    """Once in an interval for each worker, whatever the number of requests."""
    here, redis = site
    with load(here, signed_in(here, browser)) as got:
        redis.server.kill()
        let_pass(4)
        more(got)
    lines = here.site.server.log().count("event=revocation_not_checked")
    assert 1 <= lines <= 2 * here.site.workers * 5
    assert len(got) > 10 * lines
