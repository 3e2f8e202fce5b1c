"""Settings are made as if nothing else were on the machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the variables and the ``.env`` of the machine that runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTASTELLAR_FROM_OUTSIDE", "one more than there is")
    for name in list(os.environ):
        if name.upper().startswith("INTASTELLAR_"):
            monkeypatch.delenv(name)
