"""Requests to the app: who they are from, with which token, and what their answers carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from intastellar_auth.core.front import make_front
from tests.flows.stage import SESSION_COOKIE

from .world import REVOCATION_CHECK, World

if TYPE_CHECKING:
    from intastellar_auth.core.admission import Admitted
    from intastellar_auth.core.front import Front
    from tests.flows.hand import Running
    from tests.flows.stage import Stage

    from .person import Person
    from .records import Life


@dataclass(slots=True, eq=False)
class Visit:
    """One request that has come in at ``asked_at``, and whose answer has not gone out."""

    person: Person
    front: Front
    header: bytes
    asked_at: float
    living: Life | None
    running: Running[Admitted | None] | None
    admitted: Admitted | None = None


def come_in(world: World, stage: Stage, person: Person) -> Visit:
    """Let a request come in, as the shells do: at once where that goes, else by a flow."""
    front, header = make_front(stage.site), person.header().encode()
    admitted = stage.site.admissions.at_once(header, world.now)
    running = None if admitted is not None else world.hand.start(front.admit(header))
    return Visit(person, front, header, world.now, world.living(person), running, admitted)


def admit(world: World, visit: Visit) -> None:
    """Learn who the request is from, and hold that against the promise."""
    if visit.running is not None:
        visit.admitted = world.hand.finish(visit.running)
    p6_nobody_ended_is_let_in(world, visit)
    p11_who_is_signed_in_stays_so(world, visit)
    p14_the_app_gets_a_token_that_is_good(world, visit)


def go_out(world: World, visit: Visit) -> None:
    """Let the answer go out, with the cookies of a roll that is due."""
    admitted = visit.admitted
    if admitted is None or world.now < admitted.roll_at:
        return
    written = world.hand.play(visit.front.roll(admitted.session, visit.header))
    visit.person.keep(written)
    life = world.lives[admitted.session.id]
    p13_a_slow_answer_undoes_no_logout(world, life, written)
    if written:
        world.note_roll(visit.person, life)


def p6_nobody_ended_is_let_in(world: World, visit: Visit) -> None:
    """Not at all in the process of the logout, elsewhere not after ``REVOCATION_CHECK``."""
    if visit.admitted is None:
        return
    life = world.lives[visit.admitted.session.id]
    assert visit.admitted.user.sub == life.user == visit.person.user
    ended = world.ended_at(life)
    if ended is not None:
        assert visit.asked_at < ended + REVOCATION_CHECK
        assert life.ended_by is not visit.front.site or life.ended == visit.asked_at
    world.seen[p6_nobody_ended_is_let_in.__name__] += ended is not None


def p11_who_is_signed_in_stays_so(world: World, visit: Visit) -> None:
    """As long as nobody has ended it, and it has not ended by itself."""
    if visit.living is None or world.ended_at(visit.living) is not None:
        return
    assert visit.admitted is not None
    assert visit.admitted.session.id == visit.living.id
    world.seen[p11_who_is_signed_in_stays_so.__name__] += 1


def p13_a_slow_answer_undoes_no_logout(world: World, life: Life, written: list[str]) -> None:
    """Its answer goes out after the logout, and carries no session."""
    ended = world.ended_at(life) is not None
    gives = any(one.startswith(f"{SESSION_COOKIE}=") for one in written)
    assert gives is not ended
    world.seen[p13_a_slow_answer_undoes_no_logout.__name__] += ended


def p14_the_app_gets_a_token_that_is_good(world: World, visit: Visit) -> None:
    """The provider takes it; a refresh token that comes twice is for ``nothing_is_sent_twice``.

    A copy of an old cookie may need more than one request to reach the newest token.
    """
    admitted = visit.admitted
    if admitted is None or world.ended_at(world.lives[admitted.session.id]) is not None:
        return
    token = admitted.auth.access_token
    assert token is not None or visit.person.restored
    assert token is None or visit.asked_at < world.provider.ends[token]
    world.seen[p14_the_app_gets_a_token_that_is_good.__name__] += token is not None
