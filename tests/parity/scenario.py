"""A scenario: requests one after the other, and what must come out of each, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.hostile.server import Answer

Headers = tuple[tuple[str, str], ...]
"""Names in lower case with values, in their order."""

NAVIGATION: Headers = (
    ("accept", "text/html"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "same-origin"),
)
SCRIPT: Headers = (
    ("accept", "*/*"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-dest", "empty"),
    ("sec-fetch-site", "same-origin"),
)
FORM: Headers = (*NAVIGATION, ("content-type", "application/x-www-form-urlencoded"))

SESSION = "__Host-intastellar"
HINT = "__Secure-intastellar-hint"
LOGIN = "__Host-intastellar-login-*"
SIGNED_IN = (SESSION, HINT, LOGIN)
SDK = ("inta_account", "inta_acc")
SIGNED_OUT = (*SDK, SESSION, HINT)


@dataclass(frozen=True, slots=True)
class Come:
    """What must come out: ``location`` and ``says`` are where the whole begins, and a part of it.

    ``sets`` and ``clears`` are the cookies that are given and removed, each once and in order.
    """

    status: int
    location: str = ""
    says: str = ""
    sets: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One request, by ``browser``, ``after`` so many seconds, and what must come of it.

    In ``target``, ``body`` and ``come`` stand for what came before: ``{callback}`` and
    ``{response}`` the last authorization response as a target and as a query (``{callback1}`` the
    first one), ``{state}`` its state, ``{end}`` the state of the last sign-out, ``{proof}`` the
    proof in the last page with one, ``{provider}`` the provider's address, ``{logout_token}`` a
    good one for alice's session ``SID`` there. ``cookie`` replaces the browser's cookies;
    ``answers`` and ``claims`` are what the provider says from now on.
    """

    target: str
    come: Come
    method: str = "GET"
    headers: Headers = NAVIGATION
    body: str = ""
    browser: str = "the visitor's"
    cookie: str | None = None
    after: float = 0.0
    answers: Mapping[str, Answer] | None = None
    claims: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story. ``settings`` replace the usual ones; ``mount`` is where the app is mounted."""

    name: str
    steps: tuple[Step, ...]
    settings: Mapping[str, object] = field(default_factory=dict)
    mount: str = ""


def go(target: str, status: int, **come: object) -> Step:
    """Return a navigation to ``target``; ``come`` are fields of ``Come``."""
    return Step(target, Come(status, **come))  # type: ignore[arg-type]  # the scenario's are right


def script(target: str, status: int, **come: object) -> Step:
    """Return a request that a script of the site's own makes."""
    return replace(go(target, status, **come), headers=SCRIPT)


def post(target: str, body: str, status: int, **come: object) -> Step:
    """Return the submission of a form of the site's own."""
    return replace(go(target, status, **come), method="POST", headers=FORM, body=body)


def but(step: Step, **changes: object) -> Step:
    """Return ``step`` with these fields; ``more`` are headers to send besides."""
    more: object = changes.pop("more", ())
    assert isinstance(more, tuple)
    changed = replace(step, **changes)  # type: ignore[arg-type]  # the scenario's are right
    names = {name for name, _ in more}
    kept = tuple(header for header in changed.headers if header[0] not in names)
    return replace(changed, headers=(*kept, *more))


ENTER = go("/auth/login?next=/private/page", 303, location="{provider}/authorize?", sets=(LOGIN,))
DONE = go("{callback}", 303, location="/private/page", sets=SIGNED_IN)
SIGN_IN = (ENTER, DONE)
PRIVATE = go("/private/page", 200, says='"user": "alice"')
SHUT = go("/private/page", 303, location="/auth/login?next=/private/page")
ALICE = script("/auth/user", 200, says='"sub":"alice"')
NOBODY = script("/auth/user", 401, says='"error":"login_required"')
