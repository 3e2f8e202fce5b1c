"""A site and the provider that it signs its users in with, both running."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tests.support.commands import Kind
from tests.support.provider import Provider, certified, strict
from tests.support.server import free_port
from tests.support.site import Client, Site, site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stage:
    """A running site and its provider."""

    site: Site
    provider: Provider

    @property
    def url(self) -> str:
        """The site's address, without a slash at the end."""
        return self.site.url


@contextmanager
def stage(
    folder: Path,
    *,
    by: Literal["strict", "certified"] = "strict",
    kind: Kind = "uvicorn",
    workers: int = 1,
    client: Client | None = None,
    **settings: str,
) -> Iterator[Stage]:
    """Run a provider and a site in ``folder`` until the block is left; see also ``site``."""
    client = client or Client()
    port = free_port()
    start: Callable[[Path, str, Client], AbstractContextManager[Provider]]
    start = strict if by == "strict" else certified
    with (
        start(folder, f"http://127.0.0.1:{port}", client) as provider,
        site(
            folder / "site",
            port=port,
            issuer=provider.issuer,
            client=client,
            kind=kind,
            workers=workers,
            **settings,
        ) as running,
    ):
        yield Stage(running, provider)
