"""Which claims a session keeps, and which the sign-in has insisted on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from intastellar_auth import log

# A claim longer than this (a picture as a data: URI, say) would crowd out all others.
_LONGEST_CLAIM = 2000


def kept_claims(wanted: tuple[str, ...], claims: Mapping[str, object]) -> dict[str, object]:
    """Return those of ``claims`` that are ``wanted`` and say anything."""
    kept: dict[str, object] = {}
    for name in wanted:
        value = claims.get(name)
        # An empty claim is no claim (IM-05).
        if value is None or value == "":
            continue
        if isinstance(value, str) and len(value) > _LONGEST_CLAIM:
            log.event(logging.WARNING, "claim_left_out", {"name": name, "length": len(value)})
            continue
        # Only true is true: some providers send the word, and "false" is a true string (ID-23).
        kept[name] = value is True if name == "email_verified" else value
    return kept


@dataclass(frozen=True, slots=True)
class _Acr:
    essential: bool = False
    value: str | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _IdToken:
    acr: _Acr | None = None


@dataclass(frozen=True, slots=True)
class _Claims:
    id_token: _IdToken = _IdToken()


def essential_acr(claims: str | None) -> tuple[str, ...]:
    """Return the values of ``acr`` of which a ``claims`` parameter makes one a condition.

    OpenID Connect Core section 5.5.1.1: a sign-in without it has failed. ``acr_values``, and a
    claim that is not essential, are wishes. Raises ``ValueError`` where that cannot be read.
    """
    if claims is None:
        return ()
    try:
        acr = msgspec.json.decode(claims, type=_Claims).id_token.acr
    except msgspec.MsgspecError:
        raise ValueError(
            "has an acr among its claims whose essential is not true or false, whose value is no"
            " text, or whose values are no list of texts"
        ) from None
    if acr is None or not acr.essential:
        return ()
    return acr.values if acr.value is None else (acr.value, *acr.values)
