"""Targets: what the store holds, as a stranger may have written it, and as another version may.

Raw, no value opens. Sealed, it is what a version of ours that knew other fields has written.
"""

from __future__ import annotations

from functools import cache

import msgspec

from intastellar_auth.core import ended, in_store, once
from intastellar_auth.core.in_store import InStore
from intastellar_auth.core.outcome import Failure, Outcome, encode_outcome
from intastellar_auth.core.seal import make_sealer
from intastellar_auth.core.tokens import Kept
from tests.flows.stage import TOKEN

from .bench import FINE, Bench, make_bench, no_randomness
from .target import target

_pack = msgspec.msgpack.encode
_WORDS = (b"\xc0", b"\xc3", b"\x80", b"\x90", b"\xcb\x7f\xf8\0\0\0\0\0\0", b"\xdf\xff\xff\xff\xff")
_FOR_EVER = float("inf")


def _may_be_ours(data: bytes) -> bool:
    """Return whether another version of ours may have written ``data``.

    None writes text that is not UTF-8, or a status that is no reply's.
    """
    try:
        found = msgspec.msgpack.decode(data)
    except UnicodeDecodeError:
        return False
    except msgspec.MsgspecError:
        # Cut short, or nothing at all: that can happen.
        return True
    failure = found.get("failure") if isinstance(found, dict) else None
    status = failure.get("status") if isinstance(failure, dict) else None
    # What is no number at all does not decode: that is for the target to show.
    return not isinstance(status, int) or status in FINE


@cache
def calling_back() -> Bench:
    """Return a bench at which nobody looks often while they wait."""
    bench = make_bench(claims="name", http_timeout=1)
    bench.hand.pace = 100.0
    return bench


@cache
def keeping() -> Bench:
    """Return a bench whose store holds alice's session."""
    return make_bench(session_mode="server", keep_tokens=True, claims="name,email")


def _keeper() -> InStore:
    keeper = keeping().site.sessions.keeper
    assert isinstance(keeper, InStore)
    return keeper


def _key(kind: str) -> str:
    return next(key for key in keeping().entries if key.startswith(kind))


def _sealed_entries() -> list[bytes]:
    return [value for _, value in keeping().entries.values()]


def _plain_entries() -> list[bytes]:
    session = keeping().session
    assert session is not None
    tokens = session.tokens
    assert tokens is not None
    return [
        in_store._encode(session._replace(tokens=None)),
        in_store._encode(session),
        in_store._encode(in_store._Tokens(session.id, tokens)),
        in_store._encode(in_store._Tokens(session.id, Kept("a", None, (), _FOR_EVER, 0.0))),
    ]


@target(_sealed_entries, *_WORDS)
def session_entry(data: bytes) -> None:
    """SS-02: a stranger's session in the store is nobody's; her tokens are hers or none."""
    _hold(data, data, data == keeping().entries[_key("session:")][1])


@target(_plain_entries, *_WORDS)
def session_entry_inside(data: bytes) -> None:
    """The same, sealed: no other version's session is an error."""
    if not _may_be_ours(data):
        return
    value = _keeper().sealer.seal(data)
    _hold(value, value, may_sign_in=True)


def _hold(session: bytes, tokens: bytes, may_sign_in: bool) -> None:
    bench = keeping()
    for key, value in ((_key("session:"), session), (_key("tokens:"), tokens)):
        admitted = _admit_with(bench, {key: value})
        kept_session = key.startswith("tokens:")
        assert admitted in (None, "alice") or may_sign_in
        assert admitted is None or kept_session or may_sign_in
        assert admitted == "alice" or not kept_session


def _admit_with(bench: Bench, entries: dict[str, bytes]) -> str | None:
    kept = bench.entries
    bench.entries = kept | {key: (_FOR_EVER, value) for key, value in entries.items()}
    try:
        admitted = bench.admit(bench.session_cookie.encode())
        reply = bench.get("/auth/user", bench.session_cookie)
    finally:
        bench.entries = kept
    assert reply.status == (401 if admitted is None else 200)
    return None if admitted is None else admitted.user.sub


@target(lambda: [b"", _pack(1_800_000_000.0), _pack(0.0), _pack(float("nan"))], *_WORDS)
def tombstones(data: bytes) -> None:
    """SS-07: what lies there ends the session, unless it is a time before it began."""
    bench = keeping()
    session = bench.session
    assert session is not None
    # Past REVOCATION_CHECK, so that the store is asked.
    bench.hand.clock.now = session.rolled + 31
    by_id, by_sub, by_sid = ended.tombstones(session)
    assert _admit_with(bench, {by_id: data}) is None
    assert _admit_with(bench, {by_sid: data}) is None
    if _admit_with(bench, {by_sub: data}) is not None:
        assert msgspec.msgpack.decode(data) < session.began
    bench.hand.clock.now = session.rolled


def _once_values() -> list[bytes]:
    bench = calling_back()
    failure = Failure("code_refused", 502, "No.", "AAAA-BBBB", restart=False)
    outcomes = [Outcome(bench.session, "id-token"), Outcome(failure=failure), Outcome()]
    claims = [once._Claim(0.0), once._Claim(_FOR_EVER), once._Claim(0.0, finished=True)]
    return [*map(encode_outcome, outcomes), *map(once._encode, claims)]


@target(_once_values, *_WORDS)
def claim_and_outcome(data: bytes) -> None:
    """P9: what a stranger writes there gives no session, and makes no code be sent again."""
    for entry in (once._claim_key, once._outcome_key):
        assert not _called_back_with({entry(no_randomness(16)): data}, claimed=True)


@target(_once_values, *_WORDS)
def claim_and_outcome_inside(data: bytes) -> None:
    """The same, sealed with what only this browser and we have: an answer, never an error."""
    if not _may_be_ours(data):
        return
    value = make_sealer([no_randomness(32)], ["outcome"], no_randomness).seal(data)
    for entry in (once._claim_key, once._outcome_key):
        _called_back_with({entry(no_randomness(16)): value}, claimed=entry is once._claim_key)


def _called_back_with(entries: dict[str, bytes], *, claimed: bool) -> bool:
    bench = calling_back()
    kept = bench.entries
    claim = {once._claim_key(no_randomness(16)): b"x"} if claimed else {}
    bench.entries = {key: (_FOR_EVER, value) for key, value in {**claim, **entries}.items()}
    now = bench.hand.clock.now
    try:
        reply = bench.call_back()
        assert not bench.hand.fetched(TOKEN)
        return bench.given(reply) is not None
    finally:
        bench.entries, bench.hand.clock.now = kept, now
