"""Which scopes the provider grants: those of OpenID Connect, and more by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

SCOPES: Final = ("openid", "profile", "email", "phone", "address", "offline_access")
"""Those of OpenID Connect Core sections 3.1.2.1, 5.4 and 11, which are always granted."""

# RFC 6749 section 3.3. What is in it may stand in a header and in a form as it is.
_TOKEN: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def with_extra(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return all scopes where ``scopes`` are granted too: they mean something to an API alone.

    Raises ``ValueError`` for what cannot be a scope.
    """
    if isinstance(scopes, str):
        raise ValueError(f"scopes: {scopes!r} is one string, not a list of scopes")  # noqa: TRY004
    given = tuple(scopes)
    for scope in given:
        if not _TOKEN.fullmatch(scope):
            raise ValueError(
                f"scope: {scope!r} is not one scope: give each by itself, in visible ASCII"
                " characters without quotation marks and backslashes"
            )
    return tuple(dict.fromkeys((*SCOPES, *given)))
