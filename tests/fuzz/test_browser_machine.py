"""No order of what people, browsers, processes and a provider can do breaks a promise.

A bounded run, the same each time. ``FUZZ_STEPS=100000`` in the environment makes a run of as many
steps, another one each time.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from intastellar_auth.core import admission, callback, in_cookie, once, refresh, sign_out
from intastellar_auth.core.admission import Admissions
from intastellar_auth.core.attempt import Attempt, Attempts, State
from intastellar_auth.core.effects import Flow
from intastellar_auth.core.once import Work

from .checks import CHECKS
from .machine import BrowserMachine, ServerMachine

STEPS_EACH = 50
WANTED = int(os.environ.get("FUZZ_STEPS", "0"))
log = logging.getLogger(__name__)


def runs(steps: int, *, repeatable: bool, shrink: bool = True) -> settings:
    """Return settings for about ``steps`` steps."""
    return settings(
        max_examples=max(1, steps // STEPS_EACH),
        stateful_step_count=STEPS_EACH,
        deadline=None,
        derandomize=repeatable,
        database=None,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture
def no_check_is_idle() -> Iterator[None]:
    """Hold that each promise was put to the test, and say how often."""
    BrowserMachine.steps = 0
    BrowserMachine.seen.clear()
    yield
    seen = BrowserMachine.seen
    log.info("steps=%d %s", BrowserMachine.steps, dict(seen))
    assert {row.__name__ for row in CHECKS} <= set(seen)
    assert all(seen.values())


@pytest.mark.usefixtures("no_check_is_idle")
@pytest.mark.parametrize("machine", [BrowserMachine, ServerMachine])
def test_no_order_of_events_breaks_a_promise(machine: type[BrowserMachine]) -> None:
    """P1 to P14."""
    run_state_machine_as_test(machine, settings=runs(WANTED // 2 or 6000, repeatable=not WANTED))


def _anyone_may_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    def add(*_: object) -> Flow[bool]:
        yield from ()
        return True

    monkeypatch.setattr(once, "add", add)


def _a_callback_forgets_logouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback, "has_ended", _never)


def _a_request_forgets_logouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_cookie, "has_ended", _never)


def _a_roll_forgets_logouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "has_ended", _never)
    monkeypatch.setattr(Admissions, "forget", lambda _memory, _session: None)


def _it_starts_again_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback, "_RESTARTS", 9)


def _any_browser_may_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(attempts: Attempts, _header: bytes, text: str, state: State) -> Attempt:
        attempt, _ = attempts.begin(state.return_to, 1.8e9, state.restarts)
        return replace(attempt, id=state.id, receipt=text.encode())

    monkeypatch.setattr(Attempts, "find", find)


def _a_logout_keeps_the_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    def revoke(*_: object) -> Flow[None]:
        yield from ()

    monkeypatch.setattr(sign_out, "revoke", revoke)


def _each_process_refreshes(monkeypatch: pytest.MonkeyPatch) -> None:
    def once_each(_what: object, work: Callable[[], Flow[Work]]) -> Flow[bytes]:
        return (yield from work()).outcome

    monkeypatch.setattr(refresh, "once", once_each)


def _never(_session: object) -> Flow[bool]:
    yield from ()
    return False


@pytest.mark.parametrize(
    "break_it",
    [
        _anyone_may_claim,
        _a_callback_forgets_logouts,
        _a_request_forgets_logouts,
        _a_roll_forgets_logouts,
        _it_starts_again_for_ever,
        _any_browser_may_finish,
        _a_logout_keeps_the_tokens,
        _each_process_refreshes,
    ],
)
def test_a_promise_that_is_broken_is_noticed(
    break_it: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails nowhere proves nothing."""
    break_it(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(
            BrowserMachine, settings=runs(3000, repeatable=True, shrink=False)
        )
