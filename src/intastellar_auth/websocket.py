"""A WebSocket that ends with its session (ASGI).

It may stay open for days, and nothing but its messages goes through our hands: so each of them is
held against the session, as each request is. One that is silent is closed when it next speaks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.types import Message, Receive, Send

from intastellar_auth.core.admission import Admitted
from intastellar_auth.errors import StoreUnavailable

# RFC 6455 section 7.4.1, and 1013 of the registry that it makes: try again later.
_POLICY: Final = 1008
_LATER: Final = 1013


@dataclass(slots=True)
class Watched:
    """Carries the messages of one WebSocket while its user is ``admitted``.

    ``admit`` finds out who they are now, ``None`` for nobody who is signed in any more.
    """

    admitted: Admitted
    admit: Callable[[], Awaitable[Admitted | None]]
    clock: Callable[[], float]
    to_app: Receive
    to_browser: Send
    closed: int | None = None

    async def receive(self) -> Message:
        """Return what the browser says, or that the connection has ended."""
        message = await self.to_app()
        if message["type"] == "websocket.receive" and not await self._goes_on():
            return {"type": "websocket.disconnect", "code": self.closed}
        return message

    async def send(self, message: Message) -> None:
        """Send what the app says, unless there is nobody to hear it."""
        if message["type"] == "websocket.send" and not await self._goes_on():
            return
        if self.closed is None:
            await self.to_browser(message)

    async def _goes_on(self) -> bool:
        if self.closed is not None or self.clock() < self.admitted.until:
            return self.closed is None
        try:
            admitted = await self.admit()
        except StoreUnavailable:
            await self._close(_LATER, "try again later")
            return False
        if admitted is None or admitted.session.id != self.admitted.session.id:
            await self._close(_POLICY, "signed out")
            return False
        self.admitted = admitted
        return True

    async def _close(self, code: int, reason: str) -> None:
        self.closed = code
        await self.to_browser({"type": "websocket.close", "code": code, "reason": reason})
