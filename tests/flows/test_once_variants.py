"""The schedules find what is wrong with each way to get exactly-once wrong, and nothing in ours.

The mistakes are those of ``docs/model/mistakes.pml``, as far as ``once.py`` could make them, and
some more. Each is a change of its text; what comes of that runs as a module of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from itertools import accumulate
from pathlib import Path
from random import Random
from types import ModuleType
from typing import TypeAlias

from intastellar_auth.core import once as ours
from intastellar_auth.core.once import Once

from .hand import make_token_bytes
from .test_once_schedules import FLOWS, LASTS, LEASE, PROCESSES, WINDOW, Requests, Turn

Schedule: TypeAlias = tuple[list[Turn], int]
"""The turns, and how often the provider cannot be reached before it can."""

Change: TypeAlias = tuple[str, str]
"""What stands in ``once.py``, once, and what stands there instead."""

SCHEDULES = 1000

KEEP = "yield from put(_outcome_key(what.name), _seal(what, done.outcome), what.window)"
MARK = "yield from put(_claim_key(what.name), _seal(what, _encode(finished)), what.lasts)"
FINISHED = "finished = _Claim(until=what.clock(), finished=True)"
CLAIM = "claim = _Claim(until=what.clock() + what.lease)"
CLAIMED = "(yield from _claimed(what, _seal(what, _encode(claim))))"
LASTS_AS_LONG = "add(_claim_key(what.name), claim, what.lasts)"
OVER = "if now >= give_up or (held is not None and now >= held.until):"
SECRET = 'make_sealer([what.secret], ["outcome"], what.token_bytes)'


class Broken(Enum):
    """What a schedule can show."""

    SENT_TWICE = "the code is sent twice"
    NO_END = "somebody who lives waits for ever, or ends with an error"
    UNLIKE = "two of them are told two outcomes"
    NOT_TOLD = "nothing goes wrong, and somebody is not told the outcome"
    OVERHEARD = "who lacks the secret has the outcome"


def _variant(*changes: Change) -> ModuleType:
    """Return ``once.py`` as a module of its own, with ``changes`` made."""
    assert ours.__file__
    text = Path(ours.__file__).read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    module = ModuleType(ours.__name__)
    exec(compile(text, "<a variant of once.py>", "exec"), module.__dict__)  # noqa: S102 - our text
    return module


def _shown(module: ModuleType, schedule: Schedule) -> set[Broken]:
    """Return what ``schedule`` shows to be broken, when the requests are those of ``module``."""
    taken, unreachable = schedule
    requests = Requests(unreachable)
    for one in requests.running:
        requests.hand.crash(one)
    what = Once(
        b"attempt", b"secret", LEASE, WINDOW, LASTS, requests.hand.clock, make_token_bytes()
    )
    requests.running = [
        requests.hand.start(module.once(what, requests._work)) for _ in range(FLOWS)
    ]
    answered = requests.follow(taken)
    results = {one.result for one in answered}
    told = {one for one in results if isinstance(one, bytes)} - {b"unreachable"}
    calm = not unreachable and not any(turn.wait or turn.dies is not None for turn in taken)
    overheard = requests.hand.play(module.recall(replace(what, secret=b"guessed")))
    shown = {
        Broken.SENT_TWICE: requests.sent > 1,
        Broken.NO_END: not all(one.ended and one.error is None for one in answered),
        Broken.UNLIKE: len(told) > 1,
        Broken.NOT_TOLD: calm and results != {b"outcome of request 1"},
        Broken.OVERHEARD: isinstance(overheard, bytes),
    }
    return {broken for broken, is_so in shown.items() if is_so}


def _schedules() -> Iterator[Schedule]:
    """Yield schedules, the same each time; in every other one nothing goes wrong.

    Flows have several turns in a row: what finds mistakes is mostly one that stops in between while
    another goes on.
    """
    chance = Random(1)  # noqa: S311 - a choice of schedules is no secret
    for number in range(SCHEDULES):
        calm = number % 2 == 0
        taken: list[Turn] = []
        for _ in range(10):
            taken += [Turn(chance.randrange(FLOWS))] * chance.randint(1, 8)
            if not calm:
                wait = chance.choice((0.0, 0.0, 9.0, 40.0, WINDOW))
                dies = chance.choice((None, None, None, *range(PROCESSES)))
                taken.append(Turn(chance.randrange(FLOWS), wait, dies))
        yield taken, 0 if calm else chance.choice((0, 0, 1, 2))


def _found(module: ModuleType) -> Iterator[set[Broken]]:
    """Yield what is known to be broken after each of the schedules."""
    return accumulate((_shown(module, schedule) for schedule in _schedules()), set.union)


def _finds(module: ModuleType, *mistakes: Broken) -> bool:
    """Return whether the schedules show all of ``mistakes``; none is played after that."""
    return any(found.issuperset(mistakes) for found in _found(module))


def test_nothing_is_broken_in_ours() -> None:
    """P2, P7, P9."""
    *_, found = _found(_variant())
    assert found == set()


def test_a_claim_after_the_work_sends_the_code_twice() -> None:
    """P2."""
    early = (CLAIM, f"early = yield from work()\n        {CLAIM}")
    late = ("_do(what, work))\n        held", "_do(what, early))\n        held")
    given = ("done = yield from work()", "done = work")
    assert _finds(_variant(early, late, given), Broken.SENT_TWICE)


def test_a_claim_in_two_steps_sends_the_code_twice() -> None:
    """P2: between the look and the write somebody else looks."""
    look = (
        "if (yield from get(_claim_key(what.name))) is None:\n            "
        "yield from put(_claim_key(what.name), _seal(what, _encode(claim)), what.lasts)"
    )
    assert _finds(_variant((f"if {CLAIMED}:", look)), Broken.SENT_TWICE, Broken.UNLIKE)


def test_to_take_a_lapsed_claim_over_sends_the_code_twice() -> None:
    """P9."""
    over = (
        f"{OVER}\n            return No.LAPSED",
        f"{OVER}\n            return (yield from _do(what, work))",
    )
    assert _finds(_variant(over), Broken.SENT_TWICE, Broken.UNLIKE)


def test_a_claim_that_ends_with_its_lease_sends_the_code_twice() -> None:
    """P9: a lock that expires is a takeover by another name."""
    expires = (LASTS_AS_LONG, LASTS_AS_LONG.replace("what.lasts", "what.lease"))
    assert _finds(_variant(expires), Broken.SENT_TWICE)


def test_to_withdraw_work_that_happened_sends_the_code_twice() -> None:
    """P9: once the window is over, the claim is all that is left."""
    assert _finds(_variant((MARK, "yield from delete(_claim_key(what.name))")), Broken.SENT_TWICE)


def test_a_mark_before_the_outcome_ends_the_window_early() -> None:
    """P2."""
    order, other = (KEEP, FINISHED, MARK), (FINISHED, MARK, KEEP)
    swapped = ("\n            ".join(order), "\n            ".join(other))
    assert _finds(_variant(swapped), Broken.NOT_TOLD)


def test_without_a_second_look_an_outcome_in_between_is_missed() -> None:
    """P2."""
    missed = (
        "once more.\n            return (yield from _outcome(what)) or No.WINDOW_OVER",
        "once more.\n            return No.WINDOW_OVER",
    )
    assert _finds(_variant(missed), Broken.NOT_TOLD)


def test_an_outcome_that_is_not_kept_is_told_to_one_alone() -> None:
    """P2, P3."""
    assert _finds(_variant((KEEP, "pass")), Broken.NOT_TOLD)


def test_without_the_lease_a_crash_keeps_others_waiting_for_ever() -> None:
    """P9."""
    assert _finds(_variant((OVER, "if now < 0.0:")), Broken.NO_END)


def test_an_outcome_without_the_secret_is_anyones() -> None:
    """P7."""
    unbound = SECRET.replace("what.secret", "b''")
    changes = [(f"{SECRET}.{verb}", f"{unbound}.{verb}") for verb in ("seal", "open")]
    assert _finds(_variant(*changes), Broken.OVERHEARD)
