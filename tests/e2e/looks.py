"""What a page of ours looks like to a person, and to a screen reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


def assert_visible_page(page: Page) -> None:
    """Check for a title, a language, one heading, a main landmark, and a way on inside it."""
    assert page.title().strip()
    assert page.locator("html").get_attribute("lang")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    main = page.get_by_role("main")
    expect(main).to_have_count(1)
    ways = main.get_by_role("link").or_(main.get_by_role("button"))
    expect(ways.first).to_be_visible()
