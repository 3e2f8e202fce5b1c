"""Swapping a refresh token: what is sent, and what is made of every answer."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core.effects import Answer
from intastellar_auth.errors import (
    AnswerInvalid,
    ClientRefused,
    ProviderBusy,
    ProviderError,
    RefreshRefused,
)
from intastellar_auth.oidc.client_auth import Client
from intastellar_auth.oidc.json_object import Json
from intastellar_auth.oidc.refresh import build_refresh_request, read_refresh_answer
from intastellar_auth.oidc.token import Tokens

from .forge import CLIENT_ID, ISSUER, NOW, answer, metadata, token

GRANTED = ("openid", "email")
GOOD: dict[str, Json] = {"access_token": "new", "token_type": "Bearer"}


def read(said: Answer) -> Tokens:
    """Return what is made of an answer."""
    return read_refresh_answer(said, granted_scope=GRANTED)


def test_the_request_is_that_of_the_specification() -> None:
    """RFC 6749 section 6: for the scope that was granted, so that none is named."""
    sent = build_refresh_request(
        metadata(), Client(CLIENT_ID, "none"), refresh_token="r+1", now=NOW, jti="j"
    )
    assert (sent.method, sent.url) == ("POST", f"{ISSUER}/token")
    assert dict(parse_qsl((sent.body or b"").decode())) == {
        "grant_type": "refresh_token",
        "refresh_token": "r+1",
        "client_id": CLIENT_ID,
    }
    assert "r+1" not in repr(sent)


def test_an_access_token_alone_is_an_answer() -> None:
    """RFC 6749 section 6: all else may stay as it was."""
    assert read(answer(GOOD)) == Tokens("new", None, None, GRANTED, None)


def test_whatever_comes_besides_is_read() -> None:
    id_token = token()
    more: dict[str, Json] = {"refresh_token": "r-2", "id_token": id_token, "scope": "openid"}
    found = read(answer({**GOOD, **more, "expires_in": "60"}))
    assert found == Tokens("new", id_token, "r-2", ("openid",), 60.0)


@pytest.mark.parametrize(
    ("status", "error", "raised"),
    [
        (400, "invalid_grant", RefreshRefused),
        (403, None, RefreshRefused),
        (200, "invalid_grant", RefreshRefused),
        (500, "invalid_grant", RefreshRefused),
        (401, "invalid_client", ClientRefused),
        (400, "unauthorized_client", ClientRefused),
        (500, "invalid_client", ClientRefused),
        (429, None, ProviderBusy),
        (429, "slow_down", ProviderBusy),
        (500, "server_error", ProviderBusy),
        (503, None, ProviderBusy),
        (302, None, AnswerInvalid),
        (204, None, AnswerInvalid),
    ],
)
def test_a_refusal_says_whose_fault_it_is(
    status: int, error: str | None, raised: type[ProviderError]
) -> None:
    """The token's, this client's, or nobody's that matters in a moment."""
    with pytest.raises(ProviderError, match=str(status)) as caught:
        read(answer({} if error is None else {"error": error}, status=status))
    assert type(caught.value) is raised


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": None},
        {"access_token": "a b"},
        {"access_token": "a\r\nb"},
        {"access_token": ["a"]},
        {"token_type": "mac"},
        {"refresh_token": "r\n"},
        {"refresh_token": 7},
        {"id_token": "a.b"},
        {"id_token": "a.b.c.d.e"},
        {"scope": ["openid"]},
    ],
)
def test_an_answer_that_cannot_be_meant_is_refused(changes: dict[str, Json]) -> None:
    """HL rows: a token goes into a header some day."""
    with pytest.raises(AnswerInvalid):
        read(answer({**GOOD, **changes}))


@given(
    status=st.integers(100, 599),
    body=st.binary(max_size=60)
    | st.dictionaries(
        st.sampled_from([*GOOD, "error", "refresh_token", "id_token", "scope", "expires_in"]),
        st.none() | st.integers() | st.text(max_size=9) | st.lists(st.text(max_size=3)),
    ),
)
def test_no_answer_raises_anything_but_a_provider_s_error(
    status: int, body: bytes | dict[str, Json]
) -> None:
    try:
        found = read(answer(body, status=status))
    except ProviderError:
        return
    assert found.access_token
    assert found.access_token.isascii()
