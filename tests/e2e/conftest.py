"""A Chromium, a certified provider and a site of several processes, shared by the tests here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.chromium import chromium
from tests.support.provider import Certified
from tests.support.stage import Stage, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium; each test has profiles of its own in it."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One site, with the certified provider."""
    folder = tmp_path_factory.mktemp("e2e")
    with stage(folder, by="certified", workers=2, REVOCATION_CHECK="1") as running:
        yield running


@pytest.fixture
def provider(here: Stage) -> Iterator[Certified]:
    """Give the certified provider, whose manners are as usual again after each test."""
    certified = here.provider
    assert isinstance(certified, Certified)
    yield certified
    certified.pause_before_return(pause=False)


@pytest.fixture
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """Open a browser profile without cookies."""
    context = browser.new_context()
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(profile: BrowserContext) -> Page:
    """Open a tab in it."""
    return profile.new_page()


@pytest.fixture
def other_profile(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody else's browser profile."""
    context = browser.new_context()
    context.set_default_timeout(15_000)
    yield context
    context.close()
