"""The servers of the matrix, and what each of them cannot do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.support.commands import Kind

Without = Literal["overlap", "websocket"]
"""What a server does not have: two requests at the same time, or websockets."""


@dataclass(frozen=True, slots=True)
class Served:
    """One line of the matrix.

    ``cancels`` says what gives a request up from outside, where there is such a thing.
    """

    name: str
    how: str
    kind: Kind
    workers: int = 1
    store: Literal["auto", "redis"] = "auto"
    sessions: Literal["cookie", "server"] = "cookie"
    cancels: Literal["asyncio", "trio", "gevent"] | None = None
    without: Mapping[str, Without] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return what names it in a test's id."""
        return "-".join([self.kind, str(self.workers), self.store, self.sessions])


_WSGI: Mapping[str, Without] = {"WS": "websocket"}
_ONE_AT_A_TIME: Mapping[str, Without] = {"P13": "overlap", **_WSGI}

SERVERS = (
    Served("uvicorn", "1 worker", "uvicorn", cancels="asyncio"),
    Served("uvicorn", "4 workers", "uvicorn", 4, cancels="asyncio"),
    Served("hypercorn", "asyncio", "hypercorn-asyncio", cancels="asyncio"),
    Served("hypercorn", "trio", "hypercorn-trio", cancels="trio"),
    Served("granian", "ASGI, 2 workers", "granian-asgi", 2, cancels="asyncio"),
    Served("daphne", "1 process", "daphne", cancels="asyncio"),
    Served("gunicorn", "sync, 4 workers", "gunicorn-sync", 4, without=_WSGI),
    Served("gunicorn", "gthread, 4 workers of 4 threads", "gunicorn-gthread", 4, without=_WSGI),
    Served(
        "gunicorn",
        "gevent, 2 workers",
        "gunicorn-gevent",
        2,
        cancels="gevent",
        without=_WSGI,
    ),
    Served(
        "gunicorn",
        "gevent, 2 workers, `--preload`",
        "gunicorn-gevent-preload",
        2,
        cancels="gevent",
        without=_WSGI,
    ),
    Served("granian", "WSGI, 2 workers of 4 threads", "granian-wsgi", 2, without=_WSGI),
    Served("uWSGI", "2 processes of 4 threads", "uwsgi", 2, without=_WSGI),
    Served("waitress", "8 threads", "waitress", without=_WSGI),
    Served("wsgiref", "a thread for each request", "wsgiref-threads", without=_WSGI),
    Served("wsgiref", "one request at a time", "wsgiref", without=_ONE_AT_A_TIME),
    Served("uvicorn", "4 workers, Redis", "uvicorn", 4, "redis", cancels="asyncio"),
    Served(
        "uvicorn",
        "4 workers, Redis, `SESSION_MODE=server`",
        "uvicorn",
        4,
        "redis",
        "server",
        cancels="asyncio",
    ),
    Served(
        "uvicorn",
        "2 machines of 2 workers, Redis",
        "machines",
        2,
        "redis",
        cancels="asyncio",
    ),
    Served(
        "uvicorn",
        "2 machines of 2 workers, Redis, `SESSION_MODE=server`",
        "machines",
        2,
        "redis",
        "server",
        cancels="asyncio",
    ),
    Served(
        "gunicorn",
        "gthread, 4 workers, Redis, `SESSION_MODE=server`",
        "gunicorn-gthread",
        4,
        "redis",
        "server",
        without=_WSGI,
    ),
)
"""In the order of the page."""
