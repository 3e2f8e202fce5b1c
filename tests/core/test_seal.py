"""A sealed value opens whole, where it was meant to, with a key that is still there."""

from __future__ import annotations

import re
import secrets
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intastellar_auth.core.seal import from_cookie, from_text, make_sealer, to_cookie, to_text
from intastellar_auth.errors import SealBroken

from .parts import KEY, OTHER_KEY, sealer

BINDING = ("session", "__Host-site", "https://id.example.com", "my-site")
WORDS = "the value was altered, is for another purpose, or its key is gone"
THIRD_KEY = b"pWc4Hs9JdFg2Ae7UkV3xTq8LZr1mYb6N"

ours = sealer(*BINDING)


def broken(sealed: bytes, *binding: str, keys: tuple[bytes, ...] = (KEY,)) -> str:
    """Return the words with which ``sealed`` is refused."""
    with pytest.raises(SealBroken) as caught:
        sealer(*(binding or BINDING), keys=keys).open(sealed)
    return caught.value.detail


@given(st.binary(max_size=5000))
def test_what_was_sealed_opens_and_cannot_be_read_without(value: bytes) -> None:
    sealed = ours.seal(value)
    assert ours.open(sealed) == value
    assert len(value) < 4 or value not in sealed


@given(st.binary(max_size=40), st.data())
def test_any_changed_byte_breaks_the_seal(value: bytes, data: st.DataObject) -> None:
    """CK-07, AD-75."""
    sealed = bytearray(ours.seal(value))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    assert broken(bytes(sealed)) == WORDS


def test_every_bit_of_a_sealed_value_counts() -> None:
    """CK-07."""
    sealed = ours.seal(b"x")
    for at in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[at // 8] ^= 1 << at % 8
        assert broken(bytes(changed)) == WORDS


def test_a_value_cut_short_or_made_longer_breaks_the_seal() -> None:
    """CK-07: at any length, the empty one included."""
    sealed = ours.seal(b"some value")
    assert {broken(sealed[:length]) for length in range(len(sealed))} == {WORDS}
    assert broken(sealed + b"\0") == WORDS


@given(st.binary(max_size=200))
def test_bytes_that_nobody_sealed_break_with_the_same_words(value: bytes) -> None:
    """CK-07: also with the version and the id of a key of ours in front."""
    assert broken(value) == broken(ours.newest.prefix + value) == WORDS


@pytest.mark.parametrize(
    "binding",
    [
        ("login", *BINDING[1:]),
        (BINDING[0], "__Host-other", *BINDING[2:]),
        (*BINDING[:2], "https://id.example.org", BINDING[3]),
        (*BINDING[:3], "another-client"),
    ],
    ids=["purpose", "name", "issuer", "client"],
)
def test_a_value_opens_only_where_it_was_meant_to(binding: tuple[str, ...]) -> None:
    """CB-25, CB-26, CK-08, AD-82, AD-84."""
    sealed = ours.seal(b"value")
    assert broken(sealed, *binding) == WORDS
    # Not for want of the key's id alone: it is in no other place either.
    other = sealer(*binding)
    assert broken(other.newest.prefix + sealed[5:], *binding) == WORDS


def test_two_bindings_that_read_alike_are_two() -> None:
    """CK-09, AD-88: a plain concatenation of these parts would be the same bytes."""
    sealed = sealer("ab", "c").seal(b"value")
    for alike in (("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("ab", "c", "")):
        assert broken(sealed, *alike) == WORDS


@given(st.lists(st.text(max_size=6), max_size=4), st.lists(st.text(max_size=6), max_size=4))
def test_no_two_bindings_share_a_key(one: list[str], other: list[str]) -> None:
    """CK-09, CK-13."""
    first, second = (make_sealer([KEY], names, secrets.token_bytes) for names in (one, other))
    assert (first.newest.prefix == second.newest.prefix) == (one == other)


def test_the_newest_key_seals_and_all_open() -> None:
    """CK-12, AD-114: the order counts."""
    before = sealer(*BINDING, keys=[OTHER_KEY])
    during = sealer(*BINDING, keys=[KEY, OTHER_KEY])
    old, new = before.seal(b"old"), during.seal(b"new")
    assert during.open(old) == b"old"
    assert ours.open(new) == b"new"
    assert broken(new, keys=(OTHER_KEY,)) == WORDS


def test_a_key_that_was_removed_opens_nothing_any_more() -> None:
    """CK-12."""
    old = sealer(*BINDING, keys=[OTHER_KEY]).seal(b"old")
    assert broken(old) == broken(old, keys=(KEY, THIRD_KEY)) == WORDS


@pytest.mark.parametrize("keys", list(permutations([KEY, OTHER_KEY, THIRD_KEY])))
def test_the_first_key_seals_in_any_order(keys: tuple[bytes, ...]) -> None:
    """CK-12."""
    sealed = sealer(*BINDING, keys=keys).seal(b"value")
    assert sealer(*BINDING, keys=keys[:1]).open(sealed) == b"value"
    assert broken(sealed, keys=keys[1:]) == WORDS


def test_a_key_given_twice_is_one() -> None:
    assert sealer(*BINDING, keys=[KEY, KEY]).open(ours.seal(b"value")) == b"value"


def test_no_two_seals_of_one_value_are_alike() -> None:
    """AD-07, CK-08 (CVE-2021-32791): the nonce is drawn anew for each."""
    seals = [ours.seal(b"value") for _ in range(1000)]
    assert len({sealed[5:17] for sealed in seals}) == 1000
    assert len({sealed[17:] for sealed in seals}) == 1000


def test_the_nonce_comes_from_the_source_that_was_given() -> None:
    """TM-03."""
    asked: list[int] = []

    def token_bytes(count: int) -> bytes:
        asked.append(count)
        return b"n" * count

    sealed = make_sealer([KEY], BINDING, token_bytes).seal(b"value")
    assert asked == [12]
    assert sealed[5:17] == b"n" * 12


def test_a_sealer_shows_no_key() -> None:
    """TM-05."""
    shown = repr(ours)
    assert KEY.decode() not in shown
    assert KEY.hex() not in shown


@given(st.binary(max_size=300))
def test_bytes_survive_as_text_of_characters_that_a_cookie_may_have(value: bytes) -> None:
    text = to_text(value)
    assert from_text(text.encode()) == value
    assert text.isascii()
    assert text.replace("-", "a").replace("_", "a").isalnum() or not text


@given(
    st.binary(max_size=40)
    | st.text("AQgwBCDEZaz09-_+/=. \n", max_size=12).map(str.encode)
    | st.binary(max_size=20).map(lambda value: to_text(value).encode() + b"=")
)
@settings(max_examples=200)
def test_a_text_is_read_only_in_the_one_spelling_that_we_write(text: bytes) -> None:
    """JW-15's cousin: no second spelling, no other error."""
    try:
        value = from_text(text)
    except SealBroken:
        return
    assert to_text(value).encode() == text


@pytest.mark.parametrize(
    "text",
    [b"A", b"AAAAA", b"AB", b"AAB", b"AA==", b"=", b"====", b"A=A=", b"+AAA", b"A/AA", b"\xff\xff"],
)
def test_a_text_that_we_never_write_is_refused(text: bytes) -> None:
    """Among them: spare bits, padding, and the other alphabet of RFC 4648."""
    with pytest.raises(SealBroken, match="not base64url"):
        from_text(text)


@given(st.binary(max_size=300))
def test_bytes_survive_as_a_cookie(value: bytes) -> None:
    """RFC 6265 section 4.1.1: of the characters that may be in one."""
    text = to_cookie(value)
    assert from_cookie(text.encode()) == value
    assert re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", text)


@given(st.binary(max_size=40) | st.text("AQgw+/=-_. \n", max_size=12).map(str.encode))
def test_a_cookie_that_is_read_is_one_that_we_write(text: bytes) -> None:
    try:
        value = from_cookie(text)
    except SealBroken:
        return
    assert to_cookie(value).encode() == text


def test_of_all_short_texts_only_those_that_we_write_are_cookies() -> None:
    """CK-07: whatever a decoder may pass over, and wherever it stands."""
    for text in (bytes(of) for size in range(8) for of in product(b"AB=~", repeat=size)):
        try:
            value = from_cookie(text)
        except SealBroken:
            continue
        assert to_cookie(value).encode() == text


@pytest.mark.parametrize(
    "text", [b"AB==", b"AAB=", b"AAAA=", b"AAAA==", b"AAAA====", b"AA", b"AA AA==", b"AA==\n"]
)
def test_a_cookie_has_one_spelling(text: bytes) -> None:
    """CK-07: no spare bits (RFC 4648 section 3.5), no padding too much or too little."""
    with pytest.raises(SealBroken, match="not base64"):
        from_cookie(text)
