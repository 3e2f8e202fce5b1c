"""What the document says of the two shells is what the tests compare."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from importlib import import_module

import pytest

from tests.support.server import TESTS

from .differences import DIFFERENCES, Difference
from .document import markdown
from .scenarios import SCENARIOS


def test_the_document_is_made_of_the_lists() -> None:
    written = (TESTS.parent / "docs" / "parity.md").read_text(encoding="utf-8")

    assert written == markdown(), "python -m tests.parity.document > docs/parity.md"


def test_the_command_that_the_document_names_makes_it() -> None:
    command = [sys.executable, "-m", "tests.parity.document"]

    made = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=True)  # noqa: S603 - the command is written here

    assert made.stdout == markdown()


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.about)
def test_every_difference_is_shown_by_a_test(difference: Difference) -> None:
    module, _, function = difference.shown_by.partition(":")

    assert callable(getattr(import_module(module), function))


def test_every_scenario_has_a_name_of_its_own() -> None:
    assert Counter(scenario.name for scenario in SCENARIOS).most_common(1)[0][1] == 1


def test_no_cell_of_the_table_breaks_it() -> None:
    cells = [cell for one in DIFFERENCES for cell in (one.about, one.asgi, one.wsgi, one.because)]

    assert [cell for cell in cells if "|" in cell or "\n" in cell] == []
