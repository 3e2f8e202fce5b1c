"""Proof Key for Code Exchange (RFC 7636), S256 alone."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from typing import Final

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def is_challenge(text: str) -> bool:
    """Return whether ``text`` can be the S256 of anything (section 4.2)."""
    return _CHALLENGE.fullmatch(text) is not None


def verifier_fits(code_verifier: str, code_challenge: str) -> bool:
    """Return whether ``code_verifier`` is well formed (section 4.1), of ``code_challenge``."""
    if _VERIFIER.fullmatch(code_verifier) is None:
        return False
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    computed = base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
    return secrets.compare_digest(computed, code_challenge)
