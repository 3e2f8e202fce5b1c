"""Workers that die at any moment: nothing is used twice, and nobody is worse off than one sign-in.

A killer ends one worker after the other with SIGKILL while visitors sign in, repeat callbacks, and
come back when their tokens have ended. Uvicorn starts a new worker for each.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.stores.redis_server import redis_server
from tests.support.browser import Browser
from tests.support.provider import Strict
from tests.support.server import let_pass
from tests.support.stage import Stage, stage
from tests.support.wire import fire

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.wire import Got

KILLS = 50
"""In each of the two sites: a hundred together."""
VISITORS = 6
LEAST = 2
"""Workers that have to be there for one of them to be ended."""
# A token request takes this long, so that a killer finds many of them under way.
SLOW = 0.5
# Once for the worker that died, once more for the one that died over the second try.
TRIES = 12
CUT_OFF = (OSError, HTTPException, httpx.TransportError)


class Killer:
    """Ends workers that answered a moment ago, at random moments."""

    def __init__(self) -> None:
        self.alive: set[int] = set()
        self.kills = 0
        self._chance = random.Random(1)  # noqa: S311  no secret comes of it

    def saw(self, got: Got) -> None:
        """Take note of a worker."""
        with suppress(ValueError):
            self.alive.add(int(got.worker))

    def strike(self) -> None:
        """Wait a moment and end one, if there is another: without any, nothing is under way."""
        let_pass(self._chance.uniform(0.05, 0.4))
        alive = sorted(self.alive)
        if len(alive) < LEAST:
            return
        victim = self._chance.choice(alive)
        self.alive.discard(victim)
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            self.kills += 1


def visit(here: Stage, killer: Killer, number: int) -> None:
    """Sign in, have the callback twice, and come back when the access token has ended."""
    target = f"/members/{number}"
    with Browser() as browser:
        callback = patiently(lambda: browser.sign_in_until_callback(here.url + target))
        cookie = browser.cookie_header(callback)
        for got in shot(killer, [callback] * 2, cookie):
            assert got.status in (303, 503), got
        greeted(here, browser, target)
        let_pass(1.1)
        for got in shot(killer, [f"{here.url}/api/me"] * 3, browser.cookie_header(here.url)):
            assert got.status == 200, got
        greeted(here, browser, target)


def greeted(here: Stage, browser: Browser, target: str) -> None:
    """Check that the visitor gets to the page, by one more sign-in at the most."""

    def page() -> str:
        response = browser.go(here.url + target)
        assert response.status_code in (200, 303), response.text
        if response.status_code == 303:
            response = browser.follow(browser.go(browser.until_callback(response)))
        assert response.status_code == 200, response.text
        return response.text

    assert "<h1>Hello alice</h1>" in patiently(page)


def patiently(ask: object) -> str:
    """Ask again as long as a worker dies over it."""
    assert callable(ask)
    for _ in range(TRIES):
        with suppress(*CUT_OFF):
            return str(ask())
    raise AssertionError(f"{TRIES} workers died one after the other")


def shot(killer: Killer, urls: list[str], cookie: str) -> list[Got]:
    """Send navigations to ``urls`` at once; return the answers that come."""
    answers: list[Got] = []
    for url in urls:
        with suppress(*CUT_OFF):
            answers += fire(url, cookie=cookie)
    for got in answers:
        killer.saw(got)
    return answers


@pytest.mark.parametrize("sessions", ["cookie", "server"])
def test_p09_workers_that_are_killed_at_random_use_nothing_twice(
    tmp_path: Path, sessions: str
) -> None:
    """P9, P13: in mid-exchange, in mid-refresh, or at any other moment."""
    with (
        redis_server(tmp_path) as redis,
        stage(
            tmp_path,
            workers=4,
            SESSION_MODE=sessions,
            STORE_URL=redis.url,
            HTTP_TIMEOUT="1",
            KEEP_TOKENS="true",
            SCOPE="openid profile email offline_access",
        ) as here,
    ):
        provider = here.provider
        assert isinstance(provider, Strict)
        provider.slow(SLOW, times=100_000)
        killer, over = Killer(), threading.Event()
        numbers = iter(range(1_000_000))

        def go_on() -> int:
            visits = 0
            while not over.is_set():
                visit(here, killer, next(numbers))
                visits += 1
            return visits

        with ThreadPoolExecutor(VISITORS) as pool:
            visitors = [pool.submit(go_on) for _ in range(VISITORS)]
            try:
                while killer.kills < KILLS and not any(each.done() for each in visitors):
                    killer.strike()
            finally:
                over.set()
            assert all(each.result() for each in visitors)

        assert killer.kills == KILLS
        # Or all of them came when nothing was under way, and this shows nothing.
        assert provider.unheard() >= KILLS // 10
        assert provider.used_twice() == 0
        assert provider.revoked() == 0
        assert "unforeseen" not in here.site.server.log()
