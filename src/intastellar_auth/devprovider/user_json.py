"""A test user as JSON, as the command line takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from intastellar_auth.devprovider.users import DevUser

if TYPE_CHECKING:
    from intastellar_auth.devprovider.jsons import Json


class _Known(msgspec.Struct, omit_defaults=True):
    """The fields of ``DevUser``, each as JSON has it, and left out where JSON leaves it out."""

    sub: str
    name: str | msgspec.UnsetType = msgspec.UNSET
    email: str | msgspec.UnsetType = msgspec.UNSET
    email_verified: bool | msgspec.UnsetType = msgspec.UNSET
    locale: str | msgspec.UnsetType = msgspec.UNSET
    zoneinfo: str | msgspec.UnsetType = msgspec.UNSET
    phone_number: str | msgspec.UnsetType = msgspec.UNSET
    address: str | msgspec.UnsetType = msgspec.UNSET
    roles: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    groups: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


def read_user(text: str) -> DevUser:
    """Return the user that ``text`` describes: an object with ``sub``, and any claims.

    Without ``name`` and ``email`` they are made of ``sub``. What ``DevUser`` has no field for is
    one of its ``extra_claims``. Raises ``ValueError`` for anything else, and names no value.
    """
    try:
        given: dict[str, Json] = msgspec.json.decode(text, type=dict[str, Any])
        known = msgspec.structs.asdict(msgspec.convert(given, _Known))
        extra = {name: value for name, value in given.items() if name not in known}
        said = {name: value for name, value in known.items() if value is not msgspec.UNSET}
        made = {"name": said["sub"], "email": f"{said['sub']}@example.com"}
        return DevUser(**(made | said), extra_claims=extra)
    except ValueError as problem:
        raise ValueError(
            f'user: {problem}. A user is a JSON object, such as {{"sub": "dora"}}'
        ) from None
