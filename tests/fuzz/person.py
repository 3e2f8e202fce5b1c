"""Somebody at a browser: cookies that end when they say so, and copies of them that do not."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from intastellar_auth.core.messages import Request
from tests.flows.stage import NAVIGATION, SESSION_COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.flows.hand import Clock

LOGIN_PREFIX = f"{SESSION_COOKIE}-login-"
_MAX_AGE = re.compile(r"; Max-Age=(\d+)")


@dataclass(slots=True, eq=False)
class Person:
    """One ``user`` at one browser, who is signed in at the provider under ``sid``.

    ``cookies`` are values and when they end. ``copy`` is what somebody has kept of them, who heeds
    no ``Max-Age``; ``restored`` is whether that came back.
    """

    user: str
    clock: Clock
    sid: str
    cookies: dict[str, tuple[str, float]] = field(default_factory=dict)
    copy: dict[str, str] = field(default_factory=dict)
    restored: bool = False

    def held(self) -> dict[str, str]:
        """Return the cookies that have not ended."""
        now = self.clock.now
        return {name: value for name, (value, ends) in self.cookies.items() if now < ends}

    def header(self) -> str:
        """Return the ``Cookie`` header."""
        return "; ".join(f"{name}={value}" for name, value in self.held().items())

    def request(self, target: str, headers: Mapping[str, str] | None = None) -> Request:
        """Return a navigation to ``target``, with ``headers`` instead or besides."""
        path, _, query = target.partition("?")
        sent = {"cookie": self.header(), **NAVIGATION, **(headers or {})}
        return Request("GET", path, query, tuple(sent.items()))

    def keep(self, set_cookies: Iterable[str]) -> None:
        """Keep what ``Set-Cookie`` values set."""
        for one in set_cookies:
            name, _, rest = one.partition("=")
            found = _MAX_AGE.search(rest)
            assert found is not None, "a cookie of ours says how long it lasts"
            self.cookies[name] = (rest.partition(";")[0], self.clock.now + int(found[1]))

    def lose(self, prefix: str) -> None:
        """Lose all cookies whose names begin with ``prefix``."""
        self.cookies = {
            name: value for name, value in self.cookies.items() if not name.startswith(prefix)
        }

    def lose_session(self) -> None:
        """Lose the session cookie alone."""
        self.cookies.pop(SESSION_COOKIE, None)

    def bring_back(self) -> None:
        """Put the copy of the cookies in their place."""
        self.cookies = {name: (value, math.inf) for name, value in self.copy.items()}
        self.restored = True

    @property
    def login_cookies(self) -> int:
        """How many attempts this browser keeps."""
        return sum(name.startswith(LOGIN_PREFIX) for name in self.held())
