"""Requests as they go over the wire: many at once, or left before their answer came."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.support.server import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

NAVIGATION = {
    "accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "cross-site",
}
"""What a browser sends when its user follows a link from another site."""

SESSION = "intastellar"
"""The name of the session cookie on a site that is plain http on loopback."""


@dataclass(frozen=True, slots=True)
class Got:
    """One answer. ``cookies`` holds what it sets, without what it removes."""

    status: int
    location: str
    cookies: tuple[tuple[str, str], ...]
    worker: str
    body: str
    sets_anything: bool

    @property
    def cookie_header(self) -> str:
        """Return the ``Cookie`` header of a browser that has what this answer sets, and no more."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies)

    @property
    def gives_session(self) -> bool:
        """Return whether a session cookie, or a first part of one, is set."""
        return any(name.startswith(SESSION) and _is_session(name) for name, _ in self.cookies)


def _is_session(name: str) -> bool:
    rest = name.removeprefix(SESSION)
    return rest == "" or rest.lstrip("._-").isdigit()


def fire(*urls: str, cookie: str, method: str = "GET", **headers: str) -> list[Got]:
    """Send a navigation to each of ``urls`` at once, each on its own connection.

    All connections stand before the first request leaves, and all requests have left before the
    first answer is read. ``cookie`` is the whole ``Cookie`` header, the same for all.
    """
    sent = NAVIGATION | {name.replace("_", "-"): value for name, value in headers.items()}
    connections = [HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE) for url in urls]
    try:
        for connection in connections:
            connection.connect()
        for connection, url in zip(connections, urls, strict=True):
            connection.request(method, _target(url), headers=sent | {"cookie": cookie})
        return [_read(connection.getresponse()) for connection in connections]
    finally:
        for connection in connections:
            connection.close()


@contextmanager
def under_way(url: str, *, cookie: str) -> Iterator[HTTPConnection]:
    """Send a navigation and do not wait for its answer; leaving the block hangs up."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        connection.request("GET", _target(url), headers=NAVIGATION | {"cookie": cookie})
        yield connection
    finally:
        connection.close()


def answer(connection: HTTPConnection) -> Got:
    """Return the answer to the request that is under way on ``connection``."""
    return _read(connection.getresponse())


def _target(url: str) -> str:
    where = urlsplit(url)
    return f"{where.path or '/'}?{where.query}" if where.query else where.path or "/"


def _read(response: HTTPResponse) -> Got:
    return Got(
        response.status,
        response.headers.get("location", ""),
        _set_cookies(response.headers.get_all("set-cookie", [])),
        response.headers.get("x-worker", ""),
        response.read().decode("utf-8", "replace"),
        "set-cookie" in response.headers,
    )


def _set_cookies(headers: list[str]) -> tuple[tuple[str, str], ...]:
    """A cookie that is removed is set to nothing."""
    pairs = (header.partition(";")[0].partition("=") for header in headers)
    return tuple((name, value) for name, _, value in pairs if value)
