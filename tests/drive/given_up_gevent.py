"""A site under gevent, of which a ``gevent.Timeout`` gives a callback up in mid-exchange.

The arguments are the provider's issuer and the store's file.
"""

from __future__ import annotations

# First of all: what gevent puts in the place of threads and sockets must be there for the rest.
from gevent import monkey  # type: ignore[import-untyped]  # isort: skip  # gevent has no types

monkey.patch_all()

import sys  # noqa: E402

import gevent  # noqa: E402

from tests.drive.leading import ask, make_app  # noqa: E402
from tests.wsgi.visitor import Visitor  # noqa: E402


def main(issuer: str, store: str) -> None:
    """Give a callback up, then ask for it again."""
    visitor = Visitor(make_app(issuer, store))
    callback = visitor.begin()
    request = gevent.spawn(visitor.copy().go, callback)
    ask(issuer, "/held")
    # Thrown in just as its timer would do it, though not by the clock.
    timeout = gevent.Timeout()
    request.kill(timeout)
    assert request.exception is timeout, request.exception
    print("given-up")  # noqa: T201  for the test to read
    ask(issuer, "/release")
    visitor.go(callback)
    print(visitor.user())  # noqa: T201  for the test to read


main(*sys.argv[1:])
