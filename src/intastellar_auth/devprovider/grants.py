"""Codes, access tokens, refresh tokens, and the grant that binds them into one family."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from intastellar_auth.devprovider.errors import OAuthError
from intastellar_auth.devprovider.pkce import verifier_fits

if TYPE_CHECKING:
    from collections.abc import Callable

    from intastellar_auth.devprovider.log import Log


@dataclass(frozen=True, slots=True)
class Grant:
    """What one user gave one client in one authorization. All that came of it falls together."""

    client_id: str
    sub: str
    scope: tuple[str, ...]
    auth_time: int
    sid: str
    nonce: str | None = field(default=None, repr=False)
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True)
class _Code:
    grant: Grant
    redirect_uri: str
    code_challenge: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class _Token:
    grant: Grant
    scope: tuple[str, ...]
    expires_at: float


class Grants:
    """Everything that was issued. Each method is one step that no other thread can come between."""

    def __init__(self, clock: Callable[[], float], log: Log) -> None:
        self._clock = clock
        self._log = log
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, _Token] = {}
        self._refresh: dict[str, _Token] = {}
        # Spent ones are remembered for as long as the process lives: a reuse is to be recognised
        # however late it comes.
        self._spent: set[str] = set()
        self._revoked: set[str] = set()

    def clear(self) -> None:
        """Forget everything that was issued."""
        with self._lock:
            self._forget()

    def issue_code(self, grant: Grant, redirect_uri: str, code_challenge: str, ttl: float) -> str:
        """Return a new code that lives for ``ttl`` seconds."""
        code = secrets.token_urlsafe(32)
        with self._lock:
            self._codes[code] = _Code(grant, redirect_uri, code_challenge, self._clock() + ttl)
        return code

    def redeem(self, code: str, client_id: str, redirect_uri: str, code_verifier: str) -> Grant:
        """Return the grant behind ``code`` and spend it; raises ``OAuthError`` ``invalid_grant``.

        A spent code revokes everything that its first use gave (RFC 6749 section 4.1.2). A code
        that fails a check is spent too, so that nobody gets a second guess; but not by another
        client, who could otherwise spoil a code it merely saw.
        """
        with self._lock:
            known = self._codes.get(code)
            if known is None or known.grant.client_id != client_id:
                raise OAuthError("invalid_grant", "the code is unknown, or another client's")
            if code in self._spent:
                self._log.count("code_reuses")
                self._revoke(known.grant)
                raise OAuthError("invalid_grant", "the code was already used: tokens are revoked")
            self._spent.add(code)
            ended = known.grant.id in self._revoked
        if ended or known.expires_at <= self._clock():
            raise OAuthError("invalid_grant", "the code has expired, or its session has ended")
        if known.redirect_uri != redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri is not the one the code was sent to")
        if not verifier_fits(code_verifier, known.code_challenge):
            raise OAuthError("invalid_grant", "code_verifier is missing, or not the code's own")
        return known.grant

    def issue_access_token(self, grant: Grant, scope: tuple[str, ...], ttl: float) -> str:
        """Return a new access token, dead at birth where ``grant`` was revoked meanwhile."""
        return self._issue(self._access, grant, scope, ttl)

    def issue_refresh_token(self, grant: Grant, ttl: float) -> str:
        """Return a new refresh token, dead at birth where ``grant`` was revoked meanwhile."""
        return self._issue(self._refresh, grant, grant.scope, ttl)

    def _issue(
        self, kind: dict[str, _Token], grant: Grant, scope: tuple[str, ...], ttl: float
    ) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            kind[token] = _Token(grant, scope, self._clock() + ttl)
        return token

    def spend_refresh_token(
        self, token: str, client_id: str, scope: tuple[str, ...] | None
    ) -> tuple[Grant, tuple[str, ...]]:
        """Return the grant behind ``token`` and the scope, which may be narrowed; spend ``token``.

        Raises ``OAuthError``: ``invalid_scope`` for a wider scope (RFC 6749 section 6), which
        spends nothing, and ``invalid_grant``. A spent one revokes the family (RFC 9700 section
        4.14.2): one of its two users is a thief, and nobody knows which.
        """
        with self._lock:
            known = self._refresh.get(token)
            if known is None or known.grant.client_id != client_id:
                raise OAuthError("invalid_grant", "refresh_token is unknown, or another client's")
            if token in self._spent:
                self._log.count("refresh_reuses")
                self._revoke(known.grant)
                raise OAuthError("invalid_grant", "refresh_token was already used: all are revoked")
            if not self._is_alive(known):
                raise OAuthError("invalid_grant", "refresh_token has expired or was revoked")
            if scope is not None and not set(scope) <= set(known.scope):
                raise OAuthError("invalid_scope", "scope is wider than what was granted")
            self._spent.add(token)
            return known.grant, scope or known.scope

    def access(self, token: str) -> tuple[Grant, tuple[str, ...]] | None:
        """Return the grant and the scope of a live access token."""
        with self._lock:
            known = self._access.get(token)
            if known is None or not self._is_alive(known):
                return None
            return known.grant, known.scope

    def revoke_token(self, token: str, client_id: str) -> None:
        """Revoke ``token`` (RFC 7009): an access token alone, a refresh token with its family.

        An unknown one is no error (section 2.2); another client's is refused (section 2.1) with
        ``OAuthError`` ``invalid_grant``.
        """
        with self._lock:
            known = self._refresh.get(token) or self._access.get(token)
            if known is None:
                return
            if known.grant.client_id != client_id:
                raise OAuthError("invalid_grant", "the token is another client's")
            self._log.count("revocations")
            if token in self._refresh:
                self._revoked.add(known.grant.id)
            else:
                del self._access[token]

    def end_session(self, sid: str) -> None:
        """Revoke what was granted for the session alone.

        ``offline_access`` outlives a logout (OpenID Connect Back-Channel Logout section 2.7).
        """
        with self._lock:
            given = [code.grant for code in self._codes.values()]
            given += [token.grant for token in self._access.values()]
            self._revoked |= {
                grant.id
                for grant in given
                if grant.sid == sid and "offline_access" not in grant.scope
            }

    def _is_alive(self, token: _Token) -> bool:
        return token.expires_at > self._clock() and token.grant.id not in self._revoked

    def _revoke(self, grant: Grant) -> None:
        if grant.id not in self._revoked:
            self._revoked.add(grant.id)
            self._log.count("grants_revoked")
