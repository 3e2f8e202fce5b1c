"""The test users, and which claims each scope gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from intastellar_auth.devprovider.jsons import Json

if TYPE_CHECKING:
    from collections.abc import Collection

Claims: TypeAlias = dict[str, Json]

SCOPES: Final = ("openid", "profile", "email", "phone", "address", "offline_access")


@dataclass(frozen=True, slots=True)
class DevUser:
    """Someone to sign in as. ``sub`` is also the user name on the sign-in page."""

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

    def claims(self, scopes: Collection[str]) -> Claims:
        """Return the claims that ``scopes`` ask for (OpenID Connect Core section 5.4).

        ``roles`` and ``groups`` are in no specification; they come with ``profile``.
        """
        by_scope: dict[str, Claims] = {
            "profile": {
                "name": self.name,
                "preferred_username": self.sub,
                "locale": self.locale,
                "zoneinfo": self.zoneinfo,
                "roles": list(self.roles),
                "groups": list(self.groups),
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
