"""Several tabs sign in at once: row P11."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.looks import leads_to, user_with
from tests.support.provider import costs
from tests.support.wire import fire

if TYPE_CHECKING:
    from tests.support.browser import Browser
    from tests.support.stage import Stage

FIVE = [f"/members/tab-{number}" for number in range(5)]
ORDERS = [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)]


def opened(where: Stage, browser: Browser, targets: list[str]) -> list[str]:
    """Open a tab for each of ``targets``, then sign in in each; return their callback URLs."""
    tabs = [browser.go(where.url + target) for target in targets]
    return [browser.until_callback(tab) for tab in tabs]


@pytest.mark.parametrize("order", ORDERS)
def test_p11_five_tabs_each_land_where_they_wanted_in_any_order(
    anywhere: Stage, browser: Browser, order: tuple[int, ...]
) -> None:
    """P11."""
    with costs(anywhere.provider, token_requests=5):
        callbacks = opened(anywhere, browser, FIVE)

        for tab in order:
            page = browser.follow(browser.go(callbacks[tab]))
            assert page.url == anywhere.url + FIVE[tab]


def test_p11_five_tabs_at_the_same_moment_do_not_break_each_other(
    anywhere: Stage, browser: Browser
) -> None:
    """P11: each of them twice."""
    with costs(anywhere.provider, token_requests=5):
        callbacks = opened(anywhere, browser, FIVE)

        answers = fire(*callbacks, *callbacks, cookie=browser.cookie_header(callbacks[0]))

    for got, target in zip(answers, [*FIVE, *FIVE], strict=True):
        assert leads_to(got, anywhere) == anywhere.url + target
        assert user_with(got.cookie_header, anywhere.url) == "alice"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_p11_two_tabs_that_want_the_same_page_both_get_it(
    anywhere: Stage, browser: Browser, order: tuple[int, ...]
) -> None:
    """P11."""
    with costs(anywhere.provider, token_requests=2):
        callbacks = opened(anywhere, browser, ["/members", "/members"])

        for tab in order:
            assert browser.follow(browser.go(callbacks[tab])).url == f"{anywhere.url}/members"


def test_p11_a_tab_that_was_finished_answers_again_while_others_go_on(
    anywhere: Stage, browser: Browser
) -> None:
    """P11 and P3: a receipt survives the attempts of other tabs."""
    with costs(anywhere.provider, token_requests=3):
        callbacks = opened(anywhere, browser, FIVE[:3])
        for callback in callbacks:
            browser.go(callback)

        for callback, target in zip(callbacks, FIVE[:3], strict=True):
            assert browser.follow(browser.go(callback)).url == anywhere.url + target
