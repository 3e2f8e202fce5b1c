"""What the cookies of a whole visit give away by their attributes and their size."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from .browser import Browser
from .cases import claim
from .site import SESSION_COOKIE
from .test_set_cookie import cookies, everything

Visit = Callable[..., Browser]


def size_with(browser: Browser, name: str) -> int:
    """Sign in as somebody of this name, and return how large the session is."""
    claim("name", name)(browser.provider)
    browser.sign_in()
    return len(browser.jar.named(SESSION_COOKIE))


def test_a_session_is_as_large_as_what_it_holds(visit: Visit) -> None:
    """CK-17: compressed, its size would tell how much of it an attacker has guessed (CRIME)."""
    browser = visit()
    assert size_with(browser, "a" * 1_200) == size_with(browser, secrets.token_hex(600))


def test_no_cookie_is_partitioned(visit: Visit) -> None:
    """CK-23: nobody asked to be used in other sites' frames."""
    found = cookies(everything(visit()))
    assert found
    assert not [one.name for one in found if "partitioned" in one.attributes]
