"""A store that does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.stores import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence


class Silent(MemoryStore):
    """What it holds cannot be read."""

    def get_many(self, keys: Sequence[str]) -> NoReturn:
        """Fail."""
        raise StoreUnavailable(f"no answer for {len(keys)} keys")
