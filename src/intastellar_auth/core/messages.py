"""What comes from a browser and what goes back, as frozen values.

Both shells translate to and from these. Nothing here knows ASGI, WSGI or a socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a path of ours.

    ``path`` is percent-decoded and relative to where the app is mounted; ``query`` is raw, without
    the question mark; header names are lower case. ``body`` is filled for ``POST`` only, and only
    up to a limit that the shell enforces. A ``repr`` ends up in tracebacks, and has no code in it.
    """

    method: str
    path: str
    query: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str | None:
        """Return the value of the header ``name`` (lower case), ``None`` where there is none.

        A header that came twice is returned as a proxy would join it (RFC 9110 section 5.3), so
        that a check against a known value fails rather than picks one.
        """
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    @property
    def cookie_header(self) -> str:
        """All ``Cookie`` headers as one; HTTP/2 may split them (RFC 9113 section 8.2.3)."""
        return "; ".join(value for key, value in self.headers if key == "cookie")


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of ours: ``headers`` in the order they go out, each ``Set-Cookie`` on its own."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
