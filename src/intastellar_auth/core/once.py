"""Do a thing exactly once, and give everyone who asks for it the same answer.

The callback is delivered at least once, the code is good for one use. So the first to *claim* does
the work and records its outcome; the others wait for the record and answer with it. A claim has a
state in the store, and these are all of them::

    free ──add──▶ claimed(lease) ──work ends──▶ finished, outcome for the replay window
      ▲               │
      │               ├──lease over──▶ lapsed: the worker died, nobody does the work again
      └───withdrawn───┘ the work surely did not happen

A claim outlives everything that could ask for the work again: nobody ever takes over a claim, so
nothing is ever done twice. ``docs/model/once.pml`` is a model of this, checked in every order of
what can happen. This file knows nothing of codes, tokens or sessions.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import msgspec

from intastellar_auth import log
from intastellar_auth.core.effects import Flow, add, delete, get, pause, put, unbroken
from intastellar_auth.core.seal import make_sealer
from intastellar_auth.errors import SealBroken, StoreUnavailable

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.25
# Long enough for those who wait to see why the work did not happen, too short for a reload.
_WITHDRAWN_FOR = 1.0


class No(Enum):
    """Why there is no outcome."""

    LAPSED = "whoever claimed the work died over it"
    WINDOW_OVER = "the work was done, and its outcome is no longer kept"


@dataclass(frozen=True, slots=True)
class Work:
    """What the work gave. ``happened`` is false only if it surely did not: then it may be again."""

    outcome: bytes = field(repr=False)
    happened: bool = True


@dataclass(frozen=True, slots=True)
class Once:
    """One piece of work. ``secret`` is known only to those who may have the outcome.

    Seconds: ``lease`` is how long the work can take, ``window`` how long the outcome is kept,
    ``lasts`` how long anyone could ask for the work. Nobody claims it from ``until`` on, seconds
    since the epoch: an earlier claim may have ended by then, and have been of one who did the work.
    """

    name: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    lease: float
    window: float
    lasts: float
    clock: Callable[[], float]
    token_bytes: Callable[[int], bytes]
    until: float = math.inf


@dataclass(frozen=True, slots=True)
class _Claim:
    until: float
    finished: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode_claim = msgspec.msgpack.Decoder(_Claim).decode


def once(what: Once, work: Callable[[], Flow[Work]]) -> Flow[bytes | No]:
    """Return the outcome of ``work``, done now, before, or by someone else at this moment.

    All of it is unbroken: a browser that hangs up after the claim must not leave a claim without
    work (row P10). Raises ``StoreUnavailable`` if nothing could be claimed; then nothing was done.
    """
    return (yield from unbroken(_claim_or_wait(what, work)))


def was_claimed(name: bytes) -> Flow[bool]:
    """Return whether anyone has claimed the work called ``name``."""
    return (yield from get(_claim_key(name))) is not None


def recall(what: Once) -> Flow[bytes | No]:
    """Return the outcome for one who may have it again but must not do the work."""
    return (yield from _outcome(what)) or No.WINDOW_OVER


def _claim_or_wait(what: Once, work: Callable[[], Flow[Work]]) -> Flow[bytes | No]:
    give_up = what.clock() + what.lease
    wait = _FIRST_PAUSE
    while True:
        # Before the claim: who waited for work that was withdrawn is told why, not made to try it.
        outcome = yield from _outcome(what)
        if outcome is not None:
            return outcome
        claim = _Claim(until=what.clock() + what.lease)
        if (yield from _claimed(what, _seal(what, _encode(claim)))):
            if what.clock() >= what.until:
                # A process can stand still at any point, for hours: a laptop, a virtual machine.
                return No.LAPSED
            return (yield from _do(what, work))
        held = yield from _held(what)
        if held is not None and held.finished:
            # The outcome is written before the claim says so: look once more.
            return (yield from _outcome(what)) or No.WINDOW_OVER
        now = what.clock()
        if now >= give_up or (held is not None and now >= held.until):
            return No.LAPSED
        yield from pause(wait)
        wait = min(wait * 1.5, _LONGEST_PAUSE)


def _claimed(what: Once, claim: bytes) -> Flow[bool]:
    try:
        return (yield from add(_claim_key(what.name), claim, what.lasts))
    except StoreUnavailable:
        # It may have been written, and only the answer lost: then nobody else will do the work. No
        # two seals are alike, so it can be told from another's.
        if (yield from get(_claim_key(what.name))) != claim:
            raise
        return True


def _do(what: Once, work: Callable[[], Flow[Work]]) -> Flow[bytes]:
    done = yield from work()
    try:
        if done.happened:
            yield from put(_outcome_key(what.name), _seal(what, done.outcome), what.window)
            finished = _Claim(until=what.clock(), finished=True)
            yield from put(_claim_key(what.name), _seal(what, _encode(finished)), what.lasts)
        else:
            yield from put(_outcome_key(what.name), _seal(what, done.outcome), _WITHDRAWN_FOR)
            yield from delete(_claim_key(what.name))
    except StoreUnavailable as error:
        # The work is done and its outcome at hand: a store that fails now costs only the repeats.
        log.event(logging.WARNING, "outcome_not_kept", {"detail": error.detail})
    return done.outcome


def _outcome(what: Once) -> Flow[bytes | None]:
    return _unseal(what, (yield from get(_outcome_key(what.name))))


def _held(what: Once) -> Flow[_Claim | None]:
    value = _unseal(what, (yield from get(_claim_key(what.name))))
    try:
        return None if value is None else _decode_claim(value)
    except msgspec.MsgspecError:
        return None  # Another version wrote it. It is a claim all the same, and will not be ours.


def _seal(what: Once, value: bytes) -> bytes:
    return make_sealer([what.secret], ["outcome"], what.token_bytes).seal(value)


def _unseal(what: Once, value: bytes | None) -> bytes | None:
    """What does not open was not written by a holder of the secret: it is as good as not there."""
    if value is None:
        return None
    try:
        return make_sealer([what.secret], ["outcome"], what.token_bytes).open(value)
    except SealBroken:
        return None


def _claim_key(name: bytes) -> str:
    return "claim:" + _hidden(name)


def _outcome_key(name: bytes) -> str:
    return "outcome:" + _hidden(name)


def _hidden(name: bytes) -> str:
    return hashlib.sha256(name).hexdigest()[:40]
