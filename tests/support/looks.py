"""What a good answer looks like."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx

from tests.support.forms import links
from tests.support.wire import fire

if TYPE_CHECKING:
    from tests.support.stage import Stage
    from tests.support.wire import Got

REDIRECTS = (302, 303)


def user_with(cookie: str, site: str) -> str | None:
    """Return who ``/auth/user`` says is signed in with this ``Cookie`` header."""
    (got,) = fire(f"{site}/auth/user", cookie=cookie)
    if got.status == 401:
        return None
    assert got.status == 200, got
    return str(json.loads(got.body)["sub"])


def leads_to(got: Got, where: Stage) -> str:
    """Return the address that a redirect of ours leads to."""
    assert got.status in REDIRECTS, got
    return str(httpx.URL(where.url).join(got.location))


def leads_to_provider(got: Got, where: Stage) -> bool:
    """Return whether a redirect of ours starts a sign-in at the provider."""
    return leads_to(got, where).startswith(f"{where.provider.issuer}/")


def assert_signs_in(answers: list[Got], where: Stage, target: str) -> None:
    """Check that each answer leads to ``target`` with a cookie of a session of alice's."""
    assert {leads_to(got, where) for got in answers} == {where.url + target}
    users = [user_with(got.cookie_header, where.url) for got in answers]
    assert users == ["alice"] * len(answers)


def assert_safe_page(response: Got, where: Stage) -> None:
    """Check for an error page that says no more than it must, and offers to sign in."""
    assert 400 <= response.status < 600, response
    assert response.body.count("<h1") == 1
    assert "<main" in response.body
    ways = {
        str(httpx.URL(f"{where.url}/auth/callback").join(link)) for link in links(response.body)
    }
    assert any(way.startswith(f"{where.url}/auth/login") for way in ways), ways
    assert not response.gives_session
