"""What can be done in a world, whoever decides that it is."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from intastellar_auth.core.effects import Fetch
from intastellar_auth.core.messages import Request
from tests.flows.stage import END_SESSION, SESSION_COOKIE, TOKEN
from tests.oidc.forge import token
from tests.oidc.forge_logout import logout_claims

from .checks import check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from intastellar_auth.core.messages import Reply
    from tests.flows.hand import Hand, Running

    from .person import Person
    from .records import SignIn
    from .world import World

T = TypeVar("T")


def call_back(
    world: World,
    sign_in: SignIn,
    person: Person,
    process: int,
    how: str,
    *,
    fault: str | None = None,
) -> None:
    """Let ``person`` open a callback, and hold the answer against the promise."""
    told = world.ask(sign_in, person, how, fault)
    before = Counter(world.provider.sent)
    world.provider.fault = fault
    running = world.stages[process].run(person.request(world.url(sign_in, how)))
    reply = world.hand.finish(running)
    world.provider.fault = None
    world.hear(told, reply, _sent_since(world, before))
    check(world, told)


def call_back_twice(world: World, sign_in: SignIn, hows: Sequence[str], order: list[bool]) -> None:
    """Open two callbacks at once, one in each process."""
    person = sign_in.person
    told = [world.ask(sign_in, person, how) for how in hows]
    requests = [person.request(world.url(sign_in, how)) for how in hows]
    before = Counter(world.provider.sent)
    pair = [stage.run(one) for stage, one in zip(world.stages, requests, strict=True)]
    take_turns(world.hand, pair, order)
    replies = [world.hand.finish(one) for one in pair]
    # All that was sent counts as sent by the one that was first; the other one is a repeat.
    world.hear(told[0], replies[0], _sent_since(world, before))
    told[1].was = sign_in.fate
    world.hear(told[1], replies[1], ())
    check(world, told[0])
    check(world, told[1])


@contextmanager
def half_way(
    world: World, sign_in: SignIn, process: int, fault: str | None
) -> Iterator[Running[Reply]]:
    """Play a callback up to where the code is sent, and note what comes of what is done then.

    One that sends no code has ended already.
    """
    told = world.ask(sign_in, sign_in.person, "first", fault)
    request = sign_in.person.request(world.url(sign_in, "first"))
    running = world.stages[process].run(request)
    while not (running.ended or _sends_code(running)):
        world.hand.step(running)
    before = Counter(world.provider.sent)
    yield running
    world.conclude(told, _sent_since(world, before))


def take_turns(hand: Hand, running: Sequence[Running[T]], order: list[bool]) -> None:
    """Go on in the ``order`` given, then in turn: nobody waits for long because of us."""
    turns = iter(order)
    while going := [one for one in running if not one.ended]:
        second = next(turns, None)
        for one in going if second is None else [going[-1 if second else 0]]:
            hand.step(one)


def look_ahead(world: World, process: int, request: Request) -> None:
    """P12: a prefetch, a prerender or a HEAD uses nothing up, and sets nothing."""
    world.hand.done.clear()
    reply = world.hand.finish(world.stages[process].run(request))
    assert not world.hand.done
    assert not any(name == "set-cookie" for name, _ in reply.headers)
    world.seen["p12_looking_ahead_uses_nothing_up"] += 1


def log_out(world: World, person: Person, process: int) -> None:
    """Log out here and at the provider."""
    stage, life = world.stages[process], world.living(person)
    if life is not None:
        life.ended, life.ended_by = world.now, stage.site
    reply = world.hand.finish(stage.run(person.request("/auth/logout?next=/page")))
    person.keep(value for name, value in reply.headers if name == "set-cookie")
    assert dict(reply.headers)["location"].startswith(END_SESSION)
    assert SESSION_COOKIE not in person.held()
    if life is not None and not person.restored:
        assert world.provider.grants[life.code].revoked
        world.seen["a_logout_takes_the_tokens_back"] += 1
    person.sid = world.provider.new_sid()


def backchannel(world: World, process: int, *, sid: str | None, sub: str | None) -> None:
    """Let the provider say that it has ended a session, or all of a user's."""
    said = logout_claims(sid=sid, sub=sub, iat=world.now, exp=world.now + 120)
    header = {"alg": "ES256", "kid": "main", "typ": "logout+jwt"}
    body = urlencode({"logout_token": token(said, header, alg="ES256")}).encode()
    headers = (("content-type", "application/x-www-form-urlencoded"),)
    request = Request("POST", "/auth/backchannel-logout", "", headers, body)
    assert world.hand.finish(world.stages[process].run(request)).status == 200


def _sent_since(world: World, before: Counter[str]) -> tuple[str, ...]:
    return tuple((world.provider.sent - before).elements())


def _sends_code(running: Running[T]) -> bool:
    wants = running.wants
    return isinstance(wants, Fetch) and wants.url == TOKEN
