"""Cookies: find, write, clear, and spread over several when one would be too large (RFC 6265).

``http.cookies`` is left aside on purpose: reading one cookie with it costs more than opening the
session does, and it unquotes what was never quoted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from intastellar_auth.errors import SessionTooLarge

# Browsers keep at least 4096 bytes for a cookie, its name and its attributes (section 6.1).
_LIMIT: Final = 4096
MAX_CHUNKS: Final = 3
COMMON_LIMIT: Final = 7000
"""Bytes of cookies that common servers take: 8 kB (gunicorn's 8190), less those of others."""
# A twin can only be planted where the name has no __Host- prefix; a few tries are enough.
_MAX_TWINS: Final = 4
# Five attempts are kept; what is beyond these was planted, and goes in several answers.
_MOST_ALIKE: Final = 20
_TAG: Final = 16


@dataclass(frozen=True, slots=True)
class CookieAttributes:
    """How a cookie is set. It is cleared with the same ones, or browsers keep it (LO-10)."""

    path: str = "/"
    domain: str | None = None
    secure: bool = True
    http_only: bool = True
    same_site: str | None = "lax"

    def suffix(self, max_age: int) -> str:
        """Return the attributes as they follow the value; ``max_age`` is in seconds."""
        parts = [f"Path={self.path}", f"Max-Age={max_age}"]
        if self.domain is not None:
            parts.append(f"Domain={self.domain}")
        if self.secure:
            parts.append("Secure")
        if self.http_only:
            parts.append("HttpOnly")
        if self.same_site is not None:
            parts.append(f"SameSite={self.same_site.capitalize()}")
        return "; ".join(parts)


def set_cookie(name: str, value: str, attributes: CookieAttributes, max_age: int) -> str:
    """Return a ``Set-Cookie`` value."""
    return f"{name}={value}; {attributes.suffix(max_age)}"


def clear_cookie(name: str, attributes: CookieAttributes) -> str:
    """Return the ``Set-Cookie`` value that removes ``name``.

    ``Expires`` stands beside ``Max-Age`` for the SDK's sake: old browsers on which it still runs
    know only the former.
    """
    return f"{name}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; {attributes.suffix(0)}"


def values(header: bytes, name: bytes) -> list[bytes]:
    """Return the values that ``header`` gives ``name``, in its order, at most a few.

    A match counts only at the start or right behind a separator: a cookie *value* may hold a space
    and ``name=`` (CVE-2023-23934). Linear in the header (CVE-2024-52804).
    """
    found: list[bytes] = []
    needle = name + b"="
    start = header.find(needle)
    while start != -1 and len(found) < _MAX_TWINS:
        if start == 0 or header.endswith((b"; ", b";"), 0, start):
            end = header.find(b";", start)
            found.append(header[start + len(needle) : end if end != -1 else len(header)].rstrip())
        start = header.find(needle, start + len(needle))
    return found


def named_alike(header: bytes, prefix: str) -> dict[str, bytes]:
    """Return the cookies in ``header`` that ``tagged`` may have named, at most a few.

    Nothing else of a name can be in them, so they may go into a response header (HL-01).
    """
    name = re.escape(prefix.encode())
    pattern = re.compile(rb"(?:^|; ?)(%s[0-9a-f]{%d})=([^;\s]*)" % (name, _TAG))
    found = islice(pattern.finditer(header), _MOST_ALIKE)
    return {match[1].decode("ascii"): match[2] for match in found}


def tagged(prefix: str, text: str) -> str:
    """Return a cookie name made of ``prefix`` and a tag of ``text``."""
    return prefix + hashlib.sha256(text.encode()).hexdigest()[:_TAG]


def chunk_name(name: str, index: int) -> str:
    """Return the name of chunk ``index``: the first has the cookie's own."""
    return name if index == 0 else f"{name}.{index}"


def spread(name: str, text: str, attributes: CookieAttributes, max_age: int) -> list[str]:
    """Return the ``Set-Cookie`` values that carry ``text``, over as many chunks as it needs.

    The first character says how many there are, so a reader never counts what a stranger can add
    (CVE-2024-24814). Raises ``SessionTooLarge`` beyond ``MAX_CHUNKS``.
    """
    overhead = len(set_cookie(chunk_name(name, MAX_CHUNKS), "", attributes, max_age)) + 1
    room = _LIMIT - overhead
    parts = [text[start : start + room] for start in range(0, len(text), room)]
    if len(parts) > MAX_CHUNKS:
        raise SessionTooLarge(
            f"{len(text)} bytes need {len(parts)} cookies of {room}, at most {MAX_CHUNKS} are used"
        )
    parts[0] = f"{len(parts)}{parts[0]}"
    return [
        set_cookie(chunk_name(name, index), part, attributes, max_age)
        for index, part in enumerate(parts)
    ]


def gather(header: bytes, name: bytes) -> list[bytes]:
    """Return every text that ``spread`` may have put under ``name``; the sealed one will open.

    Chunks of two sessions never join into one: the seal covers the whole.
    """
    texts: list[bytes] = []
    for first in values(header, name):
        count = first[:1]
        if count == b"1":
            texts.append(first[1:])
        elif count in (b"2", b"3"):
            rest = [values(header, b"%s.%d" % (name, index)) for index in range(1, int(count))]
            if all(len(chunk) == 1 for chunk in rest):
                texts.append(first[1:] + b"".join(chunk[0] for chunk in rest))
    return texts


def weight(written: Iterable[str]) -> int:
    """Return how many bytes of the ``Cookie`` header what was ``written`` will take."""
    return sum(len(one.partition(";")[0]) + len("; ") for one in written)


def clear_chunks(header: bytes, name: str, attributes: CookieAttributes, start: int) -> list[str]:
    """Return what removes the chunks from ``start`` on that the browser sent."""
    return [
        clear_cookie(chunk_name(name, index), attributes)
        for index in range(start, MAX_CHUNKS)
        if values(header, chunk_name(name, index).encode())
    ]


def clear_everywhere(name: str, host: str, attributes: CookieAttributes) -> list[str]:
    """Return what removes a cookie of the browser SDK, however the SDK set it.

    It takes the host less its first label as ``Domain`` where there are more than two labels, else
    the host itself; a page on a subdomain of ours may have set one for any parent of ours. A
    host-only deletion does not remove a cookie with a ``Domain``, nor the other way round.
    """
    domains: list[str | None] = [None, host]
    if not (host.replace(".", "").isdigit() or ":" in host):
        labels = host.split(".")
        domains += [".".join(labels[cut:]) for cut in range(1, len(labels) - 1)]
    return [clear_cookie(name, replace(attributes, domain=domain)) for domain in domains]
