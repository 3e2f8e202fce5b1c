"""A hostile provider for each test, sites that use it, and a log that may give nothing away."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from .browser import Browser
from .provider import Provider
from .server import DeadPort
from .site import Site, running

MakeSite = Callable[..., Site]
"""Runs a site with the settings given by name until the test is over."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x9b\u202a-\u202e]")


class Log(logging.Handler):
    """Keeps everything that is logged anywhere at any level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []
        self.browsers: list[Browser] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep ``record``."""
        self.records.append(record)

    def ours(self) -> list[str]:
        """Return the messages of the package."""
        own = (record for record in self.records if record.name.startswith("intastellar_auth"))
        return [record.getMessage() for record in own]

    def text(self) -> str:
        """Return everything a handler could write of the records, tracebacks too."""
        formatter = logging.Formatter()
        return "\n".join(f"{formatter.format(record)} {record.__dict__}" for record in self.records)


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """One event loop for all sites."""
    with start_blocking_portal("asyncio") as portal:
        yield portal


@pytest.fixture
def log() -> Iterator[Log]:
    """HL-04, HL-05: whatever the test did, no secret was logged, and no line was forged."""
    log = Log()
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(log)
    yield log
    root.removeHandler(log)
    root.setLevel(level)
    text = log.text()
    secrets = set().union(*(b.provider.secrets | b.jar.seen for b in log.browsers))
    leaked = [secret for secret in secrets if len(secret) > 16 and secret in text]
    assert not leaked, leaked
    for line in log.ours():
        assert not _CONTROL.search(line), line
        assert len(line) < 8_000


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Run a provider that so far behaves."""
    with Provider() as provider:
        yield provider
    assert provider.complaints == []


@pytest.fixture
def make_site(portal: BlockingPortal, provider: Provider) -> Iterator[MakeSite]:
    """Run sites that use ``provider``."""
    with ExitStack() as open_sites:
        yield lambda **settings: open_sites.enter_context(running(portal, provider, **settings))


@pytest.fixture
def visit(log: Log, provider: Provider, make_site: MakeSite) -> Callable[..., Browser]:
    """Return a new browser at a site: the one given, or a new one with the settings given."""

    def visit(site: Site | None = None, **settings: str) -> Browser:
        browser = Browser(site or make_site(**settings), provider)
        log.browsers.append(browser)
        return browser

    return visit


@pytest.fixture
def dead() -> Iterator[DeadPort]:
    """Hold a port where nobody listens."""
    port = DeadPort()
    yield port
    port.close()
