"""The outside of all flows under way: it performs one effect of one of them at a time.

A question to the store and a call to the provider may take two steps, to act and to answer, and
anything may happen in between. What a driver promises holds: an unbroken flow goes on when its
request is given up, a call ends within ``HTTP_TIMEOUT``, and with a process ends all that is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias

from intastellar_auth.core.effects import Effect, Fetch, Flow, GetMany, Pause, Unbroken
from intastellar_auth.drive.ask import Question, ask
from intastellar_auth.errors import (
    AuthError,
    ProviderTimeout,
    ProviderUnreachable,
    StoreUnavailable,
)
from tests.flows.stage import JWKS, TOKEN
from tests.oidc.forge import answer

from .promises import Call, Promises
from .provider import Provider
from .visit import Process, Visit
from .world import World

Told: TypeAlias = tuple[object, Exception | None]
"""What a flow is told: a value, or an error."""

HTTP_TIMEOUT: Final = 10.0
# Others in the same process share a failure for a moment, and that to learn new keys for longer.
_SHARED: Final = 1.5
_KEYS_SHARED: Final = 31.0
# More than any flow here has: waiting for the longest lease takes about four hundred.
_MOST_EFFECTS: Final = 2000
_NOT_SENT, _LOST, _LATE, _UNHEARD, _BUSY = "not sent", "lost", "late", "unheard", "busy"
_PLANS: Final = (_NOT_SENT, _LOST, _LATE, _UNHEARD, _BUSY)


@dataclass(slots=True)
class Task:
    """A flow under way. It goes on at ``ready_at``; ``waiter`` waits for its end, if anyone does.

    ``root`` is the flow of a request itself. ``told`` is what it will be told, once that is known.
    """

    visit: Visit
    flow: Flow[Any]
    root: bool = False
    waiter: Task | None = None
    wants: Effect | None = None
    call: Call | None = None
    ready_at: float = 0.0
    told: Told | None = None

    @property
    def wakes_at(self) -> float:
        """When it may go on."""
        return max(self.ready_at, self.visit.process.frozen_until)


@dataclass(slots=True)
class Outside:
    """Performs effects. ``ended`` is told of each visit whose flow has ended."""

    world: World
    provider: Provider
    promises: Promises
    ended: Callable[[Visit], None]
    tasks: list[Task] = field(default_factory=list)
    late: list[tuple[float, Fetch]] = field(default_factory=list)

    def start(self, visit: Visit, flow: Flow[None]) -> None:
        """Run ``flow``, which answers ``visit``, to its first effect."""
        self._begin(Task(visit, flow, root=True))

    def waiting(self) -> list[Task]:
        """Return the tasks that wait for something else than the end of another."""
        return [task for task in self.tasks if not isinstance(task.wants, Unbroken)]

    def step(self, task: Task) -> None:
        """Take the next step of what ``task`` wants."""
        if task.told is None:
            match task.wants:
                case Fetch():
                    task.told = self._called(task)
                    slow = False
                case _:
                    task.told = self._asked(task.visit, task.wants)  # type: ignore[arg-type]  # a pause is told at once
                    slow = self.world.happens("slow store")
            if task.told is None or slow:
                return
        (value, error), task.told, task.call = task.told, None, None
        self._go_on(task, value, error)

    def let_late_calls_arrive(self) -> None:
        """Let the provider act on what nobody waits for any more."""
        for arrival in [one for one in self.late if one[0] <= self.world.clock.now]:
            self.late.remove(arrival)
            self.world.note("the provider acts late on", arrival[1])
            self.provider.act(arrival[1])

    def hang_up(self, visit: Visit) -> None:
        """Give the request up: what is unbroken goes on, the rest is closed."""
        for root in [task for task in self.tasks if task.visit is visit and task.root]:
            for task in self.tasks:
                task.waiter = None if task.waiter is root else task.waiter
            spends = root.call is not None and root.call.request.url == TOKEN
            self.world.hold("P10", not spends, f"{visit.name} is given up in mid-exchange")
            self._drop(root)

    def crash(self, process: Process) -> None:
        """Let ``process`` die: nothing in it goes on."""
        for task in [task for task in self.tasks if task.visit.process is process]:
            self._drop(task)

    def fault(self, process: Process, shared: float = _SHARED) -> None:
        """Take note of what all requests in ``process`` may feel for ``shared`` seconds."""
        self.world.faults += 1
        process.faulty_until = max(process.faulty_until, self.world.clock.now + shared)
        for visit in {task.visit.number: task.visit for task in self.tasks}.values():
            visit.faults += visit.process is process

    def _begin(self, task: Task) -> None:
        self.tasks.append(task)
        self._go_on(task, None, None)

    def _drop(self, task: Task) -> None:
        self.tasks.remove(task)
        task.flow.close()
        self._leave(task.call)

    def _leave(self, call: Call | None) -> None:
        """What was sent may arrive although nobody waits for the answer any more."""
        if call is not None and not call.arrived and call.plan == _LATE:
            call.arrived = True
            self.late.append(
                (self.world.clock.now + self.world.chance.uniform(0, 90), call.request)
            )

    def _go_on(self, task: Task, value: object, error: Exception | None) -> None:
        try:
            effect = task.flow.send(value) if error is None else task.flow.throw(error)
        except StopIteration as stop:
            self._end(task, stop.value, None)
        except AuthError as raised:
            self._end(task, None, raised)
        else:
            self._want(task, effect)

    def _end(self, task: Task, value: object, error: AuthError | None) -> None:
        self.tasks.remove(task)
        if task.root:
            self.world.hold("shells", error is None, f"{task.visit.name} raises {error!r}")
            self.ended(task.visit)
            return
        self.promises.unbroken_work_ended(task.visit)
        if task.waiter is not None:
            self._go_on(task.waiter, value, error)

    def _want(self, task: Task, effect: Effect) -> None:
        now, visit = self.world.clock.now, task.visit
        task.wants, task.ready_at = effect, now
        visit.effects += 1
        self.world.hold("ends", visit.effects < _MOST_EFFECTS, f"{visit.name} does not end")
        match effect:
            case Unbroken(flow):
                self._begin(Task(visit, flow, waiter=task))
            case Pause(seconds):
                task.ready_at, task.told = now + seconds, (None, None)
            case Fetch():
                task.call = Call(effect, self._plan(), now + HTTP_TIMEOUT)
                self.promises.sending(visit, task.call)

    def _plan(self) -> str:
        world = self.world
        if not world.calm and world.clock.now < world.provider_down_until:
            return world.chance.choice((_NOT_SENT, _LOST))
        return world.chance.choice(_PLANS) if world.happens("provider blip") else ""

    def _called(self, task: Task) -> Told | None:
        """Return what comes of a call, ``None`` as long as nothing has."""
        call, world = task.call, self.world
        assert call is not None
        now = world.clock.now
        if call.plan == _NOT_SENT:
            return self._failed(task, call, ProviderUnreachable("refused"))
        if call.plan == _BUSY:
            if "gateway" in world.beyond:
                self.provider.act(call.request)
            self._mishap(task, call, "busy")
            return answer({"error": "temporarily_unavailable"}, status=503), None
        if call.plan in ("", _UNHEARD) and not call.arrived:
            self._note(task, "acts")
            call.arrived, call.answer = True, self.provider.act(call.request)
            task.ready_at = now + world.chance.uniform(0.0, 0.5)
        elif now >= call.deadline:
            self._leave(call)
            return self._failed(task, call, ProviderTimeout("too slow"))
        elif call.plan:
            task.ready_at = call.deadline
        else:
            call.came_to = "answered"
            self.promises.answered(task.visit, call)
            return call.answer, None
        return None

    def _failed(self, task: Task, call: Call, error: AuthError) -> Told:
        self._mishap(task, call, type(error).__name__)
        return None, error

    def _mishap(self, task: Task, call: Call, what: str) -> None:
        self._note(task, what)
        self.fault(task.visit.process, _KEYS_SHARED if call.request.url == JWKS else _SHARED)
        call.came_to = what

    def _asked(self, visit: Visit, question: Question) -> Told:
        world = self.world
        down = not world.calm and world.clock.now < world.store_down_until
        if not (down or world.happens("store blip")):
            value = ask(world.store, question)
            self._note_question(visit, question, value)
            return value, None
        acted = not down and world.chance.random() < 0.3
        if acted:
            ask(world.store, question)
        self._note_question(visit, question, "fails, and was done" if acted else "fails")
        self.fault(visit.process)
        world.store_faults += 1
        return None, StoreUnavailable("the simulated store fails")

    def _note(self, task: Task, what: str) -> None:
        assert task.call is not None
        request = task.call.request
        self.world.note(task.visit.name, request.url.rpartition("/")[2], ":", what)

    def _note_question(self, visit: Visit, question: Question, answer: object) -> None:
        said = answer if isinstance(answer, bool | str) else partial(_seen, answer)
        self.world.note(visit.name, type(question).__name__, partial(_asked_for, question), said)


def _asked_for(question: Question) -> str:
    keys = question.keys if isinstance(question, GetMany) else (question.key,)
    return " ".join(key[:14] for key in keys)


def _seen(answer: object) -> str:
    """Return of an answer only how much it is: what is sealed says nothing."""
    if isinstance(answer, list):
        return " ".join(map(_seen, answer))
    return f"{len(answer)} bytes" if isinstance(answer, bytes) else "-"
