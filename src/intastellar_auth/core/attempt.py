"""One attempt to sign in: the ``state`` that travels through the provider, and the login cookie.

The login cookie is named after its ``state``, so tabs do not disturb each other, and only the
browser that holds it is *this browser* (RFC 9700 section 4.7). ``state`` is sealed too: it says
where the visitor was going, so that a callback whose cookie is lost can start again there, and a
forged one is told from a stale one.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec

from intastellar_auth.core import cookies
from intastellar_auth.core.seal import Sealer, from_text, to_text
from intastellar_auth.errors import SealBroken, StateRefused

MAX_ATTEMPTS = 5
MAX_BYTES = 3500
# Some providers cut a state off at 256 characters; sealed, this much of a path still fits.
_MAX_PATH_IN_STATE = 110
_MAX_STATE = 256


@dataclass(frozen=True, slots=True)
class State:
    """What ``state`` holds. ``return_to`` is empty where the path was too long to travel along."""

    id: bytes
    restarts: int
    return_to: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the login cookie holds; ``started`` in seconds since the epoch.

    ``receipt`` is the key to this attempt's outcome: the store alone, or the callback URL alone,
    opens nothing. A ``finished`` attempt has nothing left that could finish it again (CK-25). A
    ``silent`` one asked with ``prompt=none``: where that needs the visitor, it starts once more.
    """

    id: bytes
    started: float
    restarts: int
    return_to: str
    receipt: bytes = field(repr=False)
    nonce: str = field(default="", repr=False)
    code_verifier: str = field(default="", repr=False)
    finished: bool = False
    silent: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode_state = msgspec.msgpack.Decoder(State).decode
_decode_attempt = msgspec.msgpack.Decoder(Attempt).decode


@dataclass(frozen=True, slots=True)
class Attempts:
    """How this site keeps attempts. ``timeout`` and ``window`` are in seconds."""

    prefix: str
    attributes: cookies.CookieAttributes
    cookie_sealer: Sealer
    state_sealer: Sealer
    token_bytes: Callable[[int], bytes]
    timeout: float
    window: float

    def begin(
        self, return_to: str, now: float, restarts: int, *, silent: bool = False
    ) -> tuple[Attempt, str]:
        """Return a new attempt and its ``state``.

        ``nonce``, ``code_verifier`` and ``receipt`` are independent, 256 bits each (RFC 7636
        section 7.1; CVE-2022-31034).
        """
        attempt = Attempt(
            id=self.token_bytes(16),
            started=now,
            restarts=restarts,
            return_to=return_to,
            receipt=self.token_bytes(32),
            nonce=to_text(self.token_bytes(32)),
            code_verifier=to_text(self.token_bytes(32)),
            silent=silent,
        )
        carried = return_to if len(return_to) <= _MAX_PATH_IN_STATE else ""
        state = State(attempt.id, restarts, carried)
        return attempt, to_text(self.state_sealer.seal(_encode(state)))

    def read_state(self, text: str | None) -> State:
        """Return what a ``state`` of ours holds; raises ``StateRefused`` for any other."""
        if text is None:
            raise StateRefused("the callback has no state")
        if len(text) > _MAX_STATE:
            raise StateRefused("the state is longer than any of ours")
        try:
            return _decode_state(self.state_sealer.open(from_text(text.encode())))
        except (SealBroken, msgspec.MsgspecError, UnicodeDecodeError):
            raise StateRefused("the state is forged, or its SECRET_KEYS are gone") from None

    def find(self, header: bytes, text: str, state: State) -> Attempt | None:
        """Return the attempt that this browser keeps for ``state``, ``None`` if it keeps none."""
        for value in cookies.values(header, self._name(text).encode()):
            attempt = self._open(value)
            if attempt is not None and hmac.compare_digest(attempt.id, state.id):
                return attempt
        return None

    def kept(self, header: bytes) -> list[Attempt]:
        """Return every attempt that this browser keeps, finished or not."""
        found = map(self._open, cookies.named_alike(header, self.prefix).values())
        return [attempt for attempt in found if attempt is not None]

    def is_open(self, attempt: Attempt, now: float) -> bool:
        """Return whether ``attempt`` may still be finished at ``now``."""
        return not attempt.finished and now < attempt.started + self.timeout

    def keep(self, attempt: Attempt, text: str, header: bytes) -> list[str]:
        """Return the ``Set-Cookie`` values that keep ``attempt``, at the cost of the oldest ones.

        Abandoned attempts must not pile up until a server refuses the header (CB-24,
        CVE-2021-22119).
        """
        name = self._name(text)
        # One who was in time and whose answer was lost may have it again after the time is over.
        lasts = int(self.timeout + self.window)
        written = cookies.set_cookie(name, self._seal(attempt), self.attributes, lasts)
        room, count = MAX_BYTES - len(written.partition(";")[0]), MAX_ATTEMPTS - 1
        dropped: list[str] = []
        for kept, value in self._newest_first(header):
            room -= len(kept) + len(value) + len("=; ")
            count -= 1
            if room < 0 or count < 0:
                dropped.append(cookies.clear_cookie(kept, self.attributes))
        return [written, *dropped]

    def receipt_cookie(self, attempt: Attempt, text: str) -> str:
        """Return the ``Set-Cookie`` value that lets this browser have the same answer again."""
        receipt = replace(attempt, finished=True, nonce="", code_verifier="")
        return cookies.set_cookie(
            self._name(text), self._seal(receipt), self.attributes, max(1, int(self.window))
        )

    def _newest_first(self, header: bytes) -> list[tuple[str, bytes]]:
        """The cookies of the other attempts; one that does not open is the oldest of all."""

        def started(cookie: tuple[str, bytes]) -> float:
            attempt = self._open(cookie[1])
            return attempt.started if attempt else 0.0

        return sorted(cookies.named_alike(header, self.prefix).items(), key=started, reverse=True)

    def _open(self, value: bytes) -> Attempt | None:
        try:
            return _decode_attempt(self.cookie_sealer.open(from_text(value)))
        except (SealBroken, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def _seal(self, attempt: Attempt) -> str:
        return to_text(self.cookie_sealer.seal(_encode(attempt)))

    def _name(self, text: str) -> str:
        return cookies.tagged(self.prefix, text)
