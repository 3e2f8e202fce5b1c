"""Which paths of the app need a signed-in user.

Knows globs and the many spellings of one path. Does not know requests, users or replies.

A server, a proxy and an app may each read ``/public/..%2fadmin`` differently. So a path is
protected if *any* reading of it is, and public only if *every* reading of it is (PX-03).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from itertools import product
from urllib.parse import unquote

MAX_PATH = 8192
"""Characters. A longer path that is not plain is not read but refused, so that work is bounded."""

_DECODINGS = 3
# Reads the same everywhere: no escapes, no empty, dotted, dot-ended or parametrised segment.
# Possessive, so that a long path that fails at its end costs one pass.
_PLAIN = re.compile(r"(?:/[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)*+)*+/?")
_ABSOLUTE_FORM = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:/*+[^/]*+")
_CUT = re.compile(r"[?#;\x00]")
_SLASHES = re.compile(r"/{2,}")


@dataclass(frozen=True, slots=True)
class PathRules:
    """The two lists of globs, compiled; ``protected`` is ``None`` where nothing is.

    In a glob ``*`` stands for anything, slashes included, and ``?`` for one character; all else is
    literal. ``/admin/*`` means ``/admin`` too.
    """

    protected: re.Pattern[str] | None
    public: re.Pattern[str] | None

    @classmethod
    def of(cls, protected_globs: Iterable[str], public_globs: Iterable[str]) -> PathRules:
        """Compile the globs, once, at start-up."""
        lenient = [spelling for glob in protected_globs for spelling in (glob, f"{glob}/")]
        return cls(_compiled(lenient, re.IGNORECASE), _compiled(public_globs, re.NOFLAG))

    def needs_user(self, path: str) -> bool:
        """Return whether ``path`` (no query, no fragment) is for signed-in users only.

        Case counts for a public glob and not for a protected one: where the app ignores case,
        ``/ADMIN`` is ``/admin``.
        """
        if self.protected is None:
            return False
        if _PLAIN.fullmatch(path) and path:
            if not self.protected.match(path):
                return False
            return self.public is None or not self.public.match(path)
        return self._any_reading_needs_user(self.protected, path)

    def _any_reading_needs_user(self, protected: re.Pattern[str], path: str) -> bool:
        readings = spellings(path)
        if readings is None:
            return True
        if not any(map(protected.match, readings)):
            return False
        return self.public is None or not all(map(self.public.match, readings))


def _compiled(globs: Iterable[str], flags: re.RegexFlag) -> re.Pattern[str] | None:
    every = [glob for given in globs for glob in (given, given.removesuffix("/*")) if glob]
    if not every:
        return None
    # The standard library's translation commits to the leftmost match of each piece between two
    # stars, so no path makes it backtrack. "[" has a meaning there and none here.
    return re.compile("|".join(translate(glob.replace("[", "[[]")) for glob in every), flags)


def spellings(path: str) -> frozenset[str] | None:
    """Return every path that some server or app could take ``path`` for, itself included.

    ``None`` where it is longer than ``MAX_PATH`` or percent-encoded more than three times over:
    nothing honest is, and it must be refused.
    """
    if len(path) > MAX_PATH:
        return None
    if _PLAIN.fullmatch(path) and path:
        return frozenset({path})
    found: set[str] = set()
    for _ in range(_DECODINGS + 1):
        found.add(path)
        found.update(_readings(path))
        decoded = unquote(path)
        if decoded == path:
            return frozenset(found)
        path = decoded
    return None


def _readings(path: str) -> Iterator[str]:
    """Yield what ``path`` becomes by each combination of the habits servers have."""
    if not path.startswith("/"):
        # RFC 9112 section 3.2.2: the absolute form; some servers pass it on as the path.
        yield from _readings("/" + _ABSOLUTE_FORM.sub("", path, count=1).lstrip("/"))
    slashed = "/" + path.replace("\\", "/").removeprefix("/")
    for cut, trim, collapse in product((False, True), repeat=3):
        reading = _CUT.split(slashed, maxsplit=1)[0] if cut else slashed
        reading = "/".join(map(_trimmed, reading.split("/"))) if trim else reading
        reading = _SLASHES.sub("/", reading) if collapse else reading
        resolved = _resolved(reading)
        yield resolved
        yield _SLASHES.sub("/", resolved)


def _trimmed(segment: str) -> str:
    """Return the segment without ``;matrix`` parameters and without the ends that Windows drops."""
    bare = segment.partition(";")[0].rstrip(" \x00")
    return bare if bare in (".", "..") else bare.rstrip(". \x00")


def _resolved(path: str) -> str:
    """Remove dot segments (RFC 3986 section 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
