"""What came of an attempt to sign in, in the form in which it is recorded."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from intastellar_auth.core.session import Session


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no session, as a visitor may know it; ``restart`` if a new attempt may help.

    ``permanent`` as in ``AuthError``.
    """

    code: str
    status: int
    sentence: str
    reference: str
    restart: bool = False
    cancelled: bool = False
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: a ``session``, or a ``failure``."""

    session: Session | None = None
    id_token: str | None = field(default=None, repr=False)
    failure: Failure | None = None


encode_outcome = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Outcome).decode


def decode_outcome(value: bytes) -> Outcome | None:
    """Return the outcome in ``value``, ``None`` for one that another version has written."""
    try:
        return _decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
