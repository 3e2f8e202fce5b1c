"""Browsers: what they keep, and where each of their tabs is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .visit import Visit

Where: TypeAlias = Literal["nowhere", "loading", "at the provider", "on a page", "told", "lost"]
"""``told``: on a page of ours that says why there is no other. ``lost``: no answer came."""

LOGIN_COOKIE = "-login-"


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie; ``ends_at`` is in seconds since the epoch."""

    name: str
    value: str
    path: str
    ends_at: float


@dataclass(slots=True)
class Jar:
    """RFC 6265, as much of it as one host needs."""

    kept: dict[tuple[str, str], Cookie] = field(default_factory=dict)

    def keep(self, set_cookies: Iterable[str], now: float) -> None:
        """Keep, replace or remove what the ``Set-Cookie`` values say."""
        for text in set_cookies:
            pair, *attributes = text.split("; ")
            name, _, value = pair.partition("=")
            said = dict(attribute.partition("=")[::2] for attribute in attributes)
            ends_at = now + int(said["Max-Age"])
            self.kept[name, said["Path"]] = Cookie(name, value, said["Path"], ends_at)

    def sent(self, path: str, now: float) -> list[Cookie]:
        """Return what goes along with a request to ``path``."""
        return [
            cookie
            for cookie in self.kept.values()
            if now < cookie.ends_at and path.startswith(cookie.path)
        ]

    def drop(self, part: str) -> None:
        """Lose all cookies with ``part`` in their names."""
        for key in [key for key in self.kept if part in key[0]]:
            del self.kept[key]


@dataclass(slots=True)
class Tab:
    """One tab. ``wants`` is the page that its user wants to see, ``link`` the way on from ``told``.

    What it waits for is ``visit``; the answer to an earlier one leads nowhere any more.
    """

    name: str
    wants: str = ""
    where: Where = "nowhere"
    at: str = ""
    link: str = ""
    visit: Visit | None = None
    history: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Browser:
    """One browser with one user, whose tabs share a jar; ``copied`` is what a thief has of it."""

    name: str
    user: str
    tabs: list[Tab]
    jar: Jar = field(default_factory=Jar)
    copied: list[Cookie] = field(default_factory=list)
