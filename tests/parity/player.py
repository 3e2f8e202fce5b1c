"""Plays a scenario to one shell, holds each answer against the scenario, and keeps them all."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tests.flows.hand import Clock, make_token_bytes
from tests.oidc.forge_logout import logout_token
from tests.wsgi.simulation import site_settings

from .provider import CLIENT_ID, approve
from .scenario import Come
from .shells import Came, Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from intastellar_auth import Settings
    from tests.hostile.server import Asked

    from .provider import Provider
    from .scenario import Scenario, Step
    from .shells import Shell

    MakeShell = Callable[[Settings, Clock, Callable[[int], bytes]], Shell]

_LOGIN = re.compile(r"(?<=-login-)[0-9a-f]{16}$")
_PROOF = re.compile(r'name="proof" value="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a scenario, to the last byte: all that can be seen of a shell from outside."""

    answers: tuple[Came, ...]
    log: tuple[str, ...]
    asked: tuple[Asked, ...]


@dataclass(slots=True)
class _Player:
    """One scenario under way: the browsers' cookies, and what ``{...}`` stands for by now."""

    shell: Shell
    clock: Clock
    provider: Provider
    mount: str
    jars: dict[str, dict[str, str]] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    attempts: int = 0

    def play(self, step: Step) -> Came:
        self.clock.now += step.after
        if step.answers is not None:
            self.provider.answers = dict(step.answers)
        if step.claims is not None:
            self.provider.claims = dict(step.claims)
        jar = self.jars.setdefault(step.browser, {})
        cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
        cookie = cookie if step.cookie is None else step.cookie
        headers = (*step.headers, *((("cookie", cookie),) if cookie else ()))
        body = self._filled(step.body).encode("latin-1")
        target = self._filled(step.target)
        came = self.shell.ask(Sent(step.method, target, headers, body, self.mount))
        sets, clears = self._keep(jar, came)
        self._check(step.come, came, sets, clears)
        self._learn(came)
        return came

    def _filled(self, text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: self.known[match[1]], text)

    def _keep(self, jar: dict[str, str], came: Came) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Do what a browser does with cookies; return which were given, and which removed."""
        given, removed = dict[str, None](), dict[str, None]()
        for value in (value for name, value in came.headers if name == "set-cookie"):
            name, _, rest = value.partition("=")
            if "Max-Age=0" in rest:
                jar.pop(name, None)
                removed[_LOGIN.sub("*", name)] = None
            else:
                jar[name] = rest.partition(";")[0]
                given[_LOGIN.sub("*", name)] = None
        return tuple(given), tuple(removed)

    def _check(
        self, come: Come, came: Came, sets: tuple[str, ...], clears: tuple[str, ...]
    ) -> None:
        location, text = _location(came), came.body.decode("utf-8", "replace")
        begins = bool(come.location) and location.startswith(self._filled(come.location))
        got = Come(
            came.status,
            come.location if begins else location,
            come.says if self._filled(come.says) in text else text,
            sets,
            clears,
        )
        assert got == come, f"{got} and not {come}"

    def _learn(self, came: Came) -> None:
        location = _location(came)
        proof = _PROOF.search(came.body.decode("utf-8", "replace"))
        if proof:
            self.known["proof"] = proof[1]
        if location.startswith(self.provider.url("authorize")):
            callback = approve(location)
            response = urlsplit(callback).query
            self.attempts += 1
            self.known |= {
                "callback": callback,
                f"callback{self.attempts}": callback,
                "response": response,
                "state": parse_qs(response)["state"][0],
            }
        elif location.startswith(self.provider.url("end_session")):
            self.known["end"] = parse_qs(urlsplit(location).query)["state"][0]


def play(scenario: Scenario, make_shell: MakeShell, provider: Provider) -> Played:
    """Return what comes of ``scenario``; raises ``AssertionError`` where it is not what must."""
    clock = Clock()
    provider.begin(clock)
    given = {
        name: value.replace("{provider}", provider.issuer) if isinstance(value, str) else value
        for name, value in scenario.settings.items()
    }
    settings = site_settings(**{"issuer": provider.issuer, **given})
    with _log() as lines:
        shell = make_shell(settings, clock, make_token_bytes())
        player = _Player(shell, clock, provider, scenario.mount)
        player.known["provider"] = provider.issuer
        player.known["logout_token"] = logout_token(iss=provider.issuer, aud=CLIENT_ID)
        answers = tuple(map(player.play, scenario.steps))
    return Played(answers, tuple(lines), tuple(provider.asked))


@contextmanager
def _log() -> Iterator[list[str]]:
    """Keep the package's lines of the log while the block runs."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.levelname} {record.getMessage()}")

    logger, handler = logging.getLogger("intastellar_auth"), Keep()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


def _location(came: Came) -> str:
    return next((value for name, value in came.headers if name == "location"), "")
