"""Whatever is sent, a reader answers with a value or with a refusal by name."""

from __future__ import annotations

import base64
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intastellar_auth.devprovider.authorization_request import (
    ReplyTo,
    read_authorization_request,
)
from intastellar_auth.devprovider.client_auth import read_basic
from intastellar_auth.devprovider.errors import OAuthError
from intastellar_auth.devprovider.loopback import is_loopback_authority
from intastellar_auth.devprovider.parameters import parse_parameters
from intastellar_auth.devprovider.scopes import SCOPES
from intastellar_auth.devprovider.shelf import Shelf
from tests.devprovider.harness import CALLBACK, asked

NAMES = st.sampled_from(sorted({*asked(), "prompt", "max_age", "response_mode", "login_hint"}))


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=8))
def test_parameters_come_back_as_they_were_sent(sent: dict[str, str]) -> None:
    assert parse_parameters(urlencode(sent)) == sent


@given(st.text())
@example("state=1&state=2")
def test_any_text_is_parameters_or_an_invalid_request(text: str) -> None:
    error = ""
    try:
        assert "" not in parse_parameters(text).values()
    except OAuthError as refusal:
        error = refusal.error
    assert error in {"", "invalid_request"}


def test_too_many_and_undecodable_parameters_are_refused() -> None:
    for text in ("&".join(f"a{number}=1" for number in range(101)), "a=%ff"):
        with pytest.raises(OAuthError, match="invalid_request"):
            parse_parameters(text)


@given(st.dictionaries(NAMES, st.text()))
def test_any_request_is_checked_or_refused_by_name(changes: dict[str, str]) -> None:
    reply_to = ReplyTo("public", CALLBACK)
    error = ""
    try:
        request = read_authorization_request(asked(**changes), reply_to, SCOPES)
        assert len(request.code_challenge) == 43
    except OAuthError as refusal:
        error = refusal.error
    assert error in {"", "invalid_request", "invalid_scope", "unsupported_response_type"}


@given(st.text(), st.text())
def test_a_basic_header_comes_back_as_it_was_sent(client_id: str, secret: str) -> None:
    joined = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    header = f"Basic {base64.b64encode(joined.encode()).decode()}"
    assert read_basic(header) == (client_id, secret)


@given(st.text())
def test_any_other_header_is_invalid_client(header: str) -> None:
    with pytest.raises(OAuthError, match="invalid_client"):
        read_basic(header)


@given(st.text())
def test_any_host_header_is_loopback_or_not(authority: str) -> None:
    assert is_loopback_authority(authority) in {True, False}


def test_a_shelf_drops_what_has_expired() -> None:
    now = 0.0
    shelf: Shelf[str] = Shelf(lambda: now)
    shelf.put("a", "1", 10)
    assert not shelf.add("a", "2", 10)
    now = 10.0
    assert shelf.get("a") is None
    assert shelf.add("a", "2", 10)
    assert shelf.take("a") == "2"
    assert shelf.take("a") is None
    assert shelf.items() == []
