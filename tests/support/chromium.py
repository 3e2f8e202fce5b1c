"""A real Chromium, and what a person does in it."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Request

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium without a window until the block is left."""
    executable = shutil.which("chromium")
    assert executable, "these tests need Chromium: scripts/test sets it up"
    # A loaded machine is slow, not wrong.
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def enter_name(page: Page, user: str = "alice") -> None:
    """Fill in the provider's sign-in page, and leave its button to be pressed."""
    page.get_by_label("User name").fill(user)


def sign_in(page: Page, url: str, user: str = "alice") -> None:
    """Ask for ``url`` and sign in as ``user`` at the provider, all the way back to the site."""
    page.goto(url)
    enter_name(page, user)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(url)


def callbacks_of(page: Page) -> list[str]:
    """Return a list that fills with the callback URLs that ``page`` asks for from now on."""
    seen: list[str] = []

    def note(request: Request) -> None:
        if "/auth/callback?" in request.url:
            seen.append(request.url)

    page.on("request", note)
    return seen
