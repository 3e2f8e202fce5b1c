"""The test users, and which claims each scope gives."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Final, TypeAlias

from intastellar_auth.devprovider.jsons import Json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Claims: TypeAlias = dict[str, Json]

_SUB: Final = 255
_RESERVED: Final = frozenset(
    {
        *("iss", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "acr", "amr", "azp"),
        *("sid", "at_hash", "c_hash", "events", "phone_number_verified"),
    }
)
"""What the provider says by itself; a user's own word would make the token another one."""


@dataclass(frozen=True, slots=True)
class DevUser:
    """Someone to sign in as. ``sub`` is also the user name on the sign-in page.

    ``extra_claims`` are claims by any other name, as a site has them of its own; their values are
    what JSON can hold. Like ``roles`` and ``groups`` they come with the scope ``profile``.

    Raises ``ValueError`` for a ``sub`` that is none (OpenID Connect Core section 2), and for an
    extra claim that has a place already.
    """

    sub: str
    name: str
    email: str
    email_verified: bool = True
    locale: str = "en"
    zoneinfo: str = "Etc/UTC"
    phone_number: str = "+1 555 0100"
    address: str = "1 Example Street, Example Town"
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    extra_claims: Mapping[str, Json] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Refuse what clients must refuse, or what one of two places would hide."""
        if not 0 < len(self.sub) <= _SUB or not (self.sub.isascii() and self.sub.isprintable()):
            raise ValueError(f"sub: {self.sub!r} is not 1 to {_SUB} printable ASCII characters")
        own = {each.name for each in fields(self)}
        for name in self.extra_claims:
            if name in own:
                raise ValueError(f"extra_claims: {name} has a field of its own: use that")
            if name in _RESERVED:
                raise ValueError(f"extra_claims: {name} is for the provider to say")

    def claims(self, scopes: Collection[str]) -> Claims:
        """Return the claims that ``scopes`` ask for (OpenID Connect Core section 5.4).

        ``roles``, ``groups`` and the extra claims are in no specification; they come with
        ``profile``.
        """
        by_scope: dict[str, Claims] = {
            "profile": {
                "name": self.name,
                "preferred_username": self.sub,
                "locale": self.locale,
                "zoneinfo": self.zoneinfo,
                "roles": list(self.roles),
                "groups": list(self.groups),
                **self.extra_claims,
            },
            "email": {"email": self.email, "email_verified": self.email_verified},
            "phone": {"phone_number": self.phone_number, "phone_number_verified": False},
            "address": {"address": {"formatted": self.address}},
        }
        claims: Claims = {"sub": self.sub}
        for scope in scopes:
            claims |= by_scope.get(scope, {})
        return claims

    def is_called(self, hint: str) -> bool:
        """Return whether ``hint`` is this user's name or e-mail address."""
        return hint in {self.sub, self.email}


DEFAULT_USERS: Final = (
    DevUser("alice", "Alice Example", "alice@example.com", roles=("admin",), groups=("staff",)),
    DevUser("bob", "Bob Example", "bob@example.com", email_verified=False, locale="da"),
    DevUser(
        "carol",
        "Carol of many groups",
        "carol@example.com",
        groups=tuple(f"example-department-{number:03}" for number in range(200)),
    ),
)
"""``alice`` is an administrator, ``bob`` has an unverified address, ``carol`` is in 200 groups:
more than fits into one cookie."""
