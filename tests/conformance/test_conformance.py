"""Every row has a test or a reason, and the page says which."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.conformance.collect import Named, collect, ids_in, read_source
from tests.conformance.page import PAGE, write_page
from tests.conformance.rows import GROUPS, PARTS, REASONS, ROWS
from tests.support.server import TESTS


@pytest.fixture(scope="module")
def found() -> list[Named]:
    """All that the tests name."""
    return collect()


def test_every_row_is_tested_or_does_not_apply(found: list[Named]) -> None:
    """A row with both a test and a reason has a reason that is out of date."""
    tested = {named.row for named in found}
    assert sorted(ROWS.keys() - tested - REASONS.keys()) == []
    assert sorted(tested & REASONS.keys()) == []
    assert sorted(PARTS.keys() - tested) == []


def test_no_test_and_no_reason_names_a_row_that_does_not_exist(found: list[Named]) -> None:
    assert [named for named in found if named.row not in ROWS] == []
    assert sorted(REASONS.keys() - ROWS.keys()) == []


def test_a_list_of_cases_is_taken_by_a_test_beside_it(found: list[Named]) -> None:
    """Without one nobody would play its cases."""
    for module in {TESTS / named.path for named in found}:
        if not module.name.startswith("test_"):
            taken = re.compile(rf"^from \.(?: import .*)?\b{module.stem}\b", re.MULTILINE)
            assert any(taken.search(test.read_text()) for test in module.parent.glob("test_*.py"))


def test_no_row_stands_in_two_places() -> None:
    assert len(ROWS) == sum(map(len, GROUPS.values()))


def test_the_page_says_what_was_found(found: list[Named], tmp_path: Path) -> None:
    """``CONFORMANCE_PAGE`` names the file that it is written to."""
    written = Path(os.environ.get("CONFORMANCE_PAGE", tmp_path / "conformance.md"))
    written.write_text(write_page(found), encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == written.read_text(encoding="utf-8")


def test_a_row_that_nobody_tests_would_stand_out() -> None:
    page = write_page([Named("CB-01", "a/test_b.py", "test_c")])
    assert "| tested | [a/test_b](../tests/a/test_b.py): `c` |" in page
    assert "**not tested**" in page


SOURCE = '''
"""Section CB-99 of a document."""

CASES = (Case("AA-01 AA-02", "one", lambda: None), *(Case("AA-03", f"{x}_two") for x in XS))
PAYLOADS: dict[str, list[str]] = {"AA-04": ["AA-05 and text"]}
NAMELESS = [Case("AA-06", 413)]


@parametrize("x", [1])  # AA-07
def test_one() -> None:
    """AA-08, R9-01, AA-09 to AA-12, AA-13..15; CVE-2021-32791, UTF-8."""
    assert "AA-16"  # AA-17


async def test_two() -> None:
    pass


def helper() -> None:
    """AA-18."""
'''


def test_docstrings_comments_and_cases_name_rows_and_nothing_else_does() -> None:
    assert sorted(read_source(SOURCE, tests=True)) == [
        ("AA-01", "one"),
        ("AA-02", "one"),
        ("AA-03", "*_two"),
        ("AA-04", "PAYLOADS"),
        ("AA-06", "NAMELESS"),
        ("AA-07", "test_one"),
        ("AA-08", "test_one"),
        ("AA-17", "test_one"),
        ("R9-01", "test_one"),
    ]


def test_functions_of_a_module_that_is_not_collected_are_no_tests() -> None:
    assert {name for _, name in read_source(SOURCE, tests=False)} == {
        "one",
        "*_two",
        "PAYLOADS",
        "NAMELESS",
    }


def test_a_range_is_too_vague_to_count() -> None:
    assert ids_in("AA-01 to AA-25, BB-01; CF-B02 to CF-B09") == ["BB-01"]
    assert ids_in("AA-01..03, AA-01..AA-03, BB-100") == ["BB-100"]
