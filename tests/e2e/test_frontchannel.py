"""Front-channel logout in a real browser, which keeps our cookies from the frame."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from intastellar_auth import Settings
from intastellar_auth.core.site import make_site
from tests.core.parts import result
from tests.support.chromium import sign_in
from tests.support.provider_logout import (
    assert_signed_in,
    assert_signed_out_in_time,
    told_by_certified,
)
from tests.support.site import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Frame, Page

    from tests.support.stage import Stage


@pytest.fixture
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Run a site whose ID tokens name the session at the provider."""
    folder = tmp_path_factory.mktemp("told")
    with told_by_certified(folder, kind="uvicorn", workers=2, names_session=True) as running:
        yield running


def cookie_header(profile: BrowserContext, url: str) -> str:
    """Return what the profile sends to ``url``."""
    return "; ".join(f"{one['name']}={one['value']}" for one in profile.cookies(url))


def sid_in(cookie: str, told: Stage) -> str:
    """Return the ``sid`` of the session in ``cookie``, which takes the site's key to read."""
    settings = Settings(
        _env_file=None,
        issuer=told.provider.issuer,
        client_id=Client().client_id,
        base_url=told.url,
        secret_keys="a-key-of-the-tests-with-more-than-32-characters",
        store_url="memory://",
    )
    session = result(make_site(settings).sessions.find(cookie.encode(), time.time()))
    assert session is not None
    assert session.sid is not None
    return session.sid


def frame_on(page: Page, origin: str, src: str) -> tuple[Frame, dict[str, str]]:
    """Put ``src`` into a frame on a page of ``origin``; return it, and what was sent for it."""
    with page.expect_request(lambda request: request.url == src) as asked:
        page.goto(f"{origin}/_frame?{urlencode({'src': src})}")
    page.wait_for_load_state("networkidle")
    return page.frames[1], asked.value.all_headers()


def test_a_frame_on_the_providers_page_ends_the_session_without_its_cookie(
    told: Stage, page: Page, profile: BrowserContext
) -> None:
    """FL-01, CF-X01, CF-X02: and on nobody else's page is there anything to see in it."""
    sign_in(page, f"{told.url}/members")
    cookie = cookie_header(profile, told.url)
    issuer = told.provider.issuer
    address = f"{told.url}/auth/frontchannel-logout?iss={issuer}&sid="
    assert_signed_in(told, cookie)

    elsewhere, _ = frame_on(page, issuer.replace("localhost", "127.0.0.1"), f"{address}made-up")
    assert elsewhere.title() != "Signed out"
    made_up, _ = frame_on(page, issuer, f"{address}made-up")
    assert made_up.title() == "Signed out"
    assert_signed_in(told, cookie)

    _, sent = frame_on(profile.new_page(), issuer, address + sid_in(cookie, told))
    assert "cookie" not in sent
    assert_signed_out_in_time(told, cookie)
