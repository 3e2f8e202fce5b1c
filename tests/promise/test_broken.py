"""Something breaks in the middle of the exchange: rows P9 and P10."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.looks import assert_safe_page, assert_signs_in, leads_to, leads_to_provider
from tests.support.provider import Strict, costs, strict
from tests.support.scenarios import (
    answered_too_late,
    being_exchanged,
    given_up,
    hung_up,
    killed_over_the_exchange,
    refused_once,
    starts_again_once,
)
from tests.support.server import free_port, until
from tests.support.site import Client, site
from tests.support.stage import Stage, stage
from tests.support.wire import answer, fire, under_way

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.browser import Browser
    from tests.support.commands import Kind


@pytest.mark.parametrize("by", ["strict", "certified"])
def test_p09_a_refused_code_restarts_the_sign_in_once(
    tmp_path: Path, browser: Browser, by: str
) -> None:
    """P9: the provider says invalid_grant to a code that it gave a moment ago."""
    with stage(tmp_path, by="strict" if by == "strict" else "certified") as here:
        refused_once(here, browser)


def test_p09_a_second_refusal_is_a_safe_page(tmp_path: Path, browser: Browser) -> None:
    """P9, as P8: no loop between a site and a provider that cannot agree."""
    with stage(tmp_path) as here:
        here.provider.refuse(times=10)
        callback = browser.sign_in_until_callback(f"{here.url}/members")

        with costs(here.provider, token_requests=2):
            again = browser.until_callback(browser.go(callback))
            for got in fire(*[again] * 10, cookie=browser.cookie_header(again)):
                assert_safe_page(got, here)


def test_p09_a_provider_that_is_too_slow_restarts_the_sign_in_once(
    tmp_path: Path, browser: Browser
) -> None:
    """P9: it may have spent the code, so that is not sent again."""
    with stage(tmp_path, HTTP_TIMEOUT="1") as here:
        answered_too_late(here, browser)


def test_p09_an_answer_cut_off_in_the_middle_restarts_the_sign_in_once(
    tmp_path: Path, browser: Browser
) -> None:
    """P9: the provider has spent the code, and we do not know."""
    with stage(tmp_path) as here:
        assert isinstance(here.provider, Strict)
        callback = browser.sign_in_until_callback(f"{here.url}/members/cut")
        here.provider.drop()

        starts_again_once(here, browser, callback, "/members/cut", token_requests=1)


def test_p09_without_a_shared_store_the_user_still_sees_no_error(
    tmp_path: Path, browser: Browser
) -> None:
    """P9: each process sends the code once, all but one are refused; the log has said so."""
    with stage(tmp_path, workers=4, STORE_URL="memory://") as here:
        target = f"{here.url}/members/alone"
        callback = browser.sign_in_until_callback(target)

        answers = fire(*[callback] * 20, cookie=browser.cookie_header(callback))

        assert all(
            leads_to(got, here) == target or leads_to_provider(got, here) for got in answers
        ), answers
        assert browser.follow(browser.go(callback)).url == target
        assert "memory" in here.site.server.log()


def test_p09_a_worker_killed_over_the_exchange_restarts_the_sign_in_once(
    tmp_path: Path, browser: Browser
) -> None:
    """P9: SIGKILL, so nothing could be tidied up; the code is not sent again."""
    with stage(tmp_path, workers=2, HTTP_TIMEOUT="2") as here:
        workers = here.site.pids()

        def kill() -> None:
            for pid in workers:
                os.kill(pid, signal.SIGKILL)

        callback = killed_over_the_exchange(here, browser, "/members/killed", kill)

        until(lambda: not workers & here.site.pids(), "the new workers")
        starts_again_once(here, browser, callback, "/members/killed", token_requests=0)


@pytest.mark.parametrize("kind", ["uvicorn", "hypercorn-asyncio", "hypercorn-trio"])
def test_p10_a_client_that_hangs_up_gets_the_outcome_with_its_next_request(
    tmp_path: Path, browser: Browser, kind: Kind
) -> None:
    """P10."""
    with stage(tmp_path, kind=kind) as here:
        hung_up(here, browser)


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        ("uvicorn", "asyncio"),
        ("uvicorn", "anyio"),
        ("hypercorn-asyncio", "asyncio"),
        ("hypercorn-trio", "anyio"),
    ],
)
def test_p10_a_timeout_middleware_does_not_break_the_exchange(
    tmp_path: Path, browser: Browser, kind: Kind, limit: str
) -> None:
    """P10: the request is cancelled from outside, the exchange is not."""
    with stage(tmp_path, kind=kind, SITE_TIMEOUT="0.5", SITE_TIMEOUT_BY=limit) as here:
        given_up(here, browser)


def test_p10_a_hang_up_does_not_disturb_those_who_wait(tmp_path: Path, browser: Browser) -> None:
    """P10 and P2: the one who exchanges goes away, the duplicates in other processes wait on."""
    with stage(tmp_path, workers=4) as here:
        callback = browser.sign_in_until_callback(f"{here.url}/members/waiting")
        cookie = browser.cookie_header(callback)
        here.provider.slow(1)
        exchanging = being_exchanged(here)

        with costs(here.provider, token_requests=1), under_way(callback, cookie=cookie):
            until(exchanging, "the token request")
            with under_way(callback, cookie=cookie) as waiting:
                fire(here.url, cookie="")
                last = answer(waiting)

        assert_signs_in([last], here, "/members/waiting")


def test_p10_a_server_that_is_stopped_finishes_the_exchange_first(
    tmp_path: Path, browser: Browser
) -> None:
    """P10: its request was given up long ago; the successor of a deployment has the outcome."""
    port, client = free_port(), Client()
    folder = tmp_path / "site"
    with strict(tmp_path, f"http://127.0.0.1:{port}", client) as provider:
        with site(
            folder, port=port, issuer=provider.issuer, client=client, SITE_TIMEOUT="0.3"
        ) as old:
            here = Stage(old, provider)
            callback = browser.sign_in_until_callback(f"{here.url}/members/deployed")
            cookie = browser.cookie_header(callback)
            provider.slow(1.5)
            with costs(provider, token_requests=1):
                assert fire(callback, cookie=cookie)[0].status == 504
        with (
            site(folder, port=port, issuer=provider.issuer, client=client),
            costs(provider, token_requests=0),
        ):
            assert_signs_in(fire(callback, cookie=cookie), here, "/members/deployed")
