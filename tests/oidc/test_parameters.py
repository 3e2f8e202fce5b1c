"""Parameters in a query or a form: encoded once, decoded once, each one once."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intastellar_auth.errors import RequestRefused
from intastellar_auth.oidc.authorization import (
    MAX_CODE,
    MAX_ENCODED,
    MAX_FIELDS,
    add_parameters,
    single_parameters,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def refusal(encoded: str) -> str:
    with pytest.raises(RequestRefused) as caught:
        single_parameters(encoded)
    return caught.value.detail


def test_an_endpoint_with_an_empty_query_gets_one_question_mark() -> None:
    """RQ-09."""
    assert add_parameters("https://a.example/?", {"b": "c d"}) == "https://a.example/?b=c%20d"


# Those two may not be any text.
NAMES = TEXT.filter(lambda name: name not in ("code", "state"))


@given(st.dictionaries(NAMES, TEXT.filter(bool), max_size=10))
def test_parameters_arrive_as_they_were_sent(parameters: dict[str, str]) -> None:
    encoded = add_parameters("https://a.example/", parameters).partition("?")[2]
    assert single_parameters(encoded) == parameters
    assert single_parameters(urlencode(parameters)) == parameters


@given(
    st.text()
    | st.text("=&%+;acdeost0F")
    | st.lists(st.tuples(TEXT, TEXT)).map(urlencode)
    | st.binary().map(lambda raw: raw.decode("latin-1"))
)
@example("a=b")
@example("a=%FF")
def test_any_query_is_parameters_or_an_error_of_ours(encoded: str) -> None:
    try:
        parameters = single_parameters(encoded)
    except RequestRefused:
        return
    assert "" not in parameters.values()
    assert len(parameters) <= encoded.count("&") + 1


@pytest.mark.parametrize(
    "name",
    ["code", "state", "iss", "error", "error_description", "id_token", "access_token", "unknown"],
)
def test_no_parameter_comes_twice(name: str) -> None:
    """CB-11, BL-15."""
    assert "more than once" in refusal(f"{name}=a&x=y&{name}=b")
    assert "more than once" in refusal(f"{name}=a&{name}=a")
    assert "more than once" in refusal(f"{name}=a&{name}=")
    assert "more than once" in refusal(f"{name}=a&%{ord(name[0]):02x}{name[1:]}=b")


def test_a_parameter_without_a_value_is_absent() -> None:
    assert single_parameters("code=&state&iss=x&&") == {"iss": "x"}
    assert single_parameters("") == {}


def test_plus_and_percent_are_decoded_once() -> None:
    assert single_parameters("a=b+c%20d%2520e") == {"a": "b c d%20e"}


def test_too_much_is_refused_before_it_is_decoded() -> None:
    """CB-17, CB-18."""
    assert "longer than" in refusal("a=" + "b" * MAX_ENCODED)
    assert "more than" in refusal("&".join(f"a{number}=b" for number in range(MAX_FIELDS + 1)))
    assert len(single_parameters("&".join(f"a{n}=b" for n in range(MAX_FIELDS)))) == MAX_FIELDS


@pytest.mark.parametrize("name", ["code", "state"])
@pytest.mark.parametrize("value", ["a" * (MAX_CODE + 1), "a%0D%0Ab", "a%00", "%C3%A9", "%7F"])
def test_a_code_or_state_that_cannot_be_one_is_refused(name: str, value: str) -> None:
    """CB-18."""
    assert refusal(f"{name}={value}").startswith(f"{name} is too long or has characters")


@pytest.mark.parametrize("encoded", ["a=%FF", "%C3=a", "a=%ED%A0%80", "a=é"])
def test_what_is_not_percent_encoded_utf_8_is_refused(encoded: str) -> None:
    assert "not percent-encoded UTF-8" in refusal(encoded)
