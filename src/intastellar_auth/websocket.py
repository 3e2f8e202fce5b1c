"""A WebSocket that ends with its session (ASGI).

It may stay open for days, and nothing but its messages goes through our hands: so each of them is
held against the session, as each request is. One that is silent is closed when it next speaks.

The session is asked about, not the cookie of the handshake: while the socket is open the browser
gets newer cookies, of which the socket learns nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intastellar_auth.core.admission import Standing
from intastellar_auth.errors import StoreUnavailable

# RFC 6455 section 7.4.1, and 1013 of the registry that it makes: try again later.
_NORMAL: Final = 1000
_POLICY: Final = 1008
_LATER: Final = 1013


class Hung(OSError):
    """What an app's ``send`` raises on a WebSocket that is closed (ASGI 2.4)."""


@dataclass(slots=True)
class Watched:
    """Carries the messages of one WebSocket while the session of its user lives.

    ``standing`` is what is known of the session, and ``still`` asks anew: ``None`` means that it
    has ended. ``closed`` is the code with which the app or we have closed the socket.
    """

    standing: Standing
    still: Callable[[Standing], Awaitable[Standing | None]]
    clock: Callable[[], float]
    to_app: Receive
    to_browser: Send
    closed: int | None = None

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Run ``app`` on this WebSocket."""
        # Servers do not call it a mistake either, where an app says on to a visitor who has gone.
        with suppress(Hung):
            await app(scope, self.receive, self.send)

    async def receive(self) -> Message:
        """Return what the browser says, or that the connection has ended."""
        message = await self.to_app()
        if message["type"] == "websocket.receive" and not await self._goes_on():
            return {"type": "websocket.disconnect", "code": self.closed}
        return message

    async def send(self, message: Message) -> None:
        """Send what the app says; raises ``Hung`` where there is nobody to hear it any more.

        An app that only speaks has no other way to learn of the end.
        """
        kind = message["type"]
        if kind == "websocket.close":
            if self.closed is not None:
                # Servers take a second close for a mistake of the app's.
                return
            self.closed = message.get("code", _NORMAL)
        elif kind == "websocket.send" and not await self._goes_on():
            raise Hung(f"the WebSocket was closed with {self.closed}")
        await self.to_browser(message)

    async def _goes_on(self) -> bool:
        if self.closed is None and not self._is_good():
            try:
                found = await self.still(self.standing)
            except StoreUnavailable:
                await self._close(_LATER, "try again later")
            else:
                if found is None:
                    await self._close(_POLICY, "signed out")
                else:
                    self.standing = found
        return self.closed is None

    def _is_good(self) -> bool:
        return self.standing.checked <= self.clock() < self.standing.until

    async def _close(self, code: int, reason: str) -> None:
        # One task of the app's speaks and another listens: both may have found out just now.
        if self.closed is None:
            self.closed = code
            with suppress(OSError):  # the visitor has gone by themselves
                await self.to_browser({"type": "websocket.close", "code": code, "reason": reason})
