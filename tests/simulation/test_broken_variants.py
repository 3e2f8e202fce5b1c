"""The simulation can fail: each thing that is made wrong in the package is found, and soon."""

from __future__ import annotations

import re

import pytest

from intastellar_auth.core import once

from .__main__ import failure
from .broken import VARIANTS, Edit, applied

# Most are found within ten.
SEEDS = 300


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_wrong_is_found_within_a_few_seeds(variant: str) -> None:
    made = VARIANTS[variant]
    with applied(made.edits):
        found = next(filter(None, map(failure, range(made.first, made.first + SEEDS))), None)
    assert found is not None, f"{variant}: not found in {SEEDS} seeds"
    assert re.match(rf"seed \d+: PromiseBroken: (?:{made.rows}): ", found), found


def test_an_edit_is_undone_when_its_block_ends() -> None:
    before = once._do
    with applied((Edit(once, "_do", "if done.happened", "if not done.happened"),)):
        assert once._do is not before
    assert once._do is before


def test_an_edit_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(LookupError, match="does not have this once"):
        Edit(once, "_do", "what nobody wrote", "").made()
