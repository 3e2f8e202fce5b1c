"""The ID token, kept for nothing but ``id_token_hint`` at logout (RP-Initiated Logout section 2).

It is large, so it lives in a cookie of its own that browsers send to the logout path alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil

from intastellar_auth import log
from intastellar_auth.core import cookies
from intastellar_auth.core.seal import Sealer, from_text, to_text
from intastellar_auth.errors import SealBroken, SessionTooLarge


@dataclass(frozen=True, slots=True)
class Hints:
    """How this site keeps ID tokens; ``max_age`` in seconds."""

    name: str
    attributes: cookies.CookieAttributes
    sealer: Sealer
    max_age: float

    def set_cookies(self, id_token: str | None, beside: Iterable[str] = ()) -> list[str]:
        """Return the ``Set-Cookie`` values that keep ``id_token``, ``beside`` the session's.

        One for which there is no room is not kept: a logout works without a hint, if less smoothly,
        and not at all where a server refuses the request. Then an earlier user's goes, or the next
        logout would name the wrong one.
        """
        if id_token is not None:
            text = to_text(self.sealer.seal(id_token.encode()))
            with suppress(SessionTooLarge):
                written = cookies.spread(self.name, text, self.attributes, ceil(self.max_age))
                if cookies.weight([*beside, *written]) <= cookies.COMMON_LIMIT:
                    return written
            log.event(logging.INFO, "id_token_hint_not_kept", {"length": len(id_token)})
        return [cookies.clear_cookie(self.name, self.attributes)]

    def find(self, header: bytes) -> str | None:
        """Return the ID token in the ``Cookie`` header, ``None`` where there is none of ours."""
        for text in cookies.gather(header, self.name.encode()):
            try:
                return self.sealer.open(from_text(text)).decode()
            except SealBroken:
                continue
        return None

    def clear_cookies(self, header: bytes) -> list[str]:
        """Return the ``Set-Cookie`` values that take the ID token from the browser."""
        return cookies.clear_chunks(header, self.name, self.attributes, 0)
