"""A WSGI server without a socket: an environ as PEP 3333 wants it, and what the app answers."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

NAVIGATION = {
    "accept": "text/html",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": "same-origin",
}
FETCH = {
    "accept": "*/*",
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
    "sec-fetch-site": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Got:
    """One answer. Header names are lower case, in the order they came in."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def code(self) -> int:
        """The status code."""
        return int(self.status.partition(" ")[0])

    def all(self, name: str) -> list[str]:
        """Return the values of every header ``name``."""
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str:
        """Return the value of the only header ``name``."""
        (value,) = self.all(name)
        return value


def make_environ(
    target: str = "/",
    method: str = "GET",
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = NAVIGATION,
    body: bytes = b"",
    *,
    mount: str = "",
) -> WSGIEnvironment:
    """Return what a server makes of a request, with the request's target as ``RAW_URI``.

    A header that comes twice is joined, as servers do. ``mount`` is where the app is mounted,
    decoded; the target includes it.
    """
    raw_path, _, query = target.partition("?")
    script = mount.encode()
    path = unquote_to_bytes(raw_path.encode("latin-1")).removeprefix(script)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": script.decode("latin-1"),
        "PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": target,
        "SERVER_NAME": "site.example",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in headers.items() if hasattr(headers, "items") else headers:
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


@dataclass(slots=True)
class _Exchange:
    """One response under way: what ``start_response`` and ``write`` did so far."""

    status: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        if exc_info is not None and exc_info[1] is not None and self.body:
            raise exc_info[1]
        assert exc_info is not None or not self.status, "start_response twice, without an error"
        self.status, self.headers = status, list(headers)
        return self.body.extend


def call(app: WSGIApplication, environ: WSGIEnvironment) -> Got:
    """Return what ``app`` answers; the iterable is used up and closed, as a server does."""
    exchange = _Exchange()
    chunks = app(environ, exchange.start)
    try:
        for chunk in chunks:
            assert exchange.status, "a chunk before start_response"
            exchange.body += chunk
    finally:
        close: Callable[[], object] | None = getattr(chunks, "close", None)
        if close is not None:
            close()
    assert exchange.status, "no start_response"
    headers = tuple((name.lower(), value) for name, value in exchange.headers)
    return Got(exchange.status, headers, bytes(exchange.body))
