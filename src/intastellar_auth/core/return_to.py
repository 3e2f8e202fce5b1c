"""Which return addresses are allowed: paths on this site, and nothing that could become more.

Knows text only. It is asked both when an address is received and again when it is used (RD-13).
The rule says what is let through, so a trick nobody has thought of yet falls to the default.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from intastellar_auth.core.paths import spellings

MAX_RETURN_PATH = 2048
"""Characters; it travels in a cookie and, where short, in ``state``."""

# One slash, then visible ASCII without the backslash, which browsers read as a slash (WHATWG URL).
# Browsers drop tabs and line breaks before they parse, so "/<tab>/evil.example" is another site.
_SITE_PATH = re.compile(r"/(?!/)[\x21-\x5b\x5d-\x7e]*")
_PATH_END = re.compile(r"[?#]")
# Letters, marks and numbers: none of them is a slash, a dot or a colon to anybody.
_WRITTEN = "LMN"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def return_path(candidate: str | None, *, default: str, own_prefix: str) -> str:
    """Return ``candidate`` if it is a path on this site where a sign-in may end, else ``default``.

    Query and fragment are kept as they came, but for letters that a link has not percent-encoded
    (RFC 3987 section 3.1). ``own_prefix`` is where our own paths are, as the browser sees them,
    such as ``/auth``: a return there would loop or sign out (RD-09).
    """
    if candidate is None or len(candidate) > MAX_RETURN_PATH:
        return default
    candidate = "".join(map(_encoded, candidate))
    if len(candidate) > MAX_RETURN_PATH or not _SITE_PATH.fullmatch(candidate):
        return default
    readings = spellings(_PATH_END.split(candidate, maxsplit=1)[0])
    if readings is None or any(_leads_astray(reading, own_prefix) for reading in readings):
        return default
    return candidate


def _encoded(character: str) -> str:
    """A letter as a URL has it; whatever else is not ASCII stays, and no path may have it."""
    return quote(character) if unicodedata.category(character)[0] in _WRITTEN else character


def _leads_astray(path: str, own_prefix: str) -> bool:
    """Return whether a decoded and resolved path names another host, or one of our own paths.

    Something behind us may decode or resolve the address once more and redirect to the outcome;
    ``/%2f/evil.example`` and ``/..//evil.example`` must then still be on this site.
    """
    if path.startswith(("//", "/\\")) or _CONTROL.search(path):
        return True
    return f"{path}/".lower().startswith(f"{own_prefix}/".lower())
