"""From a path of ours to its flow: which methods, what uses nothing up, and the last resort."""

from __future__ import annotations

import json

import pytest

from intastellar_auth.core.dispatch import Route, answer, make_routes
from intastellar_auth.core.effects import Flow
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.site import Site
from intastellar_auth.errors import StoreUnavailable

from .stage import Stage, header, location, make_stage, set_cookies, text

PREFETCHES: list[dict[str, str | None]] = [
    {"sec-purpose": "prefetch"},
    {"sec-purpose": "prefetch;prerender"},
    {"purpose": "prefetch"},
    {"x-moz": "prefetch"},
]
CHANGING = ["/auth/login", "/auth/callback", "/auth/logout"]
SCRIPT: dict[str, str | None] = {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def test_our_paths_are_under_the_prefix() -> None:
    """PX-06."""
    assert set(make_routes("/sign-in/here")) == {
        "/sign-in/here/login",
        "/sign-in/here/callback",
        "/sign-in/here/logout",
        "/sign-in/here/backchannel-logout",
        "/sign-in/here/frontchannel-logout",
        "/sign-in/here/user",
    }


@pytest.mark.parametrize("path", ["/auth/callback", "/auth/login", "/auth/logout"])
def test_a_head_uses_nothing_up(stage: Stage, path: str) -> None:
    """P12, CB-22."""
    stage.sign_in()
    callback = stage.begin(code="code-2")
    target = callback if path == "/auth/callback" else path
    stage.hand.done.clear()
    kept = dict(stage.browser.cookies)
    reply = stage.ask(stage.browser.request(target, "HEAD"))
    assert (reply.status, reply.body, set_cookies(reply)) == (204, b"", {})
    assert stage.hand.done == []
    assert stage.browser.cookies == kept
    assert location(stage.go(callback)) == "/page"


@pytest.mark.parametrize("hint", PREFETCHES, ids=lambda hint: "-".join(map(str, hint.items())))
@pytest.mark.parametrize("path", CHANGING)
def test_a_prefetch_uses_nothing_up(stage: Stage, path: str, hint: dict[str, str | None]) -> None:
    """P12, CB-22: and its answer is not shown in place of the real one."""
    callback = stage.begin()
    stage.hand.done.clear()
    reply = stage.go(callback if path == "/auth/callback" else path, hint)
    assert reply.status == 403
    assert header(reply, "cache-control") == "no-store"
    assert set_cookies(reply) == {}
    assert stage.hand.done == []
    assert location(stage.go(callback)) == "/page"


@pytest.mark.parametrize("hint", PREFETCHES[:1])
def test_a_prefetch_may_look_at_who_is_signed_in(stage: Stage, hint: dict[str, str | None]) -> None:
    stage.sign_in()
    assert stage.go("/auth/user", hint).status == 200


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/auth/login", "POST", "GET"),
        ("/auth/login", "OPTIONS", "GET"),
        ("/auth/callback", "PUT", "GET, POST"),
        ("/auth/logout", "DELETE", "GET, POST"),
        ("/auth/backchannel-logout", "GET", "POST"),
        ("/auth/frontchannel-logout", "POST", "GET"),
        ("/auth/user", "POST", "GET"),
        ("/auth/user", "get", "GET"),
        ("/auth/logout", "BREW", "GET, POST"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_refused(
    stage: Stage, path: str, method: str, allowed: str
) -> None:
    """PX-04."""
    stage.sign_in()
    stage.hand.done.clear()
    reply = stage.ask(stage.browser.request(path, method))
    assert reply.status == 405
    assert header(reply, "allow") == allowed
    assert stage.browser.signed_in
    assert stage.hand.done == []


@pytest.mark.parametrize("path", [*CHANGING, "/auth/user", "/auth/login?next=//evil.example"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PATCH"])
def test_every_answer_is_guarded(stage: Stage, path: str, method: str) -> None:
    """RQ-11, CB-20, CS-09."""
    reply = stage.ask(stage.browser.request(path, method))
    assert header(reply, "cache-control") == "no-store"
    assert header(reply, "referrer-policy") == "no-referrer"
    assert header(reply, "x-content-type-options") == "nosniff"
    assert header(reply, "vary") == "Cookie"
    assert "default-src 'none'" in header(reply, "content-security-policy")
    assert "frame-ancestors 'none'" in header(reply, "content-security-policy")


def failing(error: Exception) -> Route:
    """Return a route whose flow raises ``error``."""

    def flow(_site: Site, _request: Request) -> Flow[Reply]:
        yield from ()
        raise error

    return Route(flow, ("GET",))


@pytest.mark.parametrize(
    ("headers", "media_type"), [({}, "text/html; charset=utf-8"), (SCRIPT, "application/json")]
)
def test_an_error_is_html_for_a_visitor_and_json_for_a_script(
    stage: Stage,
    headers: dict[str, str | None],
    media_type: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    request = stage.browser.request("/auth/login", headers=headers)
    route = failing(StoreUnavailable("redis-7.internal: connection refused"))
    reply = stage.hand.play(answer(stage.site, route, request))
    assert reply.status == 503
    assert header(reply, "content-type") == media_type
    assert header(reply, "retry-after") == "5"
    assert "redis-7" not in text(reply)
    if headers:
        told = json.loads(reply.body)
        assert told["error"] == "store_unavailable"
        assert told["reference"] in caplog.text
    assert "redis-7" in caplog.text


def test_an_error_that_nobody_foresaw_is_a_page_and_a_traceback_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """CS-11: fail closed."""
    request = stage.browser.request("/auth/login?next=/page&code=a-secret-code")
    route = failing(ZeroDivisionError("what went wrong"))
    reply = stage.hand.play(answer(stage.site, route, request))
    assert reply.status == 500
    assert "ZeroDivisionError" not in text(reply)
    assert set_cookies(reply) == {}
    assert 'event=unforeseen path="/auth/login"' in caplog.text
    assert "what went wrong" in caplog.text
    assert "a-secret-code" not in caplog.text


def test_an_error_in_work_that_is_unbroken_is_a_page_too(stage: Stage) -> None:
    """CS-11: the exchange is the most that can go wrong, and nobody is signed in by half of it."""
    callback = stage.begin()
    stage.hand.say("https://accounts.example/token", ZeroDivisionError("what went wrong"))
    reply = stage.go(callback)
    assert reply.status == 500
    assert not stage.browser.signed_in
