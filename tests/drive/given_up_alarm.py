"""A process that a signal interrupts in mid-exchange and that then ends; another one goes on.

The arguments are the provider's issuer and the store's file.
"""

from __future__ import annotations

import signal
import sys
from multiprocessing import get_context
from threading import Event, Thread, main_thread
from typing import NoReturn

from tests.drive.leading import ask, make_app
from tests.wsgi.visitor import Visitor

seen = Event()


class Interrupted(BaseException):
    """What a worker's handler of a signal raises."""


def interrupt(*_: object) -> NoReturn:
    """Give up whatever the main thread is doing, once."""
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    seen.set()
    raise Interrupted


def alarm(issuer: str) -> None:
    """Send this process a signal once the token request is under way."""
    ask(issuer, "/held")
    # Sent to the process, it may reach another thread than the one that waits; sent just before
    # that one begins to wait, it does not wake it.
    while not seen.wait(0.05):
        signal.pthread_kill(main_thread().ident or 0, signal.SIGALRM)


def give_up(issuer: str, visitor: Visitor, callback: str) -> None:
    """Ask for ``callback``, be interrupted, and come to the end of the main thread."""
    signal.signal(signal.SIGALRM, interrupt)
    Thread(target=alarm, args=(issuer,)).start()
    try:
        visitor.go(callback)
    except Interrupted:
        print("given-up")  # noqa: T201  for the test to read
    # From here on the process lives for this thread and for the work alone.
    Thread(target=ask, args=(issuer, "/release"), daemon=True).start()


def main(issuer: str, store: str) -> None:
    """Give a callback up in one process, then ask for it again in another."""
    visitor = Visitor(make_app(issuer, store))
    callback = visitor.begin()
    process = get_context("fork").Process(target=give_up, args=(issuer, visitor.copy(), callback))
    process.start()
    process.join()
    assert process.exitcode == 0, process.exitcode
    visitor.go(callback)
    print(visitor.user())  # noqa: T201  for the test to read


main(*sys.argv[1:])
