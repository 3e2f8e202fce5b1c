"""In which order the files run where several run at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

# First what takes longest, so that none of it is what everything else waits for in the end.
_LONGEST: Final = (
    "servers/test_matrix.py",
    "promise/test_killed.py",
    "promise/test_refresh.py",
    "simulation/test_broken_variants.py",
    "promise/test_provider_logout.py",
    "simulation/test_simulation.py",
    "fuzz/test_browser_machine.py",
    "promise/test_broken.py",
    "promise/test_redis.py",
    "promise/test_redis_trouble.py",
    "model/test_model.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, and leave all else as it is."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    places = (at for at, file in enumerate(_LONGEST) if item.path.as_posix().endswith(file))
    return next(places, len(_LONGEST))
