"""All rows: what each asks, in a line. A test names the rows that it covers (``collect.py``)."""

from __future__ import annotations

from tests.conformance import (
    rows_advisories,
    rows_endings,
    rows_sign_in,
    rows_suite,
    rows_tokens,
    rows_web,
)
from tests.conformance.reasons import PARTS, REASONS

__all__ = ["GROUPS", "PARTS", "REASONS", "ROWS"]

GROUPS = {
    "The conformance suite of the OpenID Foundation": rows_suite.ROWS,
    "Signing in": rows_sign_in.ROWS,
    "Tokens, keys and userinfo": rows_tokens.ROWS,
    "Refreshing, signing out, client authentication": rows_endings.ROWS,
    "The web": rows_web.ROWS,
    "Advisories of other products": rows_advisories.ROWS,
}
"""The rows by heading."""

ROWS = {row: what for rows in GROUPS.values() for row, what in rows.items()}
"""What each row asks, by its id."""
