"""All that the provider knows, in one place: ``app.state.provider``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from intastellar_auth.devprovider.faults import Faults
from intastellar_auth.devprovider.grants import Grants
from intastellar_auth.devprovider.keys import Keys
from intastellar_auth.devprovider.log import Log
from intastellar_auth.devprovider.scopes import SCOPES
from intastellar_auth.devprovider.sessions import Session, Sessions
from intastellar_auth.devprovider.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx
    from starlette.requests import Request

    from intastellar_auth.devprovider.authorization_request import AuthorizationRequest
    from intastellar_auth.devprovider.clients import DevClient
    from intastellar_auth.devprovider.end_session_request import EndSessionRequest
    from intastellar_auth.devprovider.parameters import Parameters
    from intastellar_auth.devprovider.users import DevUser


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things live, in seconds."""

    code: float = 60
    pushed_request: float = 60
    interaction: float = 1800
    id_token: int = 600
    access_token: int = 600
    refresh_token: int = 14 * 86400


@dataclass(slots=True)
class Provider:
    """The provider's state.

    ``scopes`` are those it grants. ``transport`` carries back-channel logout; ``None`` is the
    network.
    """

    issuer: str
    clients: Mapping[str, DevClient]
    users: Mapping[str, DevUser]
    clock: Callable[[], float]
    lifetimes: Lifetimes
    scopes: tuple[str, ...] = SCOPES
    transport: httpx.AsyncBaseTransport | None = None
    keys: Keys = field(init=False)
    log: Log = field(init=False)
    faults: Faults = field(init=False)
    grants: Grants = field(init=False)
    sessions: Sessions = field(init=False)
    interactions: Shelf[AuthorizationRequest] = field(init=False)
    logouts: Shelf[EndSessionRequest] = field(init=False)
    pushed: Shelf[Parameters] = field(init=False)
    assertions: Shelf[None] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with keys and nothing else."""
        self.keys = Keys()
        self.log = Log(self.clock)
        self.faults = Faults(self.keys.rotate)
        self.grants = Grants(self.clock, self.log)
        self.sessions = Sessions(self.clock)
        self.interactions = Shelf(self.clock)
        self.logouts = Shelf(self.clock)
        self.pushed = Shelf(self.clock)
        self.assertions = Shelf(self.clock)

    @property
    def cookie_name(self) -> str:
        """The session cookie's name. Browsers do not tell ports apart, so the name has to."""
        return f"devprovider_{urlsplit(self.issuer).port or 'session'}"

    def session(self, request: Request) -> Session | None:
        """Return the session of the browser that sent ``request``."""
        return self.sessions.get(request.cookies.get(self.cookie_name))

    def reset(self) -> None:
        """Forget everything but clients, users and keys, which others may hold copies of."""
        for part in (
            self.log,
            self.faults,
            self.grants,
            self.sessions,
            self.interactions,
            self.logouts,
            self.pushed,
            self.assertions,
        ):
            part.clear()


def provider_of(request: Request) -> Provider:
    """Return the state of the app that answers ``request``."""
    return cast("Provider", request.app.state.provider)
