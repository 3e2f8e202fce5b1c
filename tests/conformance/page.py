"""``docs/conformance.md``: every row, and the tests that name it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tests.conformance.rows import GROUPS, PARTS, REASONS
from tests.support.server import TESTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.conformance.collect import Named

PAGE = TESTS.parent / "docs" / "conformance.md"

_TOP = """\
# Conformance

What is asked of an OpenID client, row by row, and the tests that hold this one to it: the client
modules of the OpenID Foundation's conformance suite, what the specifications and RFC 9700 demand,
and what has gone wrong in other products. The modules are played by our own hostile provider
([tests/hostile](../tests/hostile)) and not by the suite itself: this is not a certification. Rows
`P1` to `P14` are those of the [promise](../README.md#the-promise).

A row is tested where a test, or a case in a test's list, names it; a sentence says what of it is
not kept, or why it does not apply. This page is written by the tests, and they fail where it is not
what they find. To write it again:
`CONFORMANCE_PAGE=docs/conformance.md scripts/test tests/conformance`.
"""


def write_page(found: Iterable[Named]) -> str:
    """Return the page for the tests that were ``found``, which are sorted."""
    tests = {row: _tests(list(named)) for row, named in groupby(found, key=lambda named: named.row)}
    tables = [_table(heading, rows, tests) for heading, rows in GROUPS.items()]
    return "\n".join([_TOP, _counts(tests), *tables])


def _counts(tests: Mapping[str, str]) -> str:
    tested = sum(row in tests for rows in GROUPS.values() for row in rows)
    return f"{tested} rows are tested, {len(PARTS)} of them in part; {len(REASONS)} do not apply.\n"


def _table(heading: str, rows: Mapping[str, str], tests: Mapping[str, str]) -> str:
    lines = [
        f"| {row} | {what} | {_verdict(row, tests)} | {tests.get(row, '')} |"
        for row, what in rows.items()
    ]
    head = ["| id | what | verdict | tests |", "|---|---|---|---|"]
    return "\n".join([f"## {heading}", "", *head, *lines, ""])


def _verdict(row: str, tests: Mapping[str, str]) -> str:
    if row in tests:
        return f"tested, in part: {PARTS[row]}" if row in PARTS else "tested"
    return f"does not apply: {REASONS[row]}" if row in REASONS else "**not tested**"


def _tests(named: list[Named]) -> str:
    """The tests by their files, each of which is a link."""
    return "; ".join(
        f"[{path.removesuffix('.py')}](../tests/{path}): {', '.join(_code(one.name) for one in of)}"
        for path, of in groupby(named, key=lambda one: one.path)
    )


def _code(name: str) -> str:
    return f"`{name.removeprefix('test_')}`"
