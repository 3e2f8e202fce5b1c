"""Forms that are posted to a path of ours: read up to a limit, and no further than is safe."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core.front import MAX_BODY

from .client import FETCH, NAVIGATION, call, make_environ
from .site import App, make_site

FORM = {**NAVIGATION, "content-type": "application/x-www-form-urlencoded"}


class Endless(io.RawIOBase):
    """A stream that never ends, as that of a connection whose client waits for the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return ``size`` bytes; whoever asks for all of them would wait for ever."""
        assert size >= 0, "a read to the end of a stream that has none"
        self.taken += size
        return b"x" * size


def test_a_form_is_read_as_far_as_its_length_says() -> None:
    body = io.BytesIO(b"next=%2Fbye&more=1GET / HTTP/1.1")
    got = make_site(App()).ask(
        "/auth/logout", "POST", FORM, environ={"wsgi.input": body, "CONTENT_LENGTH": "18"}
    )

    assert got.header("location") == "/bye"
    assert body.read() == b"GET / HTTP/1.1"


class Drops(io.BytesIO):
    """The stream of a connection that brings a few bytes at a time, and then breaks."""

    def __init__(self, body: bytes, *, breaks: bool = True) -> None:
        super().__init__(body)
        self._breaks = breaks

    def read(self, size: int | None = -1, /) -> bytes:
        """Return five bytes at most; a broken connection is an ``OSError`` with many servers."""
        assert size is not None
        assert size > 0
        part = super().read(min(size, 5))
        if self._breaks and not part:
            raise BrokenPipeError
        return part


@pytest.mark.parametrize("breaks", [True, False], ids=["an error", "an end"])
@pytest.mark.parametrize("length", ["17", "60000"])
@pytest.mark.parametrize("path", ["/auth/callback", "/auth/logout", "/auth/backchannel-logout"])
def test_a_form_whose_sender_hangs_up_in_the_middle_is_refused(
    path: str, length: str, *, breaks: bool
) -> None:
    """P10: half a code is sent to nobody, and uses no sign-in up."""
    stream = Drops(b"next=%2Fbye&code", breaks=breaks)
    environ = make_environ(path, "POST", {**FETCH, "content-type": FORM["content-type"]})

    got = call(make_site(App()).app, environ | {"wsgi.input": stream, "CONTENT_LENGTH": length})

    assert (got.code, json.loads(got.body)["error"]) == (400, "invalid_request")
    assert got.all("location") == got.all("set-cookie") == []


def test_a_form_in_chunks_whose_sender_hangs_up_is_refused() -> None:
    environ = make_environ("/auth/logout", "POST", FORM)
    broken = {"wsgi.input": Drops(b"next=%2Fbye"), "wsgi.input_terminated": True}

    assert call(make_site(App()).app, environ | broken).code == 400


def test_a_form_that_comes_in_drops_is_read_whole() -> None:
    stream = Drops(b"next=%2Fbye")
    environ = make_environ("/auth/logout", "POST", FORM) | {"wsgi.input": stream}

    got = call(make_site(App()).app, environ | {"CONTENT_LENGTH": "11"})

    assert got.header("location") == "/bye"


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "70000", "99999999999999999999", "9" * 5000])
def test_a_form_that_is_too_large_is_refused_and_not_read(length: str) -> None:
    """The whole of it is never in memory; a number of thousands of digits is one, too."""
    stream = Endless()

    environ = make_environ("/auth/callback", "POST", FETCH)

    # Without the validator, which cannot read such a number itself.
    got = call(make_site(App()).app, environ | {"wsgi.input": stream, "CONTENT_LENGTH": length})

    assert got.code == 413
    assert json.loads(got.body)["error"] == "content_too_large"
    assert stream.taken <= MAX_BODY + 1


def test_a_form_of_the_largest_size_is_taken() -> None:
    body = b"next=%2Fbye&pad=".ljust(MAX_BODY, b"x")

    assert make_site(App()).ask("/auth/logout", "POST", FORM, body).code == 303


@pytest.mark.parametrize(
    "length", [None, "", "-1", "+5", "1_0", "0x10", " 5", "five", "\u0665", "²"]
)
def test_without_a_length_nothing_is_read(length: str | None) -> None:
    """PEP 3333: the stream may have no end."""
    stream = Endless()
    site = make_site(App())
    environ = make_environ("/auth/logout", "POST", FORM) | {"wsgi.input": stream}
    if length is not None:
        environ["CONTENT_LENGTH"] = length

    got = call(site.app, environ)

    assert got.header("location") == "/"
    assert stream.taken == 0


@pytest.mark.parametrize("length", [None, "", "chunked"])
def test_a_form_in_chunks_is_read_where_the_server_ends_the_stream(length: str | None) -> None:
    """What gunicorn, waitress and gevent say of ``Transfer-Encoding: chunked``."""
    site = make_site(App())
    environ = make_environ("/auth/logout", "POST", FORM, b"next=%2Fbye")
    environ["wsgi.input_terminated"] = True
    del environ["CONTENT_LENGTH"]
    if length is not None:
        environ["CONTENT_LENGTH"] = length

    assert call(site.app, environ).header("location") == "/bye"


def test_a_form_in_chunks_that_is_too_large_is_refused() -> None:
    stream = Endless()

    got = make_site(App()).ask(
        "/auth/logout", "POST", FORM, environ={"wsgi.input": stream, "wsgi.input_terminated": True}
    )

    assert got.code == 413
    assert stream.taken == MAX_BODY + 1


def test_no_body_is_read_of_a_method_that_has_none_here() -> None:
    """A body of a GET means nothing (RFC 9110 section 9.3.1)."""
    stream = Endless()

    make_site(App()).ask(
        "/auth/logout", "GET", NAVIGATION, environ={"wsgi.input": stream, "CONTENT_LENGTH": "10"}
    )

    assert stream.taken == 0


@given(st.text(max_size=30))
def test_whatever_a_length_says_no_more_than_the_limit_is_read(length: str) -> None:
    stream = Endless()
    site = make_site(App())
    environ = make_environ("/auth/logout", "POST", FORM)

    got = call(site.app, environ | {"wsgi.input": stream, "CONTENT_LENGTH": length})

    assert got.code in (303, 413)
    assert stream.taken <= MAX_BODY + 1
