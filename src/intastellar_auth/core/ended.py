"""Which sessions have ended before their time: the list that every living one is held against.

An entry is a *tombstone*. One is for a session of ours by its ``id``; one for all that belong to a
session at the provider, by ``sid``; one for all of a user's that began before it, by ``sub``
(Back-Channel Logout section 2.4). One by ``sid`` also holds for a session that is only being made
while the logout arrives. Each lasts as long as any cookie it is for could.

Nobody's word but the provider's is enough to write one: a ``sid`` that a browser brings
(Front-Channel Logout) counts only if somebody signed in with it, so a flood of made-up ones leaves
nothing in the store (SS-07).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from intastellar_auth.core.effects import Flow, get, get_many, put
from intastellar_auth.core.session import Session


def tombstone(session_id: str) -> str:
    """Return the key under which something lies once the session with this id was ended alone."""
    return _key("id", session_id)


def end_session(session: Session, ttl: float) -> Flow[None]:
    """End ``session`` alone; the tombstone lasts ``ttl`` seconds. Raises ``StoreUnavailable``."""
    yield from put(tombstone(session.id), b"", ttl)


def end_sid(iss: str, sid: str, ttl: float) -> Flow[None]:
    """End every session that belongs to the provider's session ``sid``, for ``ttl`` seconds.

    Raises ``StoreUnavailable``.
    """
    yield from put(_by_sid(iss, sid), b"", ttl)


def end_sub(iss: str, sub: str, before: float, ttl: float) -> Flow[None]:
    """End every session of ``sub`` that began until ``before``, seconds by the provider's clock.

    Those that begin later are new sign-ins, and stay. Two logouts may come in any order, one after
    the other: the later ``before`` counts. The tombstone lasts ``ttl`` seconds. Raises
    ``StoreUnavailable``.
    """
    key = _by_sub(iss, sub)
    known = yield from get(key)
    latest = before if known is None else max(before, _time(known))
    yield from put(key, msgspec.msgpack.encode(latest), ttl)


def owner(sub: str) -> bytes:
    """Return what the store keeps of a user beside a ``sid``."""
    return hashlib.sha256(sub.encode()).digest()


def note_sid(session: Session, ttl: float) -> Flow[None]:
    """Remember for ``ttl`` seconds whose ``sid`` that of ``session`` is, if it has one.

    Raises ``StoreUnavailable``.
    """
    if session.sid is not None:
        yield from put(_known(session.iss, session.sid), owner(session.sub), ttl)


def owner_of_sid(iss: str, sid: str) -> Flow[bytes | None]:
    """Return whose ``sid`` is, as ``owner`` has it; ``None`` if nobody signed in with it here.

    Raises ``StoreUnavailable``.
    """
    return (yield from get(_known(iss, sid)))


def has_ended(session: Session) -> Flow[bool]:
    """Return whether somebody ended ``session``; raises ``StoreUnavailable``."""
    return ends(session, (yield from get_many(*tombstones(session))))


def tombstones(session: Session) -> list[str]:
    """Return all keys of the store under which something may lie that ends ``session``."""
    keys = [tombstone(session.id), _by_sub(session.iss, session.sub)]
    return keys if session.sid is None else [*keys, _by_sid(session.iss, session.sid)]


def ends(session: Session, found: Sequence[bytes | None]) -> bool:
    """Return whether what was ``found`` under ``tombstones(session)`` ends it."""
    by_id, before, *by_sid = found
    if by_id is not None or any(one is not None for one in by_sid):
        return True
    # Not "began <= before": a tombstone that holds no number at all (NaN) ends the session too.
    return before is not None and not session.began > _time(before)


def _time(value: bytes) -> float:
    """A tombstone that cannot be read ends what it may be for: the store's contents are hostile."""
    try:
        return msgspec.msgpack.decode(value, type=float)
    except msgspec.MsgspecError:
        return float("inf")


def _by_sid(iss: str, sid: str) -> str:
    return _key("sid", iss, sid)


def _by_sub(iss: str, sub: str) -> str:
    return _key("sub", iss, sub)


def _known(iss: str, sid: str) -> str:
    return _key("known", iss, sid)


def _key(*parts: str) -> str:
    """The store sees a hash: a copy of it tells nobody an id, nor who a user is (SS-09)."""
    return "ended:" + hashlib.sha256(msgspec.msgpack.encode(parts)).hexdigest()[:40]
