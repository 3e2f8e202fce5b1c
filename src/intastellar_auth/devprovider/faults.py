"""Faults to order by name, so that a test sees what a client does about them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS: Final[dict[str, str]] = {
    "discovery_500": "the discovery document is answered with 500",
    "jwks_500": "the key set is answered with 500",
    "token_500": "the token endpoint answers 500 and does nothing",
    "token_html": "the token endpoint answers 200 with an HTML page and does nothing",
    "token_invalid_grant": "the token endpoint answers invalid_grant and does nothing",
    "token_slow": "the token endpoint acts at once and answers `seconds` later",
    "token_drop_connection": "the token endpoint acts and closes the connection in mid-answer",
    "short_access_token": "the access token ends after `seconds`",
    "userinfo_500": "userinfo is answered with 500",
    "userinfo_wrong_sub": "userinfo tells another user's sub",
    "wrong_nonce": "the ID token's nonce is not the one asked for",
    "wrong_iss": "the ID token's iss is another issuer",
    "wrong_aud": "the ID token is for another client",
    "expired_id_token": "the ID token expired an hour ago",
    "bad_signature": "the ID token's signature does not verify",
    "no_kid": "the ID token does not name its key",
    "missing_iss_parameter": "the authorization response lacks iss",
    "wrong_iss_parameter": "the authorization response's iss is another issuer",
    "rotate_keys": "the signing keys are replaced, at once",
}
"""Every fault and what it does."""

_SLOW: Final = 3.0


class Faults:
    """What is on order. Each order is used up one request at a time."""

    def __init__(self, rotate_keys: Callable[[], None]) -> None:
        self._rotate_keys = rotate_keys
        self._lock = threading.Lock()
        self._orders: dict[str, int] = {}
        self.seconds = _SLOW

    def order(self, name: str, times: int = 1, *, seconds: float = _SLOW) -> None:
        """Let the next ``times`` requests that can, fail as ``name`` says.

        ``seconds`` is for ``token_slow`` and ``short_access_token``, the same for both. Raises
        ``ValueError`` for an unknown name and for ``times`` below one.
        """
        if name not in FAULTS:
            raise ValueError(f"name: {name!r} is no fault. Choose from {', '.join(FAULTS)}")
        if times < 1:
            raise ValueError(f"times: {times} is below 1")
        if name == "rotate_keys":
            for _ in range(times):
                self._rotate_keys()
            return
        with self._lock:
            self._orders[name] = self._orders.get(name, 0) + times
            self.seconds = seconds

    def use(self, name: str) -> bool:
        """Return whether ``name`` is on order, and count one down if so."""
        with self._lock:
            left = self._orders.get(name, 0)
            if left > 0:
                self._orders[name] = left - 1
            return left > 0

    def clear(self) -> None:
        """Forget all orders."""
        with self._lock:
            self._orders.clear()
