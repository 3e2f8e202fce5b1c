"""The model of exactly-once holds, and finds every mistake that it was made to find."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from shutil import copy, which

import pytest

from tests.support.server import TESTS

SCRIPT = TESTS.parent / "scripts" / "model"
MODEL = TESTS.parent / "docs" / "model" / "once.pml"


def _check(*variants: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - a script of this project
        [SCRIPT, *variants],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _verdict(variant: str, **environment: str) -> str:
    """Return the last column of the table; the script fails exactly if it says so."""
    done = _check(variant, **environment)
    _, row = done.stdout.splitlines()
    name, states, _, verdict = row.split(maxsplit=3)
    assert name == variant
    assert float(states) > 0
    assert done.returncode == (verdict == "not as expected"), done.stderr
    return verdict


def _changed(folder: Path, old: str, new: str) -> str:
    """Return the path of a copy of the model in which ``old``, which is there once, is ``new``."""
    text = MODEL.read_text(encoding="utf-8")
    assert text.count(old) == 1
    copy(MODEL.with_name("mistakes.pml"), folder)
    changed = folder / MODEL.name
    changed.write_text(text.replace(old, new), encoding="utf-8")
    return str(changed)


def test_in_every_order_the_code_is_sent_once_and_all_are_told_the_same() -> None:
    """P2, P3, P5, P6, P7, P9, P10."""
    assert _verdict("AS_IT_IS") == "holds"


def test_in_every_order_everyone_who_does_not_die_is_answered_in_the_end() -> None:
    """P2, P9."""
    assert _verdict("NO_CYCLE") == "holds"


def test_where_nothing_fails_all_are_told_the_outcome_in_every_order() -> None:
    """P2."""
    assert _verdict("CALM") == "holds"


def test_it_finds_that_a_claim_after_the_exchange_sends_the_code_twice() -> None:
    """P2."""
    assert _verdict("CLAIM_AFTER_EXCHANGE") == "caught"


def test_it_finds_that_to_take_a_lapsed_claim_over_sends_the_code_twice() -> None:
    """P9."""
    assert _verdict("LEASE_TAKEOVER") == "caught"


def test_it_finds_that_a_mark_before_the_outcome_ends_the_window_early() -> None:
    """P2."""
    assert _verdict("OUTCOME_AFTER_FINISHED") == "caught"


def test_it_finds_that_without_the_tombstone_a_replay_undoes_a_logout() -> None:
    """P6."""
    assert _verdict("TOMBSTONE_IGNORED") == "caught"


def test_it_finds_that_an_outcome_without_a_key_signs_a_stranger_in() -> None:
    """P7."""
    assert _verdict("OUTCOME_UNBOUND") == "caught"


def test_it_finds_that_without_the_login_cookie_another_browser_sends_the_code() -> None:
    """P7."""
    assert _verdict("COOKIE_NOT_NEEDED") == "caught"


def test_it_finds_that_without_the_lease_a_crash_keeps_others_waiting_for_ever() -> None:
    """P9."""
    assert _verdict("WAIT_WITHOUT_END") == "caught"


def test_a_model_in_which_something_does_not_hold_is_refused(tmp_path: Path) -> None:
    model = _changed(tmp_path, "claim == free -> claim = claimed; goto HAS", "true -> goto HAS")
    assert _verdict("AS_IT_IS", MODEL=model) == "not as expected"


def test_a_model_that_cannot_come_to_all_it_says_is_refused(tmp_path: Path) -> None:
    model = _changed(tmp_path, "claim == free -> claim = claimed; goto HAS", "false -> goto HAS")
    assert _verdict("AS_IT_IS", MODEL=model) == "not as expected"


def test_a_model_in_which_somebody_may_look_for_ever_is_refused(tmp_path: Path) -> None:
    model = _changed(tmp_path, "outcome != nothing || NEWS ->", "true ->")
    assert _verdict("NO_CYCLE", MODEL=model) == "not as expected"


def test_a_mistake_that_is_found_for_another_reason_does_not_count(tmp_path: Path) -> None:
    model = _changed(tmp_path, "assert(!may_have_been_sent)", "true")
    assert _verdict("LEASE_TAKEOVER", MODEL=model) == "not as expected"


def test_a_variant_that_does_not_exist_is_explained() -> None:
    done = _check("NOPE")
    assert done.returncode == 1
    assert "There is no NOPE. Usage: scripts/model [AS_IT_IS" in done.stderr


@pytest.mark.parametrize("missing", ["spin", "gcc"])
def test_whoever_lacks_a_tool_is_told_how_to_install_it(missing: str, tmp_path: Path) -> None:
    for tool in {"spin", "gcc", "bash", "dirname", "realpath"} - {missing}:
        found = which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    done = _check(PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == (
        f"\n{missing} is missing. Run: sudo apt-get install spin gcc libc6-dev\n"
    )
