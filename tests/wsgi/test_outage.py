"""A store that is down, with sessions in it: who is let through, and what the others are told."""

from __future__ import annotations

import json

import pytest

from intastellar_auth.drive.blocking import Outside
from intastellar_auth.user import ANONYMOUS
from tests.stores.silent import Silent

from .site import App, Site, make_site

FETCH = {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def site(app: App) -> Site:
    made = make_site(app, session_mode="server", protected_paths="/private/*")
    made.app._outside = Outside(Silent(), 1.0)
    return made


def test_a_protected_path_says_to_try_again(site: Site, app: App) -> None:
    got = site.ask("/private/data", headers={**FETCH, "cookie": site.cookie()})
    assert got.status == "503 Service Unavailable"
    assert json.loads(got.body)["error"] == "store_unavailable"
    assert app.seen == []


def test_a_public_page_sees_nobody_signed_in(site: Site, app: App) -> None:
    got = site.ask("/page", headers={**FETCH, "cookie": site.cookie()})
    assert got.status == "200 OK"
    (environ,) = app.seen
    assert environ["intastellar.user"] == ANONYMOUS
