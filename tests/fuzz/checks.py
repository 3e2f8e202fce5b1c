"""The promise, row by row, for what one callback was told.

Each check returns whether the row was about this callback at all, so that a run can show that no
check was idle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .records import Told
from .world import AUTHORIZE, REPLAY_WINDOW, World


def p1_a_callback_in_time_signs_in(world: World, told: Told) -> bool:
    """Once, to the page asked for, with one token request."""
    if not (told.fresh and told.sign_in.fate == "signed in"):
        return False
    assert told.location == told.sign_in.target
    assert told.given is not None
    assert world.lives[told.given].user == told.person.user
    assert len(told.sent) == 1
    return True


def p2_all_of_an_attempt_get_one_session(world: World, told: Told) -> bool:
    """Whichever process answers."""
    if told.given is None:
        return False
    told.sign_in.session = told.sign_in.session or told.given
    assert told.given == told.sign_in.session
    return world.lives[told.given].code in told.sign_in.codes


def p3_a_repeat_in_the_window_gets_the_same(world: World, told: Told) -> bool:
    """The redirect and the session cookie once more; nothing is sent."""
    sign_in = told.sign_in
    if told.was != "signed in" or not (told.receipt or told.in_time):
        return False
    if told.at >= sign_in.recorded + REPLAY_WINDOW or world.has_ended(sign_in):
        return False
    assert told.location == sign_in.target
    assert told.given == sign_in.session
    assert told.sent == ()
    return True


def p4_no_second_code_is_sent(world: World, told: Told) -> bool:  # noqa: ARG001  a check's
    """Of all codes of one attempt, one."""
    assert len(told.sign_in.sent) <= 1
    return told.was != "open" and told.how == "another"


def p5_after_the_window_the_living_get_their_page(world: World, told: Told) -> bool:
    """Without a token request."""
    sign_in = told.sign_in
    over = told.was == "signed in" and told.asked_at >= sign_in.recorded_by + REPLAY_WINDOW
    # An error that a browser without the login cookie brings is of nobody's attempt.
    stray = told.how == "error" and told.cookie is None
    if not over or stray or told.living is None or world.ended_at(told.living) is not None:
        return False
    assert told.location in (sign_in.target, sign_in.carried)
    assert told.given is None
    assert told.sent == ()
    return True


def p6_no_ended_session_comes_back(world: World, told: Told) -> bool:
    """After a logout of any kind."""
    if told.was not in ("signed in", "dead") or not world.has_ended(told.sign_in):
        return False
    return _gave_nothing(told)


def p7_nobody_else_gets_a_session(world: World, told: Told) -> bool:  # noqa: ARG001  a check's
    """In another browser, or in one that has lost what shows that it is this one."""
    if told.cookie is not None:
        return False
    return _gave_nothing(told)


def p8_it_starts_again_by_itself_once(world: World, told: Told) -> bool:
    """Where nothing was used up, and nobody is signed in."""
    sign_in = told.sign_in
    assert all(one.restarts <= 1 for one in world.sign_ins)
    if told.was != "open" or told.in_time or told.living is not None or told.how == "error":
        return False
    if sign_in.restarts == 0:
        assert told.location.startswith(AUTHORIZE)
    else:
        assert told.status == 400
    return _gave_nothing(told)


def p9_a_lost_exchange_starts_again(world: World, told: Told) -> bool:  # noqa: ARG001  a check's
    """And its code is never sent once more."""
    sign_in = told.sign_in
    if sign_in.fate != "lost":
        return False
    assert told.given is None
    assert told.was == "open" or told.sent == ()
    assert told.status in (303, 400, 502, 503)
    if told.fresh and told.living is None and sign_in.restarts == 0:
        assert told.location.startswith(AUTHORIZE)
    return True


def p11_each_lands_where_it_wanted(world: World, told: Told) -> bool:  # noqa: ARG001  a check's
    """In any order of any tabs."""
    if told.status != 303 or told.location.startswith(AUTHORIZE):
        return False
    wanted = {told.sign_in.target} if told.cookie is not None else {told.sign_in.carried}
    assert told.location in wanted
    return True


def a_failure_is_a_page(world: World, told: Told) -> bool:  # noqa: ARG001  a check's
    """A foreign code, or a visitor who has cancelled: never a session, never an error of ours."""
    assert told.status in (303, 400, 403, 502, 503)
    if told.sign_in.fate != "failed":
        return False
    assert told.given is None
    return True


def _gave_nothing(told: Told) -> bool:
    assert told.given is None
    assert told.sent == ()
    return True


CHECKS: Final[tuple[Callable[[World, Told], bool], ...]] = (
    p1_a_callback_in_time_signs_in,
    p2_all_of_an_attempt_get_one_session,
    p3_a_repeat_in_the_window_gets_the_same,
    p4_no_second_code_is_sent,
    p5_after_the_window_the_living_get_their_page,
    p6_no_ended_session_comes_back,
    p7_nobody_else_gets_a_session,
    p8_it_starts_again_by_itself_once,
    p9_a_lost_exchange_starts_again,
    p11_each_lands_where_it_wanted,
    a_failure_is_a_page,
)


def check(world: World, told: Told) -> None:
    """Hold ``told`` against every row."""
    for row in CHECKS:
        world.seen[row.__name__] += row(world, told)
