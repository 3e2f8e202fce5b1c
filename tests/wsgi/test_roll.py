"""A session in use goes on: its cookie is renewed as the answer goes out, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intastellar_auth.core.ended import end_session

from .client import NAVIGATION
from .site import SESSION_COOKIE, App, an_error, make_site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

    from .site import Site

DUE = 301
PLAIN = [("Content-Type", "text/plain")]


def renewed(cookies: list[str]) -> bool:
    """Return whether these ``Set-Cookie`` values give a session."""
    return any(cookie.startswith(f"{SESSION_COOKIE}=1") for cookie in cookies)


def test_a_session_is_renewed_when_that_is_due_and_no_cache_may_keep_the_answer() -> None:
    """CVE-2025-48947."""
    kept_by_caches = ("CDN-Cache-Control", "Surrogate-Control", "Expires")
    app = App(
        headers=[
            ("Cache-Control", "public, max-age=60"),
            ("cache-control", "immutable"),
            *((name, "max-age=60") for name in kept_by_caches),
        ]
    )
    site = make_site(app)
    cookie = site.cookie()
    site.clock.now += DUE

    got = site.ask(headers={**NAVIGATION, "cookie": cookie})
    again = site.ask(headers={**NAVIGATION, "cookie": got.header("set-cookie").partition(";")[0]})

    assert renewed(got.all("set-cookie"))
    assert got.header("cache-control") == "no-store"
    assert not any(got.all(name.lower()) for name in kept_by_caches)
    assert got.header("vary") == "Cookie"
    assert again.all("set-cookie") == []
    assert all(again.header(name.lower()) for name in kept_by_caches)
    assert again.all("cache-control") == ["public, max-age=60", "immutable"]


def test_a_session_is_not_renewed_before_that_is_due() -> None:
    site = make_site(App())
    cookie = site.cookie()
    site.clock.now += DUE - 2

    assert site.ask(headers={**NAVIGATION, "cookie": cookie}).all("set-cookie") == []


def test_a_logout_while_the_app_works_is_not_undone() -> None:
    """P13: here in the same process."""
    sites: list[Site] = []

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert sites[0].ask("/auth/logout", headers={**NAVIGATION, "cookie": cookie}).code == 303
        start_response("200 OK", [*PLAIN, ("Cache-Control", "public")])
        return []

    site = make_site(app)
    sites.append(site)
    cookie = site.cookie()
    site.clock.now += DUE

    got = site.ask(headers={**NAVIGATION, "cookie": cookie})

    assert got.headers == (*_lower(PLAIN), ("cache-control", "public"), ("vary", "Cookie"))


def test_a_logout_in_another_process_while_the_body_is_made_is_not_undone() -> None:
    """P13: a generator says its headers late, and is asked late."""
    sites: list[Site] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        yield from ()
        session = environ["intastellar.user"]
        assert session.sub == "alice"
        _end_elsewhere(sites[0])
        start_response("200 OK", PLAIN)
        yield b"late"

    site = make_site(app)
    sites.append(site)
    cookie = site.cookie()
    site.clock.now += DUE

    got = site.ask(headers={**NAVIGATION, "cookie": cookie})

    assert got.body == b"late"
    assert got.all("set-cookie") == []
    assert site.ask("/auth/user", headers={"cookie": cookie}).code == 401


def test_an_answer_that_starts_again_after_an_error_renews_the_session_once() -> None:
    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        start_response("500 Internal Server Error", PLAIN, an_error())
        return []

    site = make_site(app)
    cookie = site.cookie()
    site.clock.now += DUE

    got = site.ask(headers={**NAVIGATION, "cookie": cookie})

    assert len(got.all("set-cookie")) == 1
    assert renewed(got.all("set-cookie"))


def test_chunks_that_a_renewed_session_no_longer_needs_are_removed() -> None:
    """CK-16."""
    site = make_site(App())
    cookie = site.cookie()
    site.clock.now += DUE

    got = site.ask(headers={**NAVIGATION, "cookie": f"{cookie}; {SESSION_COOKIE}.1=left"})

    given, removed = got.all("set-cookie")
    assert renewed([given])
    assert removed.startswith(f"{SESSION_COOKIE}.1=; Expires=")


def _lower(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers]


def _end_elsewhere(site: Site) -> None:
    """Write what another process writes when it ends the one session that is remembered here."""
    (admitted,) = site.app._site.admissions._remembered.values()
    site.app._outside.run(end_session(admitted.session, 3600.0))
