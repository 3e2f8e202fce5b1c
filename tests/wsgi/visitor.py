"""A visitor's browser in front of a WSGI app: it keeps cookies, and signs in when asked to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.parity.provider import approve

from .client import FETCH, NAVIGATION, Got, call, make_environ

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


@dataclass(slots=True)
class Visitor:
    """One browser. ``cookies`` by name; what else is said of a cookie is not looked at."""

    app: WSGIApplication
    cookies: dict[str, str] = field(default_factory=dict)

    def go(self, target: str) -> Got:
        """Navigate to ``target``, and keep what cookies that brings."""
        return self._ask(target, NAVIGATION)

    def begin(self, next_path: str = "/private/page") -> str:
        """Start a sign-in, sign in at the provider, and return the callback's target, not asked."""
        started = self.go(f"/auth/login?next={next_path}")
        assert started.code == 303, started
        return approve(started.header("location"))

    def user(self) -> str | None:
        """Return the ``sub`` that ``/auth/user`` tells, ``None`` for nobody."""
        got = self._ask("/auth/user", FETCH)
        assert got.code in (200, 401), got
        sub: str | None = json.loads(got.body).get("sub")
        return sub

    def copy(self) -> Visitor:
        """Return the same browser in another state of its own: what one answer brings stays."""
        return Visitor(self.app, dict(self.cookies))

    def _ask(self, target: str, headers: dict[str, str]) -> Got:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**headers, "cookie": cookie} if cookie else headers
        got = call(self.app, make_environ(target, headers=sent))
        for header in got.all("set-cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            self.cookies[name] = value
        return got
