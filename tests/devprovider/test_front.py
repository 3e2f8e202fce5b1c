"""The page at ``/``, where a developer lands who opens the issuer."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.devprovider import DevClient, DevUser
from tests.devprovider.harness import CALLBACK, ISSUER, PUBLIC, SECRET, SITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.devprovider.harness import Rig

pytestmark = pytest.mark.anyio


async def test_it_says_what_to_configure_and_who_can_sign_in(rig: Rig) -> None:
    page = unescape((await rig.http.get("/")).text)
    assert f"<dt>Issuer</dt><dd><code>{ISSUER}</code></dd>" in page
    assert "openid profile email phone address offline_access" in page
    for user in ("alice", "bob", "carol"):
        assert f"<dt>{user}</dt>" in page
    for told in (PUBLIC.client_id, SECRET.client_id, CALLBACK, f"{SITE}/auth/logout"):
        assert told in page
    assert str(SECRET.client_secret) not in page


async def test_an_address_that_is_not_registered_is_said_to_be_none(
    make_rig: Callable[..., Rig],
) -> None:
    page = (await make_rig(SECRET).http.get("/")).text
    assert "<dt>Addresses after a logout</dt><dd>none</dd>" in page
    assert "<dt>Back-channel logout URI</dt><dd>none</dd>" in page


async def test_it_counts_the_token_requests(rig: Rig) -> None:
    count = '<th scope="row">Token requests</th><td>{}</td>'
    assert count.format(0) in (await rig.http.get("/")).text
    await rig.tokens()
    assert count.format(1) in (await rig.http.get("/")).text


async def test_its_links_lead_somewhere(rig: Rig) -> None:
    links = re.findall(r'href="([^"]*)"', (await rig.http.get("/")).text)
    assert set(links) == {"/.well-known/openid-configuration", "/_dev/log", "/_dev/faults"}
    assert [(await rig.http.get(link)).status_code for link in links] == [200, 200, 200]


async def test_no_value_adds_markup(make_rig: Callable[..., Rig]) -> None:
    bad = "<script>alert(1)</script>"
    rig = make_rig(DevClient(bad, (f"{SITE}/{bad}",)), users=[DevUser(bad, bad, bad)], scopes=[bad])
    assert "<script" not in (await rig.http.get("/")).text
    assert unescape((await rig.http.get("/")).text).count(bad) == 6


async def test_it_loads_nothing_and_is_accessible(rig: Rig) -> None:
    page = await rig.http.get("/")
    for part in ('lang="en"', "<main>", "<h1>", "<h2>", 'name="viewport"', "<title>"):
        assert part in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
