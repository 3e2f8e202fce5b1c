"""Clocks that jump, work that grows, and what an attacker could learn from the time it takes."""

from __future__ import annotations

import ast
import itertools
import json
import re
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pytest

import intastellar_auth
from intastellar_auth.core.ended import end_sid
from intastellar_auth.core.front import make_front
from intastellar_auth.oidc.jose import split_token
from tests.flows.refreshing import LIFETIME, MODES, refreshing, visit, visiting
from tests.flows.stage import DISCOVERY, DOCUMENT, SESSION_COOKIE, TOKEN, location, make_stage
from tests.oidc.forge import ISSUER, answer
from tests.settings.making import PEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from intastellar_auth.oidc.json_object import Json
    from tests.flows.stage import Stage

BY_KEY: dict[str, Json] = {**DOCUMENT, "token_endpoint_auth_methods_supported": ["private_key_jwt"]}
AFTER_2038 = 2.0**31 + 86_400
LONG = 8_000


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """Where sessions are kept."""
    return str(request.param)


def signed_in_at(moment: float, mode: str) -> Stage:
    """Return a stage whose visitor signs in at ``moment``, by all clocks."""
    stage = make_stage(session_mode=mode)
    stage.hand.clock.now = moment
    stage.sign_in(iat=moment, exp=moment + 300)
    assert stage.go("/auth/user").status == 200
    return stage


def test_a_clock_that_is_set_back_signs_nobody_out(mode: str) -> None:
    """TM-04: five minutes, as after a wrong start; and what it said before still counts."""
    stage = signed_in_at(1_800_000_000.0, mode)
    stage.hand.clock.now -= 300
    assert stage.go("/auth/user").status == 200
    assert stage.other_process().go("/auth/user").status == 200


def test_a_clock_that_is_set_back_makes_no_session_last_for_ever(mode: str) -> None:
    """TM-04."""
    stage = signed_in_at(1_800_000_000.0, mode)
    stage.hand.clock.now += 604_801
    assert stage.go("/auth/user").status == 401
    stage.hand.clock.now -= 300
    assert stage.go("/auth/user").status == 401


def test_the_year_2038_is_a_year_like_any_other(mode: str) -> None:
    """TM-04: a sign-in before it, one after it, and a session across it."""
    stage = signed_in_at(2.0**31 - 60, mode)
    stage.hand.clock.now = 2.0**31 + 60
    assert stage.go("/auth/user").status == 200
    signed_in_at(AFTER_2038, mode)


def test_a_process_that_was_suspended_wakes_up_with_the_right_sessions(mode: str) -> None:
    """TM-04: in the middle of a sign-in, and with a session that has idled out meanwhile."""
    stage = make_stage(session_mode=mode)
    callback = stage.begin("/page")
    stage.hand.clock.now += 1_801
    assert location(stage.go(callback)).startswith("https://accounts.example/authorize?")
    stage = signed_in_at(1_800_000_000.0, mode)
    stage.hand.clock.now += 86_401
    assert stage.go("/auth/user").status == 401


def test_a_leap_second_and_a_fraction_of_one_are_times() -> None:
    """TM-04: 23:59:60 is counted twice by some clocks, and stands still on others."""
    stage = signed_in_at(1_483_228_799.999, "cookie")
    for now in (1_483_228_800.0, 1_483_228_799.5, 1_483_228_800.0):
        stage.hand.clock.now = now
        assert stage.go("/auth/user").status == 200


def test_no_number_of_refreshes_makes_a_session_longer(mode: str) -> None:
    """RF-13, CK-11."""
    stage, provider = refreshing(mode=mode, session_lifetime=3_600, session_idle=3_600)
    stage.sign_in()
    began = stage.hand.clock.now
    while stage.hand.clock.now < began + 3_600:
        assert visit(stage) is not None
        stage.hand.clock.now += LIFETIME - 30
    assert provider.refreshes > 10
    assert visiting(stage).admitted is None


def test_no_token_of_a_session_that_the_provider_ended_is_used_again(mode: str) -> None:
    """BL-19, RF-11: the refresh token goes with the session, wherever that is kept."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in(sid="a-session-there")
    stage.hand.play(end_sid(ISSUER, "a-session-there", 10_000.0))
    stage.hand.clock.now += LIFETIME
    assert visiting(stage.other_process()).admitted is None
    assert (provider.refreshes, provider.reused) == (0, 0)


def test_a_request_that_is_made_again_has_a_new_assertion() -> None:
    """PJ-04, PJ-01: the provider was too busy, and the same token is sent once more."""
    stage, provider = refreshing(client_secret=None, client_private_key=PEM)
    stage.hand.say(DISCOVERY, answer(BY_KEY))
    stage.sign_in()
    stage.hand.say(TOKEN, answer({}, status=503), provider)
    stage.hand.clock.now += LIFETIME - 60
    assert visit(stage) == "access-0"
    stage.hand.clock.now += LIFETIME - 60
    assert visit(stage) is not None
    forms = [dict(parse_qsl((one.body or b"").decode())) for one in stage.hand.fetched(TOKEN)]
    claims = [json.loads(split_token(form["client_assertion"]).payload) for form in forms]
    assert [form["grant_type"] for form in forms][1:] == ["refresh_token"] * 2
    assert len({claim["jti"] for claim in claims}) == 3
    assert len({form["client_assertion"] for form in forms}) == 3


def seconds_to_refuse(stage: Stage, headers: list[bytes], rounds: int = 300) -> list[float]:
    """Return the median time that each of ``headers`` takes, asked in turns."""
    front = make_front(stage.site)
    took: list[list[float]] = [[] for _ in headers]
    for _ in range(rounds):
        for index, header in enumerate(headers):
            started = time.perf_counter()
            admitted = stage.hand.play(front.admit(header))
            took[index].append(time.perf_counter() - started)
            assert admitted is None
    return [median(each) for each in took]


def test_the_time_of_a_refusal_does_not_tell_its_reason() -> None:
    """TM-02, CK-07: altered, of another key, of another purpose, ended: within a tenth of a ms."""
    stage = make_stage()
    stage.sign_in()
    sealed = stage.browser.cookies[SESSION_COOKIE]
    other = make_stage(secret_keys="another key of another site that is long enough")
    other.sign_in()
    values = [
        sealed,  # it has ended by then
        f"{sealed[:-8]}AAAAAAAA",
        f"{sealed[:60]}AAAAAAAA{sealed[68:]}",
        other.browser.cookies[SESSION_COOKIE],
        "1" + "A" * (len(sealed) - 1),
    ]
    stage.hand.clock.now += 604_801
    took = seconds_to_refuse(stage, [f"{SESSION_COOKIE}={one}".encode() for one in values])
    assert max(took) - min(took) < 1e-4, took


def patterns() -> Iterator[tuple[str, str]]:
    """Yield every regular expression that is written out in the package, with its place."""
    package = Path(intastellar_auth.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re."):
                written = node.args[0]
                if isinstance(written, ast.Constant) and isinstance(written.value, str):
                    yield f"{path.relative_to(package)}:{node.lineno}", written.value


def seconds_to_match(pattern: re.Pattern[str], text: str) -> float:
    """Return how long ``pattern`` takes to find that it does not match."""
    started = time.perf_counter()
    pattern.fullmatch(text)
    return time.perf_counter() - started


def test_the_regular_expressions_are_found() -> None:
    """SS-08."""
    assert len(list(patterns())) > 20


@pytest.mark.parametrize("seed", [*"aA0-._~/%?#;:=@[ \\", "a.", "a-", "/a", "/.", "0.", "//", "é"])
def test_every_regular_expression_takes_linear_time(seed: str) -> None:
    """SS-08: 8000 characters that almost match, and an end that does not."""
    text = (seed * LONG)[:LONG] + "\x00"
    tried = itertools.product(patterns(), ("", "/", "https://", "a:"))
    # Thrice, as another process may have had its turn meanwhile.
    slow = [
        place
        for (place, written), prefix in tried
        if all(seconds_to_match(re.compile(written), prefix + text) > 0.05 for _ in range(3))
    ]
    assert slow == []
