"""``SESSION_MODE=cookie``: the cookie holds all of a session, sealed, and the store nothing."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from intastellar_auth.core.effects import Flow
from intastellar_auth.core.ended import has_ended
from intastellar_auth.core.seal import Sealer, from_cookie, to_cookie
from intastellar_auth.core.session import Session
from intastellar_auth.errors import SealBroken

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Session).decode


@dataclass(frozen=True, slots=True)
class InCookie:
    """Keeps sessions in their cookies; a ``Keeper``."""

    sealer: Sealer

    @property
    def carries_tokens(self) -> bool:
        """True: the tokens are in the cookie."""
        return True

    def text(self, session: Session) -> str:
        """Return ``session`` sealed."""
        if session.tokens is not None:
            # The session has the same claims, and a cookie no room for them twice.
            session = session._replace(tokens=session.tokens._replace(claims=b""))
        return to_cookie(self.sealer.seal(_encode(session)))

    def at_once(self, text: bytes) -> Session | None:
        """Return the session that is sealed in ``text``."""
        try:
            return _decode(self.sealer.open(from_cookie(text)))
        except (SealBroken, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def open(self, text: bytes) -> Flow[Session | None]:
        """Return the same: there is nobody to ask."""
        yield from ()
        return self.at_once(text)

    def check(self, session: Session) -> Flow[Session | None]:
        """Return ``session`` if nobody has ended it: there is no other copy that would count."""
        return None if (yield from has_ended(session)) else session

    def keep(self, session: Session, ttl: float) -> Flow[None]:  # noqa: ARG002  a Keeper's
        """Do nothing: the browser keeps it."""
        yield from ()

    def keep_tokens(self, session: Session, ttl: float) -> Flow[None]:  # noqa: ARG002  a Keeper's
        """Do nothing: they are in the cookie too."""
        yield from ()

    def drop(self, session: Session) -> Flow[None]:  # noqa: ARG002  a Keeper's
        """Do nothing: what is out there cannot be called back, only be told from the living."""
        yield from ()
