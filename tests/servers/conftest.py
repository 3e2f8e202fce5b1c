"""The scenes of the matrix, one server after the other, and what was found on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers.scene import Scene, scene
from tests.servers.served import SERVERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.page import Found


@pytest.fixture(scope="package", params=SERVERS, ids=str)
def on(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One server after the other."""
    with scene(tmp_path_factory.mktemp(str(request.param)), request.param) as ready:
        yield ready


@pytest.fixture(scope="package")
def found() -> Found:
    """Collect what each test of the matrix found."""
    return {}
