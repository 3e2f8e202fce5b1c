"""The central rows with the store in Redis, which several machines would share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stores.redis_server import RedisServer, redis_server
from tests.support.browser import Browser
from tests.support.looks import assert_signs_in, leads_to
from tests.support.provider import costs
from tests.support.scenarios import ended_by_one_logout, fifty_at_once
from tests.support.server import until
from tests.support.stage import stage
from tests.support.wire import fire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.commands import Kind

PASSWORD = "hunter2-MARK"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path, password=PASSWORD) as started:
        yield started


@pytest.mark.parametrize("kind", ["uvicorn", "hypercorn-trio", "gunicorn-gevent"])
def test_p02_fifty_identical_callbacks_at_once(
    tmp_path: Path, server: RedisServer, kind: Kind
) -> None:
    """P2: in four processes; one token request, fifty equal redirects, one session."""
    with stage(tmp_path, kind=kind, workers=4, STORE_URL=server.url, REVOCATION_CHECK="1") as here:
        workers: set[int] = set()
        for run in range(4):
            with Browser() as browser:
                target = f"/members/{run}"
                callback = browser.sign_in_until_callback(here.url + target)
                answers = fifty_at_once(here, browser, callback, target)
                workers |= {int(got.worker) for got in answers}
                ended_by_one_logout(here, browser, callback, answers)
        assert len(workers) > 1
        assert server.all_keys()
        assert PASSWORD not in here.site.server.log()
    until(lambda: server.clients() == 0, "the end of the connections")


def test_a_store_that_is_down_refuses_a_callback_that_may_be_sent_again(
    tmp_path: Path, browser: Browser, server: RedisServer
) -> None:
    """P9: the code is not spent; those who are signed in stay so."""
    with stage(tmp_path, workers=2, STORE_URL=server.url) as here:
        callback = browser.sign_in_until_callback(f"{here.url}/members/down")
        cookie = browser.cookie_header(callback)
        server.server.process.kill()
        server.server.process.wait()

        with costs(here.provider, token_requests=0):
            for got in fire(*[callback] * 4, cookie=cookie):
                assert got.status == 503
        assert PASSWORD not in here.site.server.log()

        with (
            redis_server(tmp_path, port=server.port, password=PASSWORD),
            costs(here.provider, token_requests=1),
        ):
            answers = fire(*[callback] * 4, cookie=cookie)
            assert_signs_in(answers, here, "/members/down")
            assert leads_to(answers[0], here) == f"{here.url}/members/down"
