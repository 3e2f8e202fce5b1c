"""A site that keeps tokens, and a provider that rotates them and takes no excuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from intastellar_auth.core.front import Front, make_front
from tests.oidc.forge import ISSUER, answer, claims, token

from .stage import TOKEN, Stage, make_stage, token_answer

if TYPE_CHECKING:
    from intastellar_auth.core.admission import Admitted
    from intastellar_auth.core.effects import Answer, Fetch
    from intastellar_auth.oidc.json_object import Json

    from .hand import Running

LIFETIME = 300
REVOCATION = f"{ISSUER}/revoke"
MODES = ("cookie", "server")


@dataclass(slots=True)
class Rotating:
    """The token endpoint: each refresh token is good once, and its second use revokes them all."""

    stage: Stage
    lifetime: float | None = LIFETIME
    rotates: bool = True
    gives_refresh_tokens: bool = True
    refreshes: int = 0
    reused: int = 0
    live: str | None = None
    id_token: dict[str, Json] | None = None
    key: str = "main"
    more: dict[str, Json] = field(default_factory=dict)
    more_at_sign_in: dict[str, Json] = field(default_factory=dict)

    def __call__(self, request: Fetch) -> Answer:
        """Answer a token request."""
        form = dict(parse_qsl((request.body or b"").decode()))
        if form["grant_type"] == "authorization_code":
            issued = {**self._issued(), **self.more_at_sign_in}
            return token_answer(self.stage.grants.pop(form["code"]), **issued)
        if form["refresh_token"] != self.live:
            self.reused += 1
            self.live = None
            return answer({"error": "invalid_grant"}, status=400)
        self.refreshes += 1
        issued = {**self._issued(), "token_type": "Bearer", **self.more}
        if self.id_token is not None:
            now = self.stage.hand.clock.now
            least: dict[str, Json] = {"nonce": None, "iat": now, "exp": now + 300}
            issued["id_token"] = token(claims(**{**least, **self.id_token}), name=self.key)
        return answer(issued)

    def _issued(self) -> dict[str, Json]:
        issued: dict[str, Json] = {"access_token": f"access-{self.refreshes}"}
        if self.lifetime is not None:
            issued["expires_in"] = self.lifetime
        if self.gives_refresh_tokens and (self.rotates or self.refreshes == 0):
            self.live = f"refresh-{self.refreshes}"
            issued["refresh_token"] = self.live
        return issued


@dataclass(slots=True)
class Visit:
    """One request to the app, from its cookie to its answer."""

    stage: Stage
    front: Front
    header: bytes
    running: Running[Admitted | None]

    @property
    def admitted(self) -> Admitted | None:
        """Return who it is from, once that is known."""
        return self.stage.hand.finish(self.running)

    @property
    def access_token(self) -> str | None:
        """Return the access token that the app gets."""
        admitted = self.admitted
        assert admitted is not None, "nobody is signed in"
        return admitted.auth.access_token

    def answer(self) -> None:
        """Let the answer go out, and the browser keep what it sets."""
        admitted = self.admitted
        if admitted is not None and self.stage.hand.clock.now >= admitted.roll_at:
            written = self.stage.hand.play(self.front.roll(admitted.session, self.header))
            for value in written:
                name, _, rest = value.partition("=")
                self.stage.browser.cookies[name] = rest.partition(";")[0]


def refreshing(*, mode: str = "cookie", **values: object) -> tuple[Stage, Rotating]:
    """Return a site in ``mode`` that keeps tokens, and the token endpoint of its provider."""
    stage = make_stage(keep_tokens=True, session_mode=mode, **values)
    provider = Rotating(stage)
    stage.hand.say(TOKEN, provider)
    return stage, provider


def visiting(stage: Stage, cookies: dict[str, str] | None = None) -> Visit:
    """Start a request to the app with the browser's cookies, to its first effect."""
    front = make_front(stage.site)
    pairs = (stage.browser.cookies if cookies is None else cookies).items()
    header = "; ".join(f"{name}={value}" for name, value in pairs).encode()
    return Visit(stage, front, header, stage.hand.start(front.admit(header)))


def visit(stage: Stage) -> str | None:
    """Make a request to the app; return the access token that it gets."""
    one = visiting(stage)
    access_token = one.access_token
    one.answer()
    return access_token
