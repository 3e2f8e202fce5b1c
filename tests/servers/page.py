"""``docs/servers.md``: the matrix as a page, made of what a run of the tests found."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from tests.servers.rows import ROWS
from tests.servers.served import SERVERS
from tests.support.server import TESTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.servers.served import Served

PAGE = TESTS.parent / "docs" / "servers.md"

YES = "✓"

Found: TypeAlias = dict[tuple[str, str], str]
"""What the cells say, by server and row."""

_TOP = """\
# Servers

Each row of the [promise](../README.md#the-promise), played on every server that people run. On
each: the store `auto`, if the line does not say Redis; sessions in the cookie, if it does not say
`SESSION_MODE=server`; kept tokens; and a strict provider that takes a code, and a refresh token,
once, and revokes what it gave for one that comes twice. A sentence says why a row does not apply.

This page is written by the tests, and they fail where it is not what they find. To write it again:
`SERVERS_PAGE=docs/servers.md scripts/test tests/servers`.

"""

_NOTES = """
- uWSGI lets the threads of an app run, which P10 needs, since 2.0.30 at the latest; older ones want
  to be told so by `--enable-threads`.
- P10 is a client that hangs up and, where a server knows cancelling, a limit of time around the
  request: `asyncio.timeout`, `trio.move_on_after`, `gevent.Timeout`.
- Two machines are two network namespaces, which share nothing but the Redis, the provider, and a
  balancer in front that sends each connection to the other one.
- One request at a time: what comes at once, as in P2, P4 and P11, is answered in sequence.
- With several processes and `STORE_URL=memory://` P2 to P4 hold within a process only: see
  [operating](operating.md).
"""


def line_of(served: Served) -> str:
    """Return what the page calls ``served``."""
    return f"{served.name}, {served.how}"


def read_page(text: str) -> Found:
    """Return what the cells of the page ``text`` say."""
    lines = [_split(line) for line in text.splitlines() if line.startswith("| ")]
    return {
        (server, row): cell
        for server, *cells in lines[1:]
        for row, cell in zip(ROWS, cells, strict=False)
    }


def write_page(found: Found) -> str:
    """Return the page that says what was ``found``."""
    header = _joined(["server", *ROWS])
    rule = "|" + "---|" * (len(ROWS) + 1)
    servers = [
        _joined([name, *(found.get((name, row), "not known") for row in ROWS)])
        for name in map(line_of, SERVERS)
    ]
    meanings = [f"- **{name}**: {row.happens}" for name, row in ROWS.items()]
    return _TOP + "\n".join([header, rule, *servers, "", *meanings, ""]) + _NOTES


def _joined(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _split(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
