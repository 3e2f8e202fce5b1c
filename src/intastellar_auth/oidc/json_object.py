"""Read JSON that a provider wrote, strictly.

Two parsers that read one document differently are how a signed claim gets swapped for an unsigned
one, so whatever RFC 8259 leaves open is refused here: a member twice, ``NaN``, half a surrogate
pair, numbers no other parser would keep, nesting without an end.

This file doesn't know what a document means; the readers beside it do. No detail quotes the
document: it may hold a token.
"""

from __future__ import annotations

import json
import math
from typing import Final, NoReturn, TypeAlias

from intastellar_auth.core.effects import Answer
from intastellar_auth.errors import AnswerInvalid

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What a JSON text can say."""

MAX_DEPTH: Final = 32
"""Levels of arrays and objects. Real documents have four; encoders recurse once per level."""

_MIN_INTEGER: Final = -(2**63)
_MAX_INTEGER: Final = 2**64 - 1
_MAX_DIGITS: Final = 20


class _Unclear(ValueError):
    """The reason why a document is refused; it never leaves this file."""


def read_object(
    body: bytes, what: str, error: type[AnswerInvalid] = AnswerInvalid
) -> dict[str, Json]:
    """Return the one JSON object that ``body`` is.

    ``what`` names the document in the detail of an error, ``error`` is the class to raise. A byte
    order mark is refused: RFC 8259 section 8.1 forbids to send one. Integers beyond 64 bits and
    floats beyond IEEE 754 double precision are refused (RFC 7493 section 2.2).
    """
    try:
        document: Json = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_refuse_constant,
        )
        _check_values(document)
    except UnicodeDecodeError:
        raise error(f"{what} is not UTF-8") from None
    except _Unclear as reason:
        raise error(f"{what} {reason}") from None
    except ValueError:
        # The parser's own message has the document attached: it must not reach a log.
        raise error(f"{what} is not JSON") from None
    except RecursionError:
        raise error(f"{what} is nested too deeply") from None
    if not isinstance(document, dict):
        raise error(f"{what} is JSON, but not an object")
    return document


def read_json_answer(answer: Answer, what: str) -> dict[str, Json]:
    """Return the JSON object of a successful ``answer``.

    Raises ``AnswerInvalid`` for any status but 200 and for a media type that isn't JSON: a login
    page or a proxy's error page must not be taken for data.
    """
    check_status(answer, what)
    if not is_json(answer.media_type):
        raise AnswerInvalid(f"{what} is not labelled as JSON; check the endpoint's address")
    return read_object(answer.body, what)


def check_status(answer: Answer, what: str) -> None:
    """Raise ``AnswerInvalid`` for any status but 200: only that one comes with what was asked."""
    if answer.status != 200:  # noqa: PLR2004  RFC 9110 section 15.3.1
        raise AnswerInvalid(f"{what} came with status {answer.status}, not 200")


def is_json(media_type: str) -> bool:
    """Return whether ``media_type`` is JSON or a format on top of it (RFC 6839 section 3.1)."""
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def optional_text(document: dict[str, Json], name: str, what: str) -> str | None:
    """Return the string member ``name``; ``None`` where it is missing, ``null`` or empty.

    Raises ``AnswerInvalid`` where it is anything else.
    """
    value = document.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise AnswerInvalid(f"{what}: {name} is not a string")
    return value


def optional_texts(document: dict[str, Json], name: str, what: str) -> tuple[str, ...] | None:
    """Return the member ``name``, an array of strings; ``None`` where it is missing or ``null``.

    Raises ``AnswerInvalid`` where it is anything else.
    """
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, list):
        raise AnswerInvalid(f"{what}: {name} is not an array of strings")
    texts = tuple(item for item in value if isinstance(item, str))
    if len(texts) != len(value):
        raise AnswerInvalid(f"{what}: {name} is not an array of strings")
    return texts


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    # RFC 8259 section 4 leaves it open which of two wins, and parsers differ.
    if len(members) != len(pairs):
        raise _Unclear("has an object with the same member twice")
    return members


def _integer(digits: str) -> int:
    # Converting a billion digits takes quadratic time; twenty digits are all that 64 bits need.
    if len(digits) > _MAX_DIGITS or not _MIN_INTEGER <= int(digits) <= _MAX_INTEGER:
        raise _Unclear("has an integer of more than 64 bits")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    # An infinite ``exp`` would make a token that never expires.
    if not math.isfinite(number):
        raise _Unclear("has a number out of range")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise _Unclear(f"has {name}, which JSON does not know")


def _check_values(document: Json) -> None:
    """Refuse half surrogate pairs (RFC 8259 section 8.2) and nesting beyond ``MAX_DEPTH``."""
    level: list[Json] = [document]
    for _ in range(MAX_DEPTH + 1):
        below: list[Json] = []
        for value in level:
            if isinstance(value, str):
                _check_text(value)
            elif isinstance(value, list):
                below += value
            elif isinstance(value, dict):
                below += value
                below += value.values()
        if not below:
            return
        level = below
    raise _Unclear("is nested too deeply")


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Unclear("has a string with half a surrogate pair") from None
