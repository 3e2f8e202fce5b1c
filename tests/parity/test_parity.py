"""Both shells answer every scenario alike, to the last byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .player import play
from .provider import Provider
from .scenarios import SCENARIOS
from .shells import make_asgi, make_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scenario import Scenario


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """Run one provider, at one address, for all scenarios and both shells."""
    with Provider() as running:
        yield running


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_both_shells_answer_the_same_bytes(scenario: Scenario, provider: Provider) -> None:
    """What they answer, what they log, and what they ask the provider, and in which order."""
    by_asgi = play(scenario, make_asgi, provider)
    by_wsgi = play(scenario, make_wsgi, provider)

    for asgi, wsgi, step in zip(by_asgi.answers, by_wsgi.answers, scenario.steps, strict=True):
        assert asgi == wsgi, step
    assert by_asgi.log == by_wsgi.log
    assert by_asgi.asked == by_wsgi.asked
