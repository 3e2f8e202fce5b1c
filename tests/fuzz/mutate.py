"""Inputs that are nearly valid: real ones with a few things wrong.

All that is random comes from the given ``Random``: one seed gives the same inputs each time, and
hypothesis can play the ``Random`` itself and make a failing input smaller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

COMMON: Final = (
    b"\x00",
    b"\r\n",
    b"\r\nset-cookie: a=b",
    b"\x1b[31m",
    b"\x7f",
    b"\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    "\u202e".encode(),
    "ä€😀".encode(),
    b"%00",
    b"%0d%0a",
    b"%",
    b"%25",
    b"+",
    b"&",
    b"=",
    b";",
    b"; ",
    b",",
    b'"',
    b"'",
    b"<fuzz>",
    b'"><fuzz a="',
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"99999999999999999999999999",
    b"A" * 300,
    b"[" * 200,
    b"{}",
    b"[]",
)
_ODD_VALUES: Final[tuple[object, ...]] = (
    *(None, True, False, 0, -1, 2**63, 1e308, 0.5, "", " ", "\x00", "\r\nx: y", "<fuzz>", "é€"),
    *([], {}, [None], [[]], {"a": {}}, ["a", 1], "a" * 5000, "https://evil.example/", "none"),
    *("http://127.0.0.1/", "https://169.254.169.254/", "javascript:alert(1)", "//evil.example"),
)
_MOST = 4
_LONGEST = 20_000


def mutated(random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Return an input made of ``seeds`` and ``words``; now and then a valid one, or pure noise."""
    data = random.choice(seeds)
    for _ in range(random.randint(0, _MOST)):
        data = random.choice(_CHANGES)(random, data, seeds, words)[:_LONGEST]
    return data


def _flip(random: Random, data: bytes, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def _insert(random: Random, data: bytes, _seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(words) + data[at:]


def _replace(random: Random, data: bytes, _seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    start, end = _span(random, data)
    return data[:start] + random.choice(words) + data[end:]


def _cut(random: Random, data: bytes, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> bytes:
    start, end = _span(random, data)
    return data[:start] + data[end:]


def _repeat(random: Random, data: bytes, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> bytes:
    start, end = _span(random, data)
    return data[:end] + data[start:end] * random.randint(1, 3) + data[end:]


def _splice(random: Random, data: bytes, seeds: Sequence[bytes], _words: Sequence[bytes]) -> bytes:
    other = random.choice(seeds)
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _noise(random: Random, _data: bytes, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> bytes:
    return random.getrandbits(8 * random.randint(1, 40)).to_bytes(40, "big").lstrip(b"\0")


def _member(random: Random, data: bytes, _seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Change one member of a JSON object, add one, or leave one out."""
    head = data[:1] if data[:1] < b" " else b""
    try:
        document = json.loads(data[len(head) :])
    except (ValueError, RecursionError):
        return data
    if not isinstance(document, dict):
        return data
    name = random.choice([*document, random.choice(words).decode("latin-1")])
    if random.randrange(4):
        document[name] = random.choice(_ODD_VALUES)
    else:
        document.pop(name, None)
    return head + json.dumps(document).encode()


_CHANGES: Final[tuple[Callable[[Random, bytes, Sequence[bytes], Sequence[bytes]], bytes], ...]] = (
    _flip,
    _flip,
    _insert,
    _insert,
    _replace,
    _cut,
    _repeat,
    _splice,
    _noise,
    _member,
    _member,
)


def _span(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.randint(1, 16))
