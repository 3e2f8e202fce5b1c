"""The hostile provider, the sites and the log of ``tests/hostile``, for the advisories."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hostile import (
    bad_callbacks,
    bad_claims,
    bad_discovery,
    bad_jose,
    bad_keys,
    bad_tokens,
)
from tests.hostile.browser import Browser
from tests.hostile.cases import Case, Verdict
from tests.hostile.conftest import Log, dead, log, make_site, portal, provider, visit
from tests.hostile.provider import Misbehaviour, Script
from tests.hostile.verdicts import judge

__all__ = ["Refuses", "Visit", "dead", "log", "make_site", "portal", "provider", "visit"]

Visit = Callable[..., Browser]
Refuses = Callable[..., None]
"""Signs in under each misbehaviour, given itself or by its case's name: each must be refused."""

_MODULES = (bad_callbacks, bad_claims, bad_discovery, bad_jose, bad_keys, bad_tokens)
_CASES: dict[str, Case] = {case.name: case for module in _MODULES for case in module.CASES}


@pytest.fixture
def refuses(visit: Visit, log: Log) -> Refuses:
    """Return what plays misbehaviours of the provider, one after the other."""

    def refuses(*misbehaviours: str | Misbehaviour, verdict: Verdict = Verdict.REJECT) -> None:
        for one in misbehaviours:
            case = _CASES[one] if isinstance(one, str) else Case("", "", verdict, one)
            assert case.verdict is verdict, f"{case.name} is not a case of {verdict}"
            browser = visit(**case.settings)
            browser.provider.script = Script()
            browser.provider.asked.clear()
            case.misbehave(browser.provider)
            judge(verdict, browser, log)

    return refuses
