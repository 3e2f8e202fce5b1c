"""How each server is started: the command lines of the servers that people run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

Kind = Literal[
    "uvicorn",
    "machines",
    "hypercorn-asyncio",
    "hypercorn-trio",
    "granian-asgi",
    "daphne",
    "gunicorn-sync",
    "gunicorn-gthread",
    "gunicorn-gevent",
    "gunicorn-gevent-preload",
    "granian-wsgi",
    "uwsgi",
    "waitress",
    "wsgiref",
    "wsgiref-threads",
]
"""A server, and the way it works where it has several."""

UNMEASURED = ["env", "-u", "COVERAGE_PROCESS_CONFIG"]
"""Before a command: coverage is not to follow it.

To follow greenlets costs all other tests half as much time again. What runs under them runs under
threads too.
"""

_ASGI = "tests.support.site_app:app"
_WSGI = "tests.support.wsgi_site_app:app"


def command(kind: Kind, port: int, workers: int) -> list[str]:
    """Return the command that serves the site on ``port`` of 127.0.0.1.

    ``workers`` is how many processes there are; daphne, waitress and wsgiref know only one.
    """
    if kind == "uwsgi":
        # At the end of its workers' interpreter coverage's tracer meets greenlet's ruins.
        return [*UNMEASURED, str(Path(sys.executable).with_name("uwsgi")), *_uwsgi(port, workers)]
    served = [sys.executable, "-m", *_module(kind, port, workers)]
    return [*UNMEASURED, *served] if "gevent" in kind else served


def _module(kind: Kind, port: int, workers: int) -> list[str]:
    server, _, way = kind.partition("-")
    bind, count = f"127.0.0.1:{port}", ["--workers", str(workers)]
    match server:
        case "machines":
            return ["tests.support.machines", str(port), str(workers)]
        case "uvicorn":
            return ["uvicorn", _ASGI, "--port", str(port), *count]
        case "hypercorn":
            return ["hypercorn", _ASGI, "--bind", bind, "--worker-class", way, *count]
        case "granian":
            threads = ["--blocking-threads", "4"] if way == "wsgi" else []
            app = _WSGI if way == "wsgi" else _ASGI
            return ["granian", "--interface", way, "--port", str(port), *count, *threads, app]
        case "daphne":
            return ["daphne", "--bind", "127.0.0.1", "--port", str(port), _ASGI]
        case "gunicorn":
            return ["gunicorn", "--bind", bind, *count, *_gunicorn(way), _WSGI]
        case "waitress":
            return ["waitress", f"--listen={bind}", "--threads=8", _WSGI]
        case _:
            return ["tests.support.wsgiref_server", str(port), *([way] if way else [])]


def _gunicorn(way: str) -> list[str]:
    worker_class, _, preload = way.partition("-")
    threads = ["--threads", "4"] if worker_class == "gthread" else []
    return ["--worker-class", worker_class, *threads, *(["--preload"] if preload else [])]


def _uwsgi(port: int, workers: int) -> list[str]:
    # It closes the connection behind each answer, and would not tell the client so.
    processes = ["--master", "--processes", str(workers), "--threads", "4"]
    serve = ["--http-socket", f"127.0.0.1:{port}", "--add-header", "Connection: close"]
    return [*serve, "--module", _WSGI, *processes, "--die-on-term"]
