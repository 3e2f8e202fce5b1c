"""The package with one thing wrong at a time, to see that a simulation can fail.

Each variant replaces a piece of a function's source, in memory. Where the piece is not there, the
function has changed and the variant says so.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Final

from intastellar_auth.core import admission, callback, in_store, logout, once, refresh
from intastellar_auth.core.attempt import Attempts
from intastellar_auth.core.outage import Outage


@dataclass(frozen=True, slots=True)
class Edit:
    """In the function ``name`` of ``owner``, ``old`` becomes ``new``."""

    owner: ModuleType | type
    name: str
    old: str
    new: str

    def made(self) -> FunctionType:
        """Return the function with the edit."""
        function = inspect.getattr_static(self.owner, self.name)
        source = textwrap.dedent(inspect.getsource(function))
        if source.count(self.old) != 1:
            raise LookupError(f"{self.name} does not have this once: {self.old}")
        edited = compile(source.replace(self.old, self.new), "<edited>", "exec")
        namespace: dict[str, FunctionType] = {}
        exec(edited, function.__globals__, namespace)  # noqa: S102  the source is our own
        return namespace[self.name]


@contextmanager
def applied(edits: tuple[Edit, ...]) -> Iterator[None]:
    """Make ``edits`` while the block runs."""
    before = [(edit, inspect.getattr_static(edit.owner, edit.name)) for edit in edits]
    made = [(edit, edit.made()) for edit in edits]
    try:
        for edit, function in made:
            setattr(edit.owner, edit.name, function)
        yield
    finally:
        for edit, function in before:
            setattr(edit.owner, edit.name, function)


@dataclass(frozen=True, slots=True)
class Variant:
    """What is made wrong by ``edits`` breaks one of ``rows``, a pattern.

    Some mistakes are rare: the search begins with the seed ``first``, which is known to find it.
    """

    rows: str
    edits: tuple[Edit, ...]
    first: int = 0


VARIANTS: Final[dict[str, Variant]] = {
    "the claim is written after the exchange": Variant(
        "P9|P14",
        (
            Edit(
                once,
                "_claim_or_wait",
                "(yield from _claimed(what, _seal(what, _encode(claim))))",
                "(yield from get(_claim_key(what.name))) is None",
            ),
        ),
    ),
    "the outcome is not bound to the browser": Variant(
        "P7",
        (
            Edit(
                Attempts,
                "find",
                "return None",
                "return Attempt(state.id, 0.0, 0, state.return_to, state.id, finished=True)",
            ),
            Edit(callback, "exchange_of", "secret=attempt.receipt", "secret=attempt.id"),
        ),
    ),
    "a lapsed lease lets another one exchange": Variant(
        "P9|P14",
        (
            Edit(
                once,
                "_claim_or_wait",
                "held.until):\n            return No.LAPSED",
                "held.until):\n            return (yield from _do(what, work))",
            ),
        ),
    ),
    "a replay does not look for a tombstone": Variant(
        "P13",
        (Edit(callback, "_lives", "yield from has_ended(session)", "bool((yield from ()))"),),
    ),
    "a roll does not look for a tombstone": Variant(
        "P13|P6",
        (
            Edit(
                admission.Admissions,
                "roll",
                "session.id in self._ended or (yield from has_ended(session))",
                "bool((yield from ()))",
            ),
        ),
    ),
    "a refresh is not claimed": Variant(
        "P14",
        (
            Edit(
                refresh,
                "_next",
                "yield from once(what, lambda: _work(site, metadata, what, session, tokens))",
                "(yield from _work(site, metadata, what, session, tokens)).outcome",
            ),
        ),
    ),
    "a code that was refused is sent again": Variant(
        "P9|P14",
        (Edit(once, "_do", "if done.happened:", "if done.happened and len(done.outcome) > 200:"),),
    ),
    "a failed call is taken for one that never left": Variant(
        "P14",
        (
            Edit(
                refresh,
                "_work",
                "except (ProviderUnreachable, ProviderBusy, ClientRefused) as error",
                "except AuthError as error",
            ),
        ),
        first=300,
    ),
    "a logout leaves no tombstone": Variant(
        "P13|P6",
        (
            Edit(
                logout,
                "end",
                "yield from end_session(session, "
                "site.sessions.lasts_until(session) - site.clock())",
                "yield from ()",
            ),
        ),
    ),
    "a logout leaves what other tabs were given": Variant(
        "P13|P6",
        (Edit(logout, "_given_again", "site.attempts.kept(header)", "()"),),
    ),
    "an ended session is remembered": Variant(
        "P6",
        (Edit(admission.Admissions, "admit", "not 0 <= now - checked < self.interval", "False"),),
    ),
    "a sign-in starts again without end": Variant(
        "P8",
        (Edit(callback, "_start_again", "lost.restarts >= _RESTARTS", "False"),),
    ),
    "the work stops with the request": Variant(
        "P10",
        (
            Edit(
                callback,
                "once",
                "yield from unbroken(_claim_or_wait(what, work))",
                "yield from _claim_or_wait(what, work)",
            ),
        ),
    ),
    "no sign-in is ever finished": Variant(
        "quiesce",
        (
            Edit(
                Attempts,
                "is_open",
                "not attempt.finished and now < attempt.started + self.timeout",
                "False",
            ),
        ),
    ),
    "who stood still claims what is no longer kept": Variant(
        "P9|P14",
        (Edit(once, "_claim_or_wait", "what.clock() >= what.until", "False"),),
    ),
    "an outage of long ago is remembered": Variant(
        "quiesce",
        (Edit(Outage, "may_ask", "now >= self.ask_again + _FORGOTTEN", "False"),),
    ),
    "a refreshed token is not passed on": Variant(
        "P14",
        (Edit(in_store.InStore, "keep_tokens", "if session.tokens is None", "if True"),),
    ),
    "a refresh token is used however long it has been due": Variant(
        "P14",
        (
            Edit(
                refresh,
                "_refresh_of",
                "min(tokens.due_from + idle, last_day)",
                "site.clock()",
            ),
        ),
        first=994_499,
    ),
}
"""What is wrong, in words, and the edits that make it so."""
