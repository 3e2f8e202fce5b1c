"""What a request to a path of ours says, where a stranger may have written it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core.messages import Request
from intastellar_auth.core.parameters import form_of, parameters
from intastellar_auth.errors import RequestRefused


def get(query: str) -> dict[str, str]:
    """Return what a ``GET`` with ``query`` says."""
    return parameters(Request("GET", "/logout", query))


def post(body: bytes, query: str = "") -> dict[str, str]:
    """Return what a ``POST`` of ``body`` says."""
    return parameters(Request("POST", "/logout", query, body=body))


def test_the_query_is_read() -> None:
    assert get("next=%2Fa%3Fb%3Dc+d&x=%C3%A9") == {"next": "/a?b=c d", "x": "é"}
    assert get("") == {}


def test_the_form_wins_over_the_query() -> None:
    assert post(b"next=/form", "next=/query&x=y") == {"next": "/form", "x": "y"}
    assert post(b"", "next=/query") == {"next": "/query"}


def test_a_body_that_was_not_posted_is_not_read() -> None:
    assert parameters(Request("GET", "/logout", "x=y", body=b"next=/form")) == {"x": "y"}


@pytest.mark.parametrize(
    "said",
    [
        "next=/a&next=/b",
        "next=%ff",
        "next=é",
        "next=/a&" + "&".join(f"p{number}=x" for number in range(60)),
        "next=" + "a" * 20_000,
        "state=%0a&next=/a",
    ],
)
def test_what_is_unclear_counts_as_not_said(said: str) -> None:
    """CB-11: the visitor still gets what the path is for."""
    assert get(said) == {}
    assert post(said.encode("latin-1"), "x=y") == {"x": "y"}
    assert post(b"x=y", said) == {"x": "y"}


@given(st.text(max_size=80), st.binary(max_size=80))
def test_nothing_that_is_sent_is_an_error(query: str, body: bytes) -> None:
    assert all(parameters(Request("POST", "/logout", query, body=body)).values())


FORM = "application/x-www-form-urlencoded"


def form(body: bytes, *content_types: str) -> Request:
    """Return a ``POST`` of ``body``."""
    return Request(
        "POST", "/", headers=tuple(("content-type", one) for one in content_types), body=body
    )


@pytest.mark.parametrize(
    "media_type", [FORM, FORM.upper(), f"{FORM};charset=utf-8", f" {FORM} ; x"]
)
def test_a_form_is_returned_as_it_was_posted(media_type: str) -> None:
    assert form_of(form(b"a=%C3%A9&a=+", media_type)) == "a=%C3%A9&a=+"
    assert form_of(form(b"", media_type)) == ""


@pytest.mark.parametrize(
    "types", [(), ("",), ("text/plain",), (f"{FORM}2",), (FORM, FORM), ("multipart/form-data",)]
)
def test_what_does_not_say_that_it_is_a_form_is_none(types: tuple[str, ...]) -> None:
    """CK-22, BL-15."""
    with pytest.raises(RequestRefused, match="not a form"):
        form_of(form(b"a=b", *types))


@given(st.binary(max_size=80))
def test_a_form_is_ascii(body: bytes) -> None:
    if body.isascii():
        assert form_of(form(body, FORM)).encode() == body
    else:
        with pytest.raises(RequestRefused, match="percent-encoded"):
            form_of(form(body, FORM))
