"""Tokens before any key is asked: their size, shape and header."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intastellar_auth.errors import TokenInvalid
from intastellar_auth.oidc.jose import (
    ALGORITHMS,
    MAX_KID,
    MAX_TOKEN,
    JoseHeader,
    decode_base64url,
    encode_base64url,
    read_header,
    split_token,
)

from .forge import token

if TYPE_CHECKING:
    from intastellar_auth.oidc.json_object import Json

PAYLOAD = encode_base64url(b"{}")


def with_header(header: Json | bytes) -> str:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return f"{encode_base64url(raw)}.{PAYLOAD}.c2ln"


def refusal(raw: str, types: tuple[str, ...] = ("jwt",)) -> str:
    with pytest.raises(TokenInvalid) as caught:
        read_header(raw, types=types)
    return caught.value.detail


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
def test_a_header_says_algorithm_and_key(alg: str) -> None:
    assert read_header(with_header({"alg": alg, "kid": "k", "typ": "JWT"})) == JoseHeader(alg, "k")
    assert read_header(with_header({"alg": alg, "unknown": 1})) == JoseHeader(alg, None)


@pytest.mark.parametrize(
    "alg",
    [
        "none",
        "None",
        "nOnE",
        "NONE",
        "",
        None,
        ["RS256"],
        {"RS256": 1},
        0,
        True,
        "HS256",
        "HS384",
        "HS512",
        "rs256",
        "RS256 ",
        "ES256K",
        "ES521",
        "RSA-OAEP",
        "dir",
    ],
)
def test_an_algorithm_that_is_no_public_key_signature_is_refused(alg: Json) -> None:
    """JW-01, JW-02, JW-03, CF-B09, CF-P08, AD-49, AD-96."""
    assert "alg is not" in refusal(with_header({"alg": alg}))
    assert "alg is not" in refusal(with_header({}))


def test_there_is_no_symmetric_algorithm_to_confuse_with() -> None:
    """JW-02, JW-03, TM-06."""
    assert not {"none", "HS256", "HS384", "HS512"} & set(ALGORITHMS)


@pytest.mark.parametrize(
    "crit", [["unknown"], [], ["alg"], ["exp"], ["b64", "b64"], None, "b64", {}, 0]
)
def test_a_critical_extension_is_refused_in_any_form(crit: Json) -> None:
    """JW-08, AD-43, AD-56."""
    assert "extension" in refusal(with_header({"alg": "RS256", "crit": crit}))


@pytest.mark.parametrize("b64", [False, True, None])
def test_an_unencoded_payload_is_refused(b64: Json) -> None:
    """JW-09, AD-60."""
    assert "extension" in refusal(with_header({"alg": "RS256", "b64": b64}))


@pytest.mark.parametrize("jwk", [{}, {"kty": "RSA"}, None, "x"])
def test_a_key_in_the_header_is_refused(jwk: Json) -> None:
    """JW-04, AD-48, AD-107."""
    assert "brings its own key" in refusal(with_header({"alg": "RS256", "jwk": jwk}))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "Jwt"])
def test_a_typ_of_jwt_is_accepted_in_any_case(typ: str) -> None:
    """ID-18."""
    assert read_header(with_header({"alg": "RS256", "typ": typ})).alg == "RS256"


@pytest.mark.parametrize(
    "typ",
    [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "logout+jwt",
        "dpop+jwt",
        "client-authentication+jwt",
        "",
        None,
        ["JWT"],
        1,
    ],
)
def test_another_kind_of_token_is_refused(typ: Json) -> None:
    """ID-18, BL-10."""
    assert "another kind of token" in refusal(with_header({"alg": "RS256", "typ": typ}))


def test_the_caller_says_which_kinds_of_token_to_take() -> None:
    """BL-11."""
    types = ("jwt", "logout+jwt")
    logout = with_header({"alg": "RS256", "typ": "logout+jwt"})
    assert read_header(logout, types=types).alg == "RS256"
    assert "another kind" in refusal(with_header({"alg": "RS256", "typ": "at+jwt"}), types)


@pytest.mark.parametrize("kid", [None, 0, ["k"], {}, "k" * (MAX_KID + 1)])
def test_a_kid_is_a_string_of_sane_length(kid: Json) -> None:
    """JW-07."""
    assert "kid is not a string" in refusal(with_header({"alg": "RS256", "kid": kid}))


@pytest.mark.parametrize("kid", ["", "../../dev/null", "' OR 1=1 --", "https://evil.example/k"])
def test_a_kid_is_never_more_than_a_string(kid: str) -> None:
    """JW-07, AD-109."""
    assert read_header(with_header({"alg": "RS256", "kid": kid})).kid == kid


@pytest.mark.parametrize(
    "raw",
    [
        b'{"alg":"none","alg":"RS256"}',
        b'{"alg":"RS256","alg":"RS256"}',
        b"[]",
        b'"RS256"',
        b"\xff",
        b"{",
        b'{"alg":"RS256","x":' + b"[" * 9000 + b"]" * 9000 + b"}",
    ],
)
def test_a_header_that_is_not_one_clear_object_is_refused(raw: bytes) -> None:
    """JW-22, ID-20."""
    assert "the token's header" in refusal(with_header(raw))


@pytest.mark.parametrize("dots", [0, 1, 3, 4, 5, 6])
def test_a_token_has_three_parts(dots: int) -> None:
    """JW-16, JW-18, JW-19."""
    assert "three parts" in refusal(".".join(["e30"] * (dots + 1)))


@pytest.mark.parametrize("index", [0, 1, 2])
def test_no_part_is_empty(index: int) -> None:
    """JW-01, JW-09, JW-16."""
    parts = token().split(".")
    parts[index] = ""
    assert "is empty" in refusal(".".join(parts))


def test_size_is_looked_at_before_anything_else() -> None:
    """JW-17, ID-22, AD-44."""
    assert "longer than" in refusal("!" * (MAX_TOKEN + 1))


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("junk", ["=", "==", " ", "\n", "+", "/", "é", "\0", "!"])
def test_nothing_but_the_base64url_alphabet_is_decoded(index: int, junk: str) -> None:
    """JW-15."""
    parts = token().split(".")
    for changed in (parts[index] + junk, junk + parts[index], parts[index][:-1] + junk):
        bad = [*parts]
        bad[index] = changed
        assert "base64url in its one form" in refusal(".".join(bad))


@pytest.mark.parametrize("text", ["A", "AAAAA", "AB", "AAB", "__", "A=", "AA==", "AA\n"])
def test_base64url_has_one_spelling_for_each_value(text: str) -> None:
    """JW-15."""
    with pytest.raises(ValueError, match="base64url"):
        decode_base64url(text)


@given(st.binary())
def test_base64url_round_trips(value: bytes) -> None:
    assert decode_base64url(encode_base64url(value)) == value


@given(st.text("AQgw-_=+/. \n", max_size=12))
@example("AA")
@example("A")
def test_what_decodes_encodes_to_the_same_text(text: str) -> None:
    """JW-15."""
    try:
        value = decode_base64url(text)
    except ValueError:
        return
    assert encode_base64url(value) == text


@given(st.text() | st.lists(st.binary(max_size=60).map(encode_base64url)).map(".".join))
@example("eyJhbGciOiJSUzI1NiJ9.e30.AA")
@example("e30")
def test_any_text_is_a_header_or_an_error_of_ours(raw: str) -> None:
    try:
        header = read_header(raw)
    except TokenInvalid:
        return
    assert header.alg in ALGORITHMS


def test_a_split_token_shows_none_of_its_content() -> None:
    """JW-21, TM-05."""
    shown = repr(split_token(token({"email": "alice@example.com"})))
    assert "alice" not in shown
    assert "signature=" not in shown
