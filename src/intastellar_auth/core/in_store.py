"""``SESSION_MODE=server``: the cookie holds a signed id, the store the session, sealed.

The signature is looked at before the store is: made-up ids cost it nothing. The tokens have an
entry of their own, which nothing but a sign-in and a refresh writes: a roll by a slow request
cannot bring an old refresh token back (row P13).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from itsdangerous import BadSignature, Signer

from intastellar_auth.core.effects import Flow, delete, get_many, put
from intastellar_auth.core.ended import ends, tombstone, tombstones
from intastellar_auth.core.seal import Sealer, from_text
from intastellar_auth.core.session import Session
from intastellar_auth.core.tokens import Kept
from intastellar_auth.errors import SealBroken


@dataclass(frozen=True, slots=True)
class _Tokens:
    """What the tokens' entry holds. ``id`` is the session's: entries must not be swapped."""

    id: str
    tokens: Kept


_encode = msgspec.msgpack.Encoder().encode
_decode_session = msgspec.msgpack.Decoder(Session).decode
_decode_tokens = msgspec.msgpack.Decoder(_Tokens).decode


@dataclass(frozen=True, slots=True)
class InStore:
    """Keeps sessions in the store; a ``Keeper``."""

    signer: Signer
    sealer: Sealer

    @property
    def carries_tokens(self) -> bool:
        """False: the tokens are in the store."""
        return False

    def text(self, session: Session) -> str:
        """Return the id of ``session``, signed."""
        return self.signer.sign(session.id).decode("ascii")

    def at_once(self, text: bytes) -> Session | None:  # noqa: ARG002  a Keeper's signature
        """Return ``None``: the store has to be asked."""
        return None

    def open(self, text: bytes) -> Flow[Session | None]:
        """Return the session with the id that ``text`` is a signature of."""
        try:
            # The signer passes over spare bits and stray characters: an id would have many cookies.
            from_text(text.rpartition(b".")[2])
            session_id = self.signer.unsign(text).decode("ascii")
        except (SealBroken, BadSignature):
            return None
        found, tokens, ended = yield from get_many(*_entry(session_id), tombstone(session_id))
        # A roll by a slow request may have come behind the logout, and have written it once more.
        return None if ended is not None else self._read(session_id, found, tokens)

    def check(self, session: Session) -> Flow[Session | None]:
        """Return what the store has of ``session`` now, ``None`` if somebody has ended it."""
        found, tokens, *ended = yield from get_many(*_entry(session.id), *tombstones(session))
        return None if ends(session, ended) else self._read(session.id, found, tokens)

    def _read(self, session_id: str, found: bytes | None, tokens: bytes | None) -> Session | None:
        session = self._session(found)
        if session is None or session.id != session_id:
            return None
        return session.with_tokens(self._tokens(tokens, session_id))

    def keep(self, session: Session, ttl: float) -> Flow[None]:
        """Write the session's entry."""
        value = self.sealer.seal(_encode(session._replace(tokens=None)))
        yield from put(_session_key(session.id), value, ttl)

    def keep_tokens(self, session: Session, ttl: float) -> Flow[None]:
        """Write the tokens' entry, or remove it where there are none."""
        if session.tokens is None:
            yield from delete(_tokens_key(session.id))
        else:
            value = self.sealer.seal(_encode(_Tokens(session.id, session.tokens)))
            yield from put(_tokens_key(session.id), value, ttl)

    def drop(self, session: Session) -> Flow[None]:
        """Remove both entries."""
        yield from delete(_session_key(session.id))
        yield from delete(_tokens_key(session.id))

    def _session(self, value: bytes | None) -> Session | None:
        """What the store holds is hostile: what does not open is not there."""
        if value is None:
            return None
        try:
            return _decode_session(self.sealer.open(value))
        except (SealBroken, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def _tokens(self, value: bytes | None, session_id: str) -> Kept | None:
        if value is None:
            return None
        try:
            entry = _decode_tokens(self.sealer.open(value))
        except (SealBroken, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return entry.tokens if entry.id == session_id else None


def make_signer(secrets: Sequence[bytes], binding: Sequence[str]) -> Signer:
    """Return the signer of ids for one ``binding``; ``secrets`` are newest first."""
    salt = b"intastellar-auth 1 " + msgspec.msgpack.encode(list(binding))
    # itsdangerous signs with the last key, and takes all.
    return Signer(secrets[::-1], salt=salt, key_derivation="hmac", digest_method=hashlib.sha256)


def _entry(session_id: str) -> tuple[str, str]:
    return _session_key(session_id), _tokens_key(session_id)


def _session_key(session_id: str) -> str:
    return "session:" + _hidden(session_id)


def _tokens_key(session_id: str) -> str:
    return "tokens:" + _hidden(session_id)


def _hidden(session_id: str) -> str:
    """A copy of the store tells nobody an id (SS-09)."""
    return hashlib.sha256(session_id.encode()).hexdigest()[:40]
