"""Targets: the formats in which this package keeps its own things."""

from __future__ import annotations

from functools import cache

from intastellar_auth.core.seal import (
    Sealer,
    from_cookie,
    from_text,
    make_sealer,
    to_cookie,
    to_text,
)
from intastellar_auth.errors import SealBroken, StateRefused

from .bench import no_randomness
from .target import target
from .targets_browser import site

_SECRET = b"what is sealed"


@cache
def sealer(purpose: str = "one") -> Sealer:
    """Return a sealer with a newer and an older key."""
    return make_sealer([b"newer" * 8, b"older" * 8], [purpose], no_randomness)


def _sealed() -> list[bytes]:
    older = make_sealer([b"older" * 8], ["one"], no_randomness)
    gone = make_sealer([b"gone" * 8], ["one"], no_randomness)
    others = (older, gone, sealer("two"))
    return [sealer().seal(_SECRET), *(one.seal(_SECRET) for one in others)]


@target(_sealed, b"\x01", b"\x02")
def sealed(data: bytes) -> None:
    """SS-01: what opens was sealed for this, and is what was sealed."""
    try:
        assert sealer().open(data) == _SECRET
    except SealBroken:
        return


@target(lambda: [to_text(one).encode() for one in _sealed()], b"=", b"-", b"_", b"/", b"+")
def text_of_url(data: bytes) -> None:
    """A value has one spelling."""
    try:
        value = from_text(data)
    except SealBroken:
        return
    assert to_text(value).encode() == data


@target(lambda: [to_cookie(one).encode() for one in _sealed()], b"=", b"==", b"/", b"+")
def text_of_cookie(data: bytes) -> None:
    """A value has one spelling here too."""
    try:
        value = from_cookie(data)
    except SealBroken:
        return
    assert to_cookie(value).encode() == data


@target(lambda: [site().state.encode(), to_text(_sealed()[0]).encode()])
def state(data: bytes) -> None:
    """CB-02: a ``state`` that is read is one of ours."""
    attempts = site().site.attempts
    try:
        found = attempts.read_state(data.decode("latin-1"))
    except StateRefused:
        return
    assert found == attempts.read_state(site().state)
