"""Each row of the promise on each server, and the page that says how it went."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.page import PAGE, YES, line_of, read_page, write_page
from tests.servers.rows import INSTEAD, PLAYED, ROWS

if TYPE_CHECKING:
    from tests.servers.page import Found
    from tests.servers.scene import Scene


@pytest.mark.parametrize("row", PLAYED)
def test_the_promise_holds_on_this_server(on: Scene, found: Found, row: str) -> None:
    """P1 to P14."""
    cell = line_of(on.served), row
    found[cell] = "**broken**"
    without = on.served.without.get(row)
    says, plays = (YES, ROWS[row].plays) if without is None else INSTEAD[without]

    for play in plays:
        play(on)

    found[cell] = says


def test_every_row_is_played() -> None:
    """A row that is not would stand on the page as not known."""
    assert sorted(PLAYED) == sorted(ROWS)


def test_the_page_says_what_was_found(found: Found, tmp_path: Path) -> None:
    """``SERVERS_PAGE`` names the file that it is written to; of a part of a run, that part."""
    written = Path(os.environ.get("SERVERS_PAGE", tmp_path / "servers.md"))
    told = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""

    written.write_text(write_page(read_page(told) | found), encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == written.read_text(encoding="utf-8")
