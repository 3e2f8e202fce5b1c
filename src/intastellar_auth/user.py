"""Who is signed in, as the app sees it in ``scope["user"]`` and ``scope["auth"]``.

The names are those of ``starlette.authentication``, so ``request.user``, ``request.auth`` and
``@requires("authenticated")`` work unchanged; nothing here imports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgspec

from intastellar_auth.entrance import Entrance

_set = object.__setattr__
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(dict[str, object]).decode


def pack_claims(claims: Mapping[str, object]) -> bytes:
    """Return ``claims`` as one value, which ``User`` takes apart when somebody asks for them."""
    return _pack(claims)


def unpack_claims(packed: bytes) -> dict[str, object]:
    """Return what ``pack_claims`` was given, no claims where another version packed them otherwise.

    Whoever they are about is signed in all the same, and may do no more for it.
    """
    try:
        return _unpack(packed)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}


NO_CLAIMS: Final = pack_claims({})

_Claims: TypeAlias = Mapping[str, object] | bytes


@dataclass(frozen=True, slots=True, init=False)
class User:
    """A signed-in user. ``(iss, sub)`` is the stable key; every claim can be missing.

    Two users are equal when ``iss`` and ``sub`` are. ``claims`` may be given packed.
    """

    sub: str
    iss: str
    # What it was made of, until somebody asks: a page that greets nobody does not pay for that.
    _claims: Mapping[str, object] | tuple[_Claims, str | None, float | None] = field(
        compare=False, repr=False
    )

    def __init__(
        self,
        sub: str,
        iss: str,
        claims: _Claims = NO_CLAIMS,
        sid: str | None = None,
        auth_time: float | None = None,
    ) -> None:
        _set(self, "sub", sub)
        _set(self, "iss", iss)
        _set(self, "_claims", (claims, sid, auth_time))

    @property
    def claims(self) -> Mapping[str, object]:
        """``sub``, ``iss``, ``sid``, ``auth_time``, and the claims named by ``INTASTELLAR_CLAIMS``.

        Those that the provider has not told are missing; ``auth_time`` is in seconds since the
        epoch. Shared between the requests of one session: read them, do not write to them.
        """
        claims = self._claims
        if isinstance(claims, tuple):
            told, sid, auth_time = claims
            told = unpack_claims(told) if isinstance(told, bytes) else told
            always = {"sub": self.sub, "iss": self.iss, "sid": sid, "auth_time": auth_time}
            claims = {**told, **{name: one for name, one in always.items() if one is not None}}
            _set(self, "_claims", claims)
        return claims

    @property
    def is_authenticated(self) -> bool:
        """Always true."""
        return True

    @property
    def identity(self) -> str:
        """``sub``, the provider's name for this user (OpenID Connect Core section 5.7)."""
        return self.sub

    @property
    def display_name(self) -> str:
        """A name to greet the user by: the first of the name claims that is there."""
        return self._text("name") or self._text("preferred_username") or self.email or self.sub

    @property
    def email(self) -> str | None:
        """The e-mail address, if the provider gave one. It can change and may be unverified."""
        return self._text("email")

    def _text(self, claim: str) -> str | None:
        value = self.claims.get(claim)
        return value if isinstance(value, str) and value.strip() else None


@dataclass(frozen=True, slots=True)
class AnonymousUser:
    """Nobody is signed in. It has every attribute of ``User``, so templates need no ``if``."""

    sub: None = None
    iss: None = None
    claims: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_authenticated(self) -> bool:
        """Always false."""
        return False

    @property
    def identity(self) -> str:
        """Empty."""
        return ""

    @property
    def display_name(self) -> str:
        """Empty."""
        return ""

    @property
    def email(self) -> None:
        """``None``."""
        return


@dataclass(frozen=True, slots=True)
class Auth:
    """What the user may do: ``scopes`` as the provider granted them, and ``authenticated``.

    ``entrance`` is there for nobody, to say where a sign-in starts. ``unsure`` is true of a visitor
    who may be signed in all the same: the store did not say, or another site's page is asking.
    """

    scopes: tuple[str, ...] = ()
    access_token: str | None = field(default=None, repr=False)
    entrance: Entrance | None = field(default=None, compare=False, repr=False)
    unsure: bool = field(default=False, compare=False, repr=False)


ANONYMOUS = AnonymousUser()
NO_AUTH = Auth()
