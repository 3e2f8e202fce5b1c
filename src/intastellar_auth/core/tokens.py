"""The tokens that a session keeps where ``KEEP_TOKENS`` asks for it, and when they are due.

A provider may say how long an access token lasts (RFC 6749 section 5.1). It is exchanged for a new
one a minute before, so that the app never calls anyone with one that ends on the way.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from intastellar_auth.oidc.token import Tokens

_BEFORE_END = 60.0
# A token of less than a minute would otherwise be due as soon as it is there.
_LEAST_USE = 10.0


class Kept(NamedTuple):
    """An access token that is good until ``ends_at``, and is due anew at ``refresh_at``.

    Both are seconds since the epoch; infinite where the provider does not say. Since ``due_from``
    somebody may have tried to exchange it, however often that was put off. ``claims`` are those of
    the session, packed, where a refresh has renewed them.
    """

    access_token: str
    refresh_token: str | None
    scope: tuple[str, ...]
    ends_at: float
    refresh_at: float
    claims: bytes = b""
    due_from: float = math.inf

    def __repr__(self) -> str:
        """Tell nobody the tokens."""
        return f"Kept(ends_at={self.ends_at!r})"

    def is_due(self, now: float) -> bool:
        """Return whether there should be another token by ``now``, and a way to get one."""
        return self.refresh_token is not None and now >= self.refresh_at

    def good(self, now: float) -> str | None:
        """Return the access token, ``None`` once it has ended."""
        return self.access_token if now < self.ends_at else None

    def unchanged_until(self, now: float) -> float:
        """Return until when all of the above stays as it is at ``now``."""
        if self.is_due(now):
            return now
        changes = [self.ends_at] if self.refresh_token is None else [self.ends_at, self.refresh_at]
        return min((at for at in changes if at > now), default=math.inf)

    def later(self, at: float) -> Kept:
        """Return the same tokens, not to be exchanged before ``at``."""
        return self._replace(refresh_at=max(at, self.refresh_at))

    def spent(self) -> Kept:
        """Return what is left where the refresh token may have been used: nobody uses it twice."""
        return self._replace(refresh_token=None)


def keep(
    tokens: Tokens, now: float, before: Kept | None = None, claims: bytes | None = None
) -> Kept:
    """Return what a session keeps of ``tokens``, which came at ``now`` with new ``claims`` or none.

    A provider that does not rotate refresh tokens sends none again (RFC 6749 section 6): then the
    one from ``before`` stays, and so do its claims.
    """
    kept_on = before.refresh_token if before is not None else None
    if claims is None:
        claims = before.claims if before is not None else b""
    lasts = tokens.expires_in
    if lasts is None:
        ends_at = refresh_at = math.inf
    else:
        ends_at = now + lasts
        refresh_at = max(ends_at - _BEFORE_END, now + min(lasts / 2, _LEAST_USE))
    refresh_token = tokens.refresh_token or kept_on
    return Kept(
        access_token=tokens.access_token,
        refresh_token=refresh_token,
        scope=tokens.scope,
        ends_at=ends_at,
        refresh_at=refresh_at,
        claims=claims,
        due_from=refresh_at,
    )
