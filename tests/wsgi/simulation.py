"""A shell whose clock, randomness and store the test holds."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING
from unittest import mock

from intastellar_auth import Settings
from intastellar_auth.core.site import make_site
from intastellar_auth.stores import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

KEY = "a key of this site that is long enough to be one"


def site_settings(**values: object) -> Settings:
    """Return settings that work, with ``values`` instead or besides."""
    least: dict[str, object] = {
        "issuer": "https://id.example",
        "client_id": "site",
        "client_secret": "the secret of this client",
        "base_url": "https://site.example",
        "secret_keys": KEY,
        "store_url": "memory://",
        "protected_paths": "/private/*",
    }
    return Settings(_env_file=None, **{**least, **values})


@contextmanager
def simulated(
    shell: ModuleType, clock: Callable[[], float], token_bytes: Callable[[int], bytes]
) -> Iterator[None]:
    """Give the middlewares of ``shell`` that are made in the block this clock and randomness."""

    def open_store(_url: str) -> MemoryStore:
        return MemoryStore(clock=clock)

    with (
        mock.patch.object(
            shell, "make_site", partial(make_site, clock=clock, token_bytes=token_bytes)
        ),
        mock.patch.object(shell, "open_store", open_store),
    ):
        yield
