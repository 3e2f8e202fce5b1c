"""Each fuzz target holds for a few inputs, and notices what it is there to notice.

``python -m tests.fuzz all`` gives each of them a million.
"""

from __future__ import annotations

import base64
import math
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intastellar_auth import log
from intastellar_auth.core import attempt, ended
from intastellar_auth.core.in_cookie import InCookie
from intastellar_auth.core.session import Session
from intastellar_auth.oidc import id_token, userinfo
from tests.support.server import TESTS

from . import target as watch
from . import targets_browser
from .bench import Bench
from .runner import main, work
from .targets import TARGETS

MALLORY = Session("s-1", "mallory", "https://accounts.example", 1.8e9, 1.8e9)
Break = Callable[[pytest.MonkeyPatch], None]
few = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks_a_promise(name: str) -> None:
    """HL-01, HL-04, CB-11, CK-07, ID-04, SS-09."""
    target = TARGETS[name]
    nearly_valid = st.randoms(use_true_random=False).map(target.mutated)

    @few
    @given(st.one_of(nearly_valid, nearly_valid, st.binary(max_size=400)))
    def holds(data: bytes) -> None:
        target(data)

    holds()
    for seed in target.seeds:
        target(seed)
    # As by hand: its inputs are more of a mixture than those that are made to be small.
    assert work(name, 300, math.inf, "0").failed is None


@pytest.mark.parametrize(
    "name", ["token_answer", "userinfo_answer", "id_token_text", "id_token_claims"]
)
def test_the_inputs_begin_with_one_that_signs_in(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target whose inputs are all refused at the door would hold for nothing."""
    given_out: list[Session | None] = []
    plain = Bench.given

    def given(bench: Bench, reply: object) -> Session | None:
        given_out.append(plain(bench, reply))  # type: ignore[arg-type]  # it is a Reply
        return given_out[-1]

    monkeypatch.setattr(Bench, "given", given)
    TARGETS[name](TARGETS[name].seeds[0])
    assert all(given_out)


def _reads_with_another_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "from_text", base64.b64decode)


def _takes_anyone_for_mallory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InCookie, "at_once", lambda _keeper, _text: MALLORY)


def _checks_no_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(id_token, "_check_signature", lambda _signed, _keys: None)


def _lets_userinfo_say_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(userinfo, "PROTECTED_CLAIMS", frozenset())


def _returns_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets_browser, "return_path", lambda path, **_: path)


def _escapes_nothing_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "json", SimpleNamespace(dumps=str))


def _forgives_a_tombstone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ended, "_time", lambda _value: 0.0)


def _has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LONGEST", -1.0)


@pytest.mark.parametrize(
    ("name", "break_it"),
    [
        ("login_cookie", _reads_with_another_error),
        ("session_cookie", _takes_anyone_for_mallory),
        ("id_token_text", _checks_no_signature),
        ("userinfo_answer", _lets_userinfo_say_who_it_is),
        ("return_to", _returns_anywhere),
        ("token_answer", _escapes_nothing_in_the_log),
        ("tombstones", _forgives_a_tombstone),
        ("sealed", _has_no_time),
    ],
)
def test_a_target_notices_what_is_broken(
    name: str, break_it: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails nowhere proves nothing."""
    assert work(name, 50, math.inf, "0").failed is None
    break_it(monkeypatch)
    assert work(name, 2000, math.inf, "0").failed is not None


def test_a_run_by_hand_says_how_many_inputs_a_target_took(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sealed", "--inputs", "50"]) == 0
    assert capsys.readouterr().out.split()[:3] == ["sealed", "50", "inputs"]


def test_a_run_by_hand_ends_when_its_time_is_over() -> None:
    assert work("sealed", 1_000_000, 0.0, "0").inputs < 1_000_000


def test_a_run_by_hand_says_which_input_broke_the_promise() -> None:
    """With one worker, in a process whose target is broken from the start."""
    broken = (
        "from tests.fuzz import runner, target;"
        "target.LONGEST = -1.0;"
        "raise SystemExit(runner.main(['sealed', '--inputs', '50', '--workers', '1']))"
    )
    done = _python("-c", broken)
    assert done.returncode == 1
    assert "one input took" in done.stdout
    assert "input: b" in done.stdout


def test_the_module_is_the_command() -> None:
    done = _python("-m", "tests.fuzz", "all", "--inputs", "2", "--workers", "2")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(TARGETS)


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, *arguments],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
