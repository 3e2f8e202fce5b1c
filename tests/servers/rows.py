"""The rows of the promise, each played on a scene: mostly by the tests of ``tests/promise``."""

from __future__ import annotations

import json
import select
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.promise import test_elsewhere as elsewhere
from tests.promise import test_repeated as repeated
from tests.promise import test_tabs as tabs
from tests.servers.scene import LOGIN_TIMEOUT, REPLAY_WINDOW, ROLL_DUE, Scene
from tests.support.browser import Browser
from tests.support.looks import leads_to_provider
from tests.support.provider import costs
from tests.support.scenarios import (
    after_the_window,
    answered_too_late,
    ended_by_one_logout,
    fifty_at_once,
    given_up,
    hung_up,
    logged_out_during_a_request,
    refused_once,
    starts_again_once,
)
from tests.support.server import PATIENCE, let_pass, until
from tests.support.wire import answer, fire, under_way

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.served import Without
    from tests.support.stage import Stage

    Play = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the promise: what happens, and the scenes that show it."""

    happens: str
    plays: tuple[Play, ...]


def by_one(play: Callable[[Stage, Browser], None]) -> Play:
    """Let a fresh browser play it."""

    def played(scene: Scene) -> None:
        with Browser() as browser:
            play(scene.stage, browser)

    return played


def by_two(play: Callable[[Stage, Browser, Browser], None]) -> Play:
    """Let two fresh browsers play it."""

    def played(scene: Scene) -> None:
        with Browser() as browser, Browser() as stranger:
            play(scene.stage, browser, stranger)

    return played


def known_to_the_app(here: Stage, browser: Browser) -> None:
    """P1: a script is told who is signed in, or 401."""
    assert browser.script(f"{here.url}/api/me").status_code == 401
    browser.sign_in(f"{here.url}/members")
    me = browser.script(f"{here.url}/api/me").json()
    assert me["sub"] == "alice"
    assert "authenticated" in me["scopes"]


def fifty(scene: Scene) -> None:
    """P2: all come while the code is being exchanged, and not to one process if there are more."""
    here = scene.stage

    def several_answered() -> bool:
        with Browser() as browser:
            callback = browser.sign_in_until_callback(f"{here.url}/members/fifty")
            here.provider.slow(0.5)
            answers = fifty_at_once(here, browser, callback, "/members/fifty")
            ended_by_one_logout(here, browser, callback, answers)
        return len({got.worker for got in answers}) >= min(scene.served.workers, 2)

    until(several_answered, "fifty callbacks that several processes answer")


def window_over(scene: Scene) -> None:
    """P5."""
    begun = scene.finished
    begun.let_pass(REPLAY_WINDOW)
    after_the_window(scene.stage, begun.browser, begun.callback, begun.target)


def login_left_open(scene: Scene) -> None:
    """P8: with the login cookie, and without it."""
    begun = scene.left_open
    begun.let_pass(LOGIN_TIMEOUT)
    with costs(scene.stage.provider, token_requests=0):
        (restart,) = fire(begun.callback, cookie=begun.cookie)
        assert leads_to_provider(restart, scene.stage)
    starts_again_once(scene.stage, begun.browser, begun.callback, begun.target, token_requests=0)


def killed(scene: Scene) -> None:
    """P9: the lease of the process that died is over within ten seconds."""
    begun = scene.killed
    starts_again_once(scene.stage, begun.browser, begun.callback, begun.target, token_requests=0)


def cancelled(scene: Scene) -> None:
    """P10: where anything can give up a request from outside."""
    if scene.served.cancels:
        by_one(lambda here, browser: given_up(here, browser, x_time_limit="0.5"))(scene)


def prefetched(here: Stage, browser: Browser) -> None:
    """P12."""
    elsewhere.test_p12_a_prefetched_login_sets_nothing(here, elsewhere.PREFETCHES[0])
    elsewhere.test_p12_a_prefetched_callback_consumes_nothing(
        here, browser, elsewhere.PREFETCHES[0]
    )


def overlapped(scene: Scene) -> None:
    """P13."""
    scene.signed_in.let_pass(ROLL_DUE)
    logged_out_during_a_request(scene.stage, scene.signed_in.browser)


def token_ended(here: Stage, browser: Browser) -> None:
    """P14: all come after the access token's end, and not to one process if there are more."""
    here.provider.shorten(1)
    browser.sign_in_and_stop(f"{here.url}/members")
    cookie = browser.cookie_header(here.url)
    let_pass(1.1)
    with costs(here.provider, token_requests=1):
        answers = fire(*[f"{here.url}/api/me"] * 50, cookie=cookie)
    assert {got.status for got in answers} == {200}
    assert len({json.loads(got.body)["token"] for got in answers} - {None}) == 1


def greeted(here: Stage, browser: Browser) -> None:
    """A websocket has the user; a protected one is refused to anybody else."""
    browser.sign_in(f"{here.url}/members")
    cookie = browser.cookie_header(here.url)
    assert greeting(here, "/members/ws", cookie) == "alice"
    assert greeting(here, "/ws", "") is None
    with pytest.raises(InvalidStatus) as refused:
        greeting(here, "/members/ws", "")
    assert refused.value.response.status_code == 403


def greeting(here: Stage, path: str, cookie: str) -> str | None:
    """Return as whom the websocket at ``path`` greets a page of the site."""
    headers = {"cookie": cookie} if cookie else {}
    address = here.url.replace("http", "ws", 1) + path
    with connect(
        address, origin=Origin(here.url), additional_headers=headers, proxy=None
    ) as socket:
        sub = json.loads(socket.recv(timeout=PATIENCE))["sub"]
    assert sub is None or isinstance(sub, str)
    return sub


def not_a_websocket(here: Stage, _browser: Browser) -> None:
    """What asks for one is answered as any other request is."""
    with pytest.raises(InvalidHandshake):
        greeting(here, "/", "")


def one_at_a_time(scene: Scene) -> None:
    """While one request is under way, no other is answered."""
    here, browser = scene.stage, scene.signed_in.browser
    cookie = browser.cookie_header(here.url)
    with under_way(f"{here.url}/slow?gate=only", cookie=cookie) as slow:
        here.site.wait_until_entered("only")
        with under_way(here.url, cookie="") as other:
            answered, _, _ = select.select([other.sock], [], [], 0.3)
            here.site.open_gate("only")
            assert answer(slow).status == 200
            assert answer(other).status == 200
    assert not answered


def stopped(scene: Scene) -> None:
    """SIGTERM to the first process ends all of them."""
    scene.stage.site.server.stop()


ROWS = {
    "P1": Row(
        "the callback arrives once",
        (
            by_one(repeated.test_p01_a_callback_signs_in_and_ends_at_the_page_asked_for),
            by_one(known_to_the_app),
        ),
    ),
    "P2": Row(
        "fifty identical callbacks at once: one token request, fifty cookies of one session",
        (fifty,),
    ),
    "P3": Row(
        "the callback again within the replay window",
        (
            by_one(repeated.test_p03_a_reload_gets_the_same_redirect_and_the_session_again),
            by_one(repeated.test_p03_a_lost_session_cookie_comes_back_with_the_reload),
        ),
    ),
    "P4": Row(
        "the same `state` with another code",
        (
            by_one(repeated.test_p04_another_code_for_the_same_state_is_never_sent),
            by_one(repeated.test_p04_two_codes_for_one_state_at_once_make_one_session),
        ),
    ),
    "P5": Row("the callback again after the window", (window_over,)),
    "P6": Row(
        "the callback again after a logout",
        (by_one(repeated.test_p06_after_a_logout_the_callback_brings_no_session_back),),
    ),
    "P7": Row(
        "the callback in another browser",
        (
            by_one(elsewhere.test_p07_a_finished_callback_in_another_browser_offers_to_sign_in),
            by_two(
                elsewhere.test_p07_a_finished_callback_changes_nothing_for_somebody_else_who_is_signed_in
            ),
        ),
    ),
    "P8": Row(
        "cookies lost or blocked; a login page left open too long",
        (
            by_one(elsewhere.test_p08_lost_cookies_start_again_once_and_end_at_the_page_asked_for),
            by_one(elsewhere.test_p08_blocked_cookies_end_on_a_safe_page_not_in_a_loop),
            login_left_open,
        ),
    ),
    "P9": Row(
        "the code is refused, the provider too slow, the server killed over the exchange",
        (by_one(refused_once), by_one(answered_too_late), killed),
    ),
    "P10": Row(
        "the client hangs up, or a time limit gives the request up, over the exchange",
        (by_one(hung_up), cancelled),
    ),
    "P11": Row(
        "five tabs at once",
        (by_one(tabs.test_p11_five_tabs_at_the_same_moment_do_not_break_each_other),),
    ),
    "P12": Row(
        "a prefetch, or a `HEAD`",
        (by_one(prefetched), by_one(elsewhere.test_p12_a_head_consumes_nothing)),
    ),
    "P13": Row("a slow request overlaps a logout", (overlapped,)),
    "P14": Row(
        "fifty requests at once find the access token ended: one refresh, fifty new tokens",
        (by_one(token_ended),),
    ),
    "WS": Row("a websocket has the user; a protected one is refused", (by_one(greeted),)),
    "stop": Row("SIGTERM ends it, and leaves no process behind", (stopped,)),
}
"""In the order of the page."""

PLAYED = [
    *("P1", "P2", "P3", "P4", "P10"),
    "P9",  # the lease is over by now, and the login is not
    *("P6", "P7", "P11", "P12", "P14", "WS", "P13", "P5", "P8", "stop"),
]
"""In the order they are played in: one that needs time to pass comes when it has."""

INSTEAD: dict[Without, tuple[str, tuple[Play, ...]]] = {
    "overlap": ("cannot happen: one request at a time", (one_at_a_time,)),
    "websocket": ("WSGI has none", (by_one(not_a_websocket),)),
}
"""What stands in the cell of a row that a server does not have, and what shows that it is so."""
