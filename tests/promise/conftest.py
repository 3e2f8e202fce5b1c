"""The stages that the central rows are played on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser import Browser
from tests.support.stage import Stage, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGES: dict[str, dict[str, Any]] = {
    "one-process-memory": {"by": "strict", "workers": 1, "STORE_URL": "memory://"},
    "four-processes-auto": {"by": "strict", "workers": 4, "STORE_URL": "auto"},
    "four-processes-certified": {"by": "certified", "workers": 4},
}


@pytest.fixture(scope="package", params=STAGES)
def anywhere(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """One stage after the other; each test that asks for it runs on all of them."""
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    with stage(folder, REVOCATION_CHECK="1", **STAGES[name]) as running:
        yield running


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Open a fresh browser profile."""
    with Browser() as fresh:
        yield fresh


@pytest.fixture
def stranger() -> Iterator[Browser]:
    """Another one, of somebody else."""
    with Browser() as fresh:
        yield fresh
