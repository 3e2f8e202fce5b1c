"""The page ``docs/parity.md``, made of the lists so that it cannot differ from them.

``python -m tests.parity.document`` prints it.
"""

from __future__ import annotations

import sys

from .differences import DIFFERENCES
from .scenarios import SCENARIOS

_BEGINNING = """\
<!-- Made by `python -m tests.parity.document > docs/parity.md`: change the lists there. -->

# ASGI and WSGI

The two middlewares answer alike. The tests in `tests/parity` play the scenarios below to both, with
the same clock, the same randomness and the same provider, and compare to the last byte what comes
out: the status, every header in its order, the body, the lines of the log, and what the provider is
asked. An app that moves from one to the other changes how it looks up its user, and nothing else.

## What differs

Each of these is forced by a protocol, and each is shown by a test.

| | ASGI | WSGI | because |
|---|---|---|---|
"""


def markdown() -> str:
    """Return the page."""
    rows = [f"| {one.about} | {one.asgi} | {one.wsgi} | {one.because} |" for one in DIFFERENCES]
    names = [f"- {scenario.name}" for scenario in SCENARIOS]
    return "\n".join([_BEGINNING + rows[0], *rows[1:], "", "## What is the same", "", *names, ""])


if __name__ == "__main__":
    sys.stdout.write(markdown())
