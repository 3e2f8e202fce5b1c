"""What is known of the provider: its metadata and its keys, each fetched when first needed.

A document is kept for a while, shared by all requests of this process, and kept longer than that
when the provider is down: sessions do not notice, and a sign-in works as long as it can. One
request fetches, the others wait for it or go on with what was known before (DJ-11).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from intastellar_auth import log
from intastellar_auth.core.effects import Flow, fetch, pause
from intastellar_auth.errors import AnswerInvalid, ProviderError, about
from intastellar_auth.oidc.discovery import (
    Metadata,
    build_discovery_request,
    read_discovery_answer,
)
from intastellar_auth.oidc.id_token import KeyUnknown
from intastellar_auth.oidc.jwks import KeySet, build_jwks_request, read_jwks_answer

T = TypeVar("T")

METADATA_FRESH = 3600.0
# A key that the provider has withdrawn is trusted no longer than this (DJ-15).
KEYS_FRESH = 600.0
# However many tokens name unknown keys, we ask once in this time (DJ-10, CVE-2026-48524).
UNKNOWN_KEY_COOL_DOWN = 30.0
# With the provider down, what was known of it serves for a day.
STALEST = 86400.0
# All who need a document that could not be had share that answer for a moment.
FAILURE_SHARED = 1.0

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25


@dataclass(slots=True)
class _Known(Generic[T]):
    """One document. The lock is only ever tried, never waited for: a flow waits by pausing."""

    fresh: float
    value: T | None = None
    fetched: float = 0.0
    failure: ProviderError | None = None
    failed: float = 0.0
    busy: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider as this process knows it.

    ``said`` are the endpoints that the settings name: alone where there is no ``discovery_issuer``,
    else over what discovery finds.
    """

    discovery_issuer: str | None
    said: Callable[[Metadata | None], Metadata]
    clock: Callable[[], float]
    _metadata: _Known[Metadata] = field(default_factory=lambda: _Known(METADATA_FRESH))
    _keys: _Known[KeySet] = field(default_factory=lambda: _Known(KEYS_FRESH))
    _unknown_key: _Known[None] = field(default_factory=lambda: _Known(UNKNOWN_KEY_COOL_DOWN))

    def metadata(self) -> Flow[Metadata]:
        """Return the metadata; raises ``ProviderError``. Nothing was consumed then."""
        issuer = self.discovery_issuer
        if issuer is None:
            return self.said(None)
        return (yield from self._current(self._metadata, lambda: self._discover(issuer)))

    def keys(self) -> Flow[KeySet]:
        """Return the keys that the provider signs with; raises ``ProviderError``."""
        return (yield from self._current(self._keys, self._fetch_keys))

    def keys_anew(self) -> Flow[KeySet]:
        """Return the keys after a token named one we do not know: fetched once, then not again.

        What a cool-down holds back is only this fetch; keys that have grown old are fetched all the
        same (DJ-12), and a fetch that fails leaves the old ones (DJ-13).
        """
        now = self.clock()
        known, last = self._keys, self._unknown_key
        if known.busy.acquire(blocking=False):
            try:
                if not 0 <= now - last.fetched < last.fresh:
                    last.fetched = now
                    known.value = yield from self._fetch_keys()
                    known.fetched = now
            finally:
                known.busy.release()
        else:
            yield from self._wait(known)
        return (yield from self.keys())

    def with_keys(self, read: Callable[[KeySet], T]) -> Flow[T]:
        """Return what ``read`` makes of a token with the keys; one we do not know is looked for.

        Raises what ``read`` raises, and ``ProviderError``.
        """
        try:
            return read((yield from self.keys()))
        except KeyUnknown:
            return read((yield from self.keys_anew()))

    def _discover(self, issuer: str) -> Flow[Metadata]:
        with about("INTASTELLAR_ISSUER"):
            request = build_discovery_request(issuer)
            answer = yield from fetch(request)
            with about(request.url):
                found = read_discovery_answer(answer, issuer)
        if found.code_challenge_methods is not None and "S256" not in found.code_challenge_methods:
            # PKCE is sent all the same, and there is nothing to fall back to (RQ-04).
            log.event(logging.WARNING, "pkce_s256_not_announced", {"issuer": issuer})
        return self.said(found)

    def _fetch_keys(self) -> Flow[KeySet]:
        metadata = yield from self.metadata()
        if metadata.jwks_uri is None:
            raise AnswerInvalid(
                "the provider announces no jwks_uri; set INTASTELLAR_JWKS_URI", permanent=True
            )
        answer = yield from fetch(build_jwks_request(metadata.jwks_uri))
        with about(metadata.jwks_uri):
            return read_jwks_answer(answer)

    def _current(self, known: _Known[T], load: Callable[[], Flow[T]]) -> Flow[T]:
        while True:
            now = self.clock()
            age = now - known.fetched
            value = known.value if abs(age) < STALEST else None
            if value is not None and 0 <= age < known.fresh:
                return value
            if known.failure is not None and 0 <= now - known.failed < FAILURE_SHARED:
                if value is not None:
                    return value
                permanent = known.failure.permanent
                raise type(known.failure)(known.failure.detail, permanent=permanent)
            if known.busy.acquire(blocking=False):
                try:
                    known.value = yield from load()
                    known.fetched = self.clock()
                except ProviderError as error:
                    known.failure, known.failed = error, self.clock()
                finally:
                    known.busy.release()
            elif value is not None:
                return value
            else:
                yield from self._wait(known)

    @staticmethod
    def _wait(known: _Known[T]) -> Flow[None]:
        seconds = _FIRST_PAUSE
        while known.busy.locked():
            yield from pause(seconds)
            seconds = min(seconds * 1.5, _LONGEST_PAUSE)
