"""A site that is loaded, and used, before its workers are forked, as ``gunicorn --preload`` does.

The arguments are the provider's issuer and the store's file.
"""

from __future__ import annotations

import sys
from multiprocessing import get_context
from typing import TYPE_CHECKING

from tests.drive.leading import make_app
from tests.wsgi.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable


def sign_in(visitor: Visitor, callback: str) -> None:
    """Ask for ``callback``, and say who that has signed in."""
    visitor.go(callback)
    print(visitor.user())  # noqa: T201  for the test to read


def again_and_anew(visitor: Visitor, callback: str) -> None:
    """Repeat what another process has finished, then sign in as a new browser."""
    sign_in(visitor.copy(), callback)
    newcomer = Visitor(visitor.app)
    sign_in(newcomer, newcomer.begin())


def worker(work: Callable[[Visitor, str], None], visitor: Visitor, callback: str) -> None:
    """Do ``work`` in a process that is forked here and now."""
    process = get_context("fork").Process(target=work, args=(visitor, callback))
    process.start()
    process.join()
    assert process.exitcode == 0, process.exitcode


def main(issuer: str, store: str) -> None:
    """Sign in before the fork, finish in one worker what began before, and repeat it in another."""
    app = make_app(issuer, store)
    first = Visitor(app)
    sign_in(first, first.begin())
    visitor = Visitor(app)
    callback = visitor.begin()
    worker(sign_in, visitor, callback)
    worker(again_and_anew, visitor, callback)


main(*sys.argv[1:])
