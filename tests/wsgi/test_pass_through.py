"""An app behind the middleware answers as it would without it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.wsgi import AuthMiddleware

from .client import Got, call, make_environ
from .simulation import site_settings
from .site import App, Failure, an_error, make_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

PLAIN = [("Content-Type", "text/plain")]


class Body:
    """An iterable of the app's own, such as a ``wsgi.file_wrapper``."""

    def __init__(self) -> None:
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield a body in two chunks."""
        yield b"one "
        yield b"two"

    def close(self) -> None:
        """Count."""
        self.closed += 1


def test_the_iterable_of_the_app_is_handed_on_as_it_is() -> None:
    """PEP 3333: a server may look for its own file wrapper, and must find ``close``."""
    body = Body()

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        return body

    wrapped = AuthMiddleware(app, site_settings())

    assert wrapped(make_environ(), lambda *_: lambda _: None) is body
    assert body.closed == 0
    assert make_site(app).ask().body == b"one two"
    assert body.closed == 1


def test_an_app_may_be_a_generator() -> None:
    """It says ``start_response`` when its first chunk is asked for, long after it was called."""

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"one "
        yield b"two"

    got = make_site(app).ask()

    assert (got.status, got.body) == ("200 OK", b"one two")
    assert got.header("vary") == "Cookie"


def test_an_app_may_write() -> None:
    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", PLAIN)
        write(b"one ")
        write(b"two ")
        return [b"three"]

    assert make_site(app).ask().body == b"one two three"


def test_an_app_may_start_again_after_an_error() -> None:
    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [*PLAIN, ("X-Lost", "yes")])
        start_response("500 Internal Server Error", PLAIN, an_error())
        return [b"sorry"]

    got = make_site(app).ask()

    assert got == Got(
        "500 Internal Server Error",
        (("content-type", "text/plain"), ("vary", "Cookie")),
        b"sorry",
    )


def test_an_error_after_the_first_bytes_is_raised_by_the_server() -> None:
    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"half"
        start_response("500 Internal Server Error", PLAIN, an_error())

    with pytest.raises(Failure):
        make_site(app).ask()


def test_an_app_may_say_that_there_was_no_error() -> None:
    """Some say so always; servers differ in whether they take it."""

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN, None)
        return []

    def strict(status: str, headers: list[tuple[str, str]], /) -> Callable[[bytes], object]:
        seen.append(status)
        assert headers
        return seen.append

    seen: list[object] = []
    start_response: StartResponse = strict  # type: ignore[assignment]  # it takes no third argument

    AuthMiddleware(app, site_settings())(make_environ(), start_response)

    assert seen == ["200 OK"]


@pytest.mark.parametrize("when", ["called", "iterated"])
def test_an_error_of_the_app_is_the_server_s_to_handle(when: str) -> None:
    def called(_environ: WSGIEnvironment, _start: StartResponse) -> Iterable[bytes]:
        raise Failure

    def iterated(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b""
        raise Failure

    with pytest.raises(Failure):
        call(
            AuthMiddleware(called if when == "called" else iterated, site_settings()),
            make_environ(),
        )


def test_the_headers_of_the_app_go_out_in_its_order_and_its_list_stays_its_own() -> None:
    """CA-02: beside them stands what the answer depends on."""
    headers = [*PLAIN, ("X-One", "1"), ("Set-Cookie", "a=b"), ("Set-Cookie", "c=d")]

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return []

    got = make_site(app).ask()

    assert got.headers == (
        ("content-type", "text/plain"),
        ("x-one", "1"),
        ("set-cookie", "a=b"),
        ("set-cookie", "c=d"),
        ("vary", "Cookie"),
    )
    assert len(headers) == 4


@pytest.mark.parametrize("target", ["/", "/upload", "/authentic/login", "/auth", "/auth/other"])
@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
def test_the_body_of_a_request_to_the_app_is_the_app_s_to_read(target: str, method: str) -> None:
    app = App()
    body = io.BytesIO(b"x" * 200_000)

    make_site(app).ask(target, method, environ={"wsgi.input": body, "CONTENT_LENGTH": "200000"})

    assert body.tell() == 0
    assert app.seen[0]["wsgi.input"].read(200_000) == b"x" * 200_000


def test_a_page_that_a_logout_ends_at_is_the_app_s_own() -> None:
    """CF-L02, CF-L03: unless it comes with a state of ours."""
    app = App()
    site = make_site(app)

    for target in ("/", "/?state=forged", "/?state="):
        assert site.ask(target).body == app.body
    assert site.ask("/?state=forged", "POST", body=b"a=b").body == app.body
