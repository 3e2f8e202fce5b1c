"""What a misbehaviour is called, which rows it covers, and what must come of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .server import Answer, Pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .jose import Json
    from .provider import Misbehaviour, Provider


class Verdict(enum.Enum):
    """What must come of a sign-in."""

    ACCEPT = "signed in"
    REJECT = "a safe page, nobody signed in, no userinfo call after a bad ID token"
    STOP = "a safe page, and no token request was made"
    RESTART = "the sign-in starts again once; the second failure is a safe page"
    SAFE = "accepted or refused, but without harm"
    NO_START = "login itself answers with a safe page"


@dataclass(frozen=True, slots=True)
class Case:
    """One misbehaviour with its requirement rows and its verdict."""

    ids: str
    name: str
    verdict: Verdict
    misbehave: Misbehaviour
    settings: Mapping[str, str] = field(default_factory=dict)


def well_behaved(_provider: Provider) -> None:
    """Change nothing."""


def claims(change: Callable[[Json], Json]) -> Misbehaviour:
    """Change the ID token's claims before they are signed."""

    def switch_on(provider: Provider) -> None:
        provider.script.claims = change

    return switch_on


def claim(name: str, value: object) -> Misbehaviour:
    """Set one claim of the ID token."""
    return claims(lambda given: {**given, name: value})


def no_claim(name: str) -> Misbehaviour:
    """Leave one claim of the ID token out."""
    return claims(lambda given: without(given, name))


def without(given: Json, *names: str) -> Json:
    """Return ``given`` less the members called ``names``."""
    return {name: value for name, value in given.items() if name not in names}


def id_token(forge: Callable[[Json], object]) -> Misbehaviour:
    """Make the ID token from its claims in another way."""

    def switch_on(provider: Provider) -> None:
        provider.script.id_token = forge

    return switch_on


def jwks(change: Callable[[list[Json]], list[Json]]) -> Misbehaviour:
    """Change the published keys."""

    def switch_on(provider: Provider) -> None:
        provider.script.jwks = change

    return switch_on


def token(**members: object) -> Misbehaviour:
    """Set members of the token response."""

    def switch_on(provider: Provider) -> None:
        provider.script.token = lambda given: {**given, **members}

    return switch_on


def no_token_member(name: str) -> Misbehaviour:
    """Leave one member of the token response out."""

    def switch_on(provider: Provider) -> None:
        provider.script.token = lambda given: without(given, name)

    return switch_on


def userinfo(**members: object) -> Misbehaviour:
    """Set members of the userinfo response."""

    def switch_on(provider: Provider) -> None:
        provider.script.userinfo = lambda given: {**given, **members}

    return switch_on


def metadata(**members: object) -> Misbehaviour:
    """Set members of the provider's metadata; ``None`` leaves one out."""

    def switch_on(provider: Provider) -> None:
        provider.script.metadata = lambda given: {
            name: value for name, value in {**given, **members}.items() if value is not None
        }

    return switch_on


def algorithms(*names: str) -> Misbehaviour:
    """Announce other signing algorithms."""
    return metadata(id_token_signing_alg_values_supported=list(names))


def response(change: Callable[[Pairs], Pairs]) -> Misbehaviour:
    """Change the parameters of the authorization response."""

    def switch_on(provider: Provider) -> None:
        provider.script.response = change

    return switch_on


def answer(endpoint: str, change: Callable[[Answer], Answer]) -> Misbehaviour:
    """Change the HTTP answer of one endpoint."""

    def switch_on(provider: Provider) -> None:
        provider.script.answers[endpoint] = change

    return switch_on


def status(endpoint: str, code: int, body: bytes = b"{}", **headers: str) -> Misbehaviour:
    """Answer with this status and body; ``_`` in a header's name stands for a hyphen."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    json_type = (("Content-Type", "application/json"),)
    return answer(endpoint, lambda _: Answer(code, body, json_type + pairs))


def body(endpoint: str, content: bytes, media_type: str = "application/json") -> Misbehaviour:
    """Answer 200 with this body."""
    return answer(endpoint, lambda _: Answer(200, content, (("Content-Type", media_type),)))


def padded(endpoint: str) -> Misbehaviour:
    """Answer well, and with 10 MB of blanks."""
    return answer(endpoint, lambda given: replace(given, body=given.body + b" " * 10_000_000))


def redirect(endpoint: str) -> Misbehaviour:
    """Answer with a redirect to an address of the provider that nobody may visit."""

    def switch_on(provider: Provider) -> None:
        location = (("Location", provider.url("evil")),)
        provider.script.answers[endpoint] = lambda _: Answer(302, b"", location)

    return switch_on


def slow(endpoint: str, wait: float = 5.0) -> Misbehaviour:
    """Answer well, but too late."""
    return answer(endpoint, lambda given: replace(given, wait=wait))


def both(*misbehaviours: Misbehaviour) -> Misbehaviour:
    """Switch several on."""

    def switch_on(provider: Provider) -> None:
        for misbehave in misbehaviours:
            misbehave(provider)

    return switch_on
