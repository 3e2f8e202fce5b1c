"""A stage on which all rows are played, one after the other, by browsers of their own.

What needs time to pass is begun before the first row, so that nobody waits for it twice.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.stores.redis_server import redis_server
from tests.support.browser import Browser
from tests.support.provider import strict
from tests.support.scenarios import killed_over_the_exchange
from tests.support.server import free_port, let_pass
from tests.support.site import Client, site
from tests.support.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.served import Served

REPLAY_WINDOW = 6
LOGIN_TIMEOUT = 13
SESSION_IDLE = 60
ROLL_DUE = SESSION_IDLE / 10

_SETTINGS = {
    "KEEP_TOKENS": "true",
    "SCOPE": "openid profile email offline_access",
    "HTTP_TIMEOUT": "2",
    "REPLAY_WINDOW": str(REPLAY_WINDOW),
    "LOGIN_TIMEOUT": str(LOGIN_TIMEOUT),
    "SESSION_IDLE": str(SESSION_IDLE),
    "REVOCATION_CHECK": "1",
}


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun a while ago."""

    browser: Browser
    target: str
    callback: str
    cookie: str
    at: float = field(default_factory=time.monotonic)

    def let_pass(self, seconds: float) -> None:
        """Return once ``seconds`` have passed since it was begun, and a little more."""
        let_pass(max(0.0, self.at + seconds + 0.2 - time.monotonic()))


@dataclass(frozen=True, slots=True)
class Scene:
    """A running site, and what was begun on its predecessor, which was killed over ``killed``."""

    served: Served
    stage: Stage
    killed: Begun
    left_open: Begun
    finished: Begun
    signed_in: Begun


@contextmanager
def scene(folder: Path, served: Served) -> Iterator[Scene]:
    """Run ``served``, kill it while it exchanges a code, and run it again until the block is left.

    The second one finds the store, and the address, as the first one left them.
    """
    port, client = free_port(), Client()
    limit = {"SITE_TIMEOUT_BY": served.cancels} if served.cancels else {}
    settings = {**_SETTINGS, **limit, "SESSION_MODE": served.sessions, "STORE_URL": "auto"}

    with ExitStack() as stack:
        if served.store == "redis":
            settings["STORE_URL"] = stack.enter_context(redis_server(folder)).url
        provider = stack.enter_context(strict(folder, f"http://127.0.0.1:{port}", client))

        def run() -> Stage:
            running = site(
                folder / "site",
                port=port,
                issuer=provider.issuer,
                client=client,
                kind=served.kind,
                workers=served.workers,
                **settings,
            )
            return Stage(stack.enter_context(running), provider)

        def begin(here: Stage, target: str) -> Begun:
            browser = stack.enter_context(Browser())
            callback = browser.sign_in_until_callback(here.url + target)
            return Begun(browser, target, callback, browser.cookie_header(callback))

        first = run()
        left_open = begin(first, "/members/patient")
        finished, signed_in = begin(first, "/members/late"), begin(first, "/members/rolled")
        finished.browser.go(finished.callback)
        signed_in.browser.go(signed_in.callback)
        browser = stack.enter_context(Browser())
        target = "/members/killed"
        callback = killed_over_the_exchange(first, browser, target, first.site.server.kill)
        killed = Begun(browser, target, callback, browser.cookie_header(callback))
        for cookie in browser.cookies():
            # On a slow machine this browser comes back when LOGIN_TIMEOUT has passed.
            cookie.expires = None
        yield Scene(served, run(), killed, left_open, finished, signed_in)
