"""What is read as JSON, and what is refused."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intastellar_auth.errors import AnswerInvalid, TokenInvalid
from intastellar_auth.oidc.json_object import (
    MAX_DEPTH,
    Json,
    is_json,
    optional_text,
    optional_texts,
    read_json_answer,
    read_object,
)

from .forge import answer

JSON_VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON_VALUES))
def test_every_object_comes_back_as_it_was_written(document: dict[str, Json]) -> None:
    assert read_object(json.dumps(document).encode(), "it") == document
    assert read_object(json.dumps(document, ensure_ascii=False).encode(), "it") == document


@given(st.binary() | st.text('{}[]",:\\ud89n0e+-. ').map(str.encode))
@example(b"{}")
@example(b"")
def test_any_bytes_are_an_object_or_an_error_of_ours(body: bytes) -> None:
    try:
        document = read_object(body, "it")
    except AnswerInvalid:
        return
    assert document == json.loads(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is not JSON"),
        (b'{"a": ', "is not JSON"),
        (b"{'a': 1}", "is not JSON"),
        (b'{"a": 1} x', "is not JSON"),
        (b'{"a": "\n"}', "is not JSON"),
        (b"\xef\xbb\xbf{}", "is not JSON"),
        (b"[]", "is JSON, but not an object"),
        (b"null", "is JSON, but not an object"),
        (b'"text"', "is JSON, but not an object"),
        (b'{"a": "\xff"}', "is not UTF-8"),
        ('{"a": "é"}'.encode("utf-16"), "is not UTF-8"),
        (b'{"a": 1, "a": 2}', "has an object with the same member twice"),
        (b'{"x": [{"a": 1, "a": 1}]}', "has an object with the same member twice"),
        (rb'{"a": 1, "\u0061": 2}', "has an object with the same member twice"),
        (b'{"a": NaN}', "has NaN, which JSON does not know"),
        (b'{"a": -Infinity}', "has -Infinity, which JSON does not know"),
        (b'{"a": 1e400}', "has a number out of range"),
        (b'{"a": 18446744073709551616}', "has an integer of more than 64 bits"),
        (b'{"a": -9223372036854775809}', "has an integer of more than 64 bits"),
        (b'{"a": ' + b"9" * 1_000_000 + b"}", "has an integer of more than 64 bits"),
        (rb'{"a": "\ud800"}', "has a string with half a surrogate pair"),
        (rb'{"a": ["\udfff"]}', "has a string with half a surrogate pair"),
        (rb'{"\ud800": 1}', "has a string with half a surrogate pair"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deeply"),
        (b'{"a": ' + b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH + b"}", "is nested too deeply"),
    ],
)
def test_what_two_parsers_may_read_differently_is_refused(body: bytes, reason: str) -> None:
    """TK-04, ID-20, ID-21, SS-04, DJ-17."""
    with pytest.raises(AnswerInvalid) as caught:
        read_object(body, "it")
    assert caught.value.detail == f"it {reason}"


def test_the_deepest_allowed_nesting_is_read() -> None:
    depth = MAX_DEPTH - 1
    assert read_object(b'{"a": ' + b"[" * depth + b"1" + b"]" * depth + b"}", "it")


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert read_object(rb'{"a": "\ud83d\ude00"}', "it") == {"a": "😀"}


def test_the_largest_numbers_are_kept() -> None:
    text = b'{"a": 18446744073709551615, "b": -9223372036854775808, "c": 1e308}'
    assert read_object(text, "it") == {"a": 2**64 - 1, "b": -(2**63), "c": 1e308}
    assert math.isfinite(1e308)


def test_the_caller_chooses_the_error() -> None:
    with pytest.raises(TokenInvalid):
        read_object(b"[]", "it", TokenInvalid)


def test_no_error_carries_the_document() -> None:
    """JW-21."""
    with pytest.raises(AnswerInvalid) as caught:
        read_object(b'{"access_token": "hunter2", oops', "it")
    assert "hunter2" not in caught.value.detail
    assert caught.value.__suppress_context__


def test_an_answer_must_have_status_200() -> None:
    for status in (201, 204, 302, 404, 500):
        with pytest.raises(AnswerInvalid, match=f"status {status}"):
            read_json_answer(answer({}, status), "it")


def test_an_answer_must_be_labelled_as_json() -> None:
    """TK-04."""
    with pytest.raises(AnswerInvalid, match="not labelled as JSON"):
        read_json_answer(answer({}, media_type="text/html"), "it")
    assert read_json_answer(answer({"a": 1}, media_type="application/x+json"), "it") == {"a": 1}


def test_only_json_media_types_are_json() -> None:
    assert is_json("application/json")
    assert is_json("application/jwk-set+json")
    assert not is_json("")
    assert not is_json("text/html+json")
    assert not is_json("application/jwt")


def test_a_text_member_is_a_string_or_absent() -> None:
    assert optional_text({"a": "x"}, "a", "it") == "x"
    absent: list[dict[str, Json]] = [{}, {"a": None}, {"a": ""}]
    for document in absent:
        assert optional_text(document, "a", "it") is None
    wrong: list[Json] = [0, False, [], {}, ["x"]]
    for value in wrong:
        with pytest.raises(AnswerInvalid, match="a is not a string"):
            optional_text({"a": value}, "a", "it")


def test_a_texts_member_is_an_array_of_strings_or_absent() -> None:
    assert optional_texts({"a": ["x", "y"]}, "a", "it") == ("x", "y")
    assert optional_texts({"a": []}, "a", "it") == ()
    assert optional_texts({"a": None}, "a", "it") is None
    wrong: list[Json] = ["x", 0, {}, ["x", 1], [None]]
    for value in wrong:
        with pytest.raises(AnswerInvalid, match="a is not an array of strings"):
            optional_texts({"a": value}, "a", "it")
