"""The token request and what its answer is worth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intastellar_auth.errors import (
    AnswerInvalid,
    ProviderError,
)
from intastellar_auth.oidc.authorization import AuthorizationCode
from intastellar_auth.oidc.client_auth import Client
from intastellar_auth.oidc.jose import MAX_TOKEN, split_token
from intastellar_auth.oidc.private_key import SigningKey
from intastellar_auth.oidc.token import (
    MAX_ACCESS_TOKEN,
    MAX_EXPIRES_IN,
    Tokens,
    build_token_request,
    read_token_answer,
)

from .forge import CLIENT_ID, ISSUER, NOW, answer, metadata, private_key
from .test_json_object import JSON_VALUES

if TYPE_CHECKING:
    from intastellar_auth.core.effects import Answer, Fetch
    from intastellar_auth.oidc.json_object import Json

GOOD: dict[str, Json] = {
    "access_token": "SlAV32hkKG",
    "token_type": "Bearer",
    "id_token": "e30.e30.c2ln",
}


def request(client: Client, **changes: object) -> Fetch:
    return build_token_request(
        metadata(**changes),
        client,
        code=AuthorizationCode("the code"),
        redirect_uri="https://app.example/auth/callback",
        code_verifier="v" * 43,
        now=NOW,
        jti="a-jti",
    )


def fields(fetch: Fetch) -> dict[str, list[str]]:
    assert fetch.body is not None
    return parse_qs(fetch.body.decode(), strict_parsing=True)


def read(**changes: Json) -> Tokens:
    return read_token_answer(
        answer({**GOOD, **changes}), requested_scope="openid email", id_token_expected=True
    )


def refusal(error: type[ProviderError], given_answer: Answer) -> str:
    with pytest.raises(ProviderError) as caught:
        read_token_answer(given_answer, requested_scope="openid", id_token_expected=True)
    assert type(caught.value) is error
    return caught.value.detail


def test_the_request_is_a_form_with_code_redirect_uri_and_verifier() -> None:
    """TK-01, CF-S03, CF-S04."""
    fetch = request(Client(CLIENT_ID, "none"))
    assert (fetch.method, fetch.url) == ("POST", f"{ISSUER}/token")
    assert ("accept", "application/json") in fetch.headers
    assert ("content-type", "application/x-www-form-urlencoded") in fetch.headers
    assert fields(fetch) == {
        "grant_type": ["authorization_code"],
        "code": ["the code"],
        "redirect_uri": ["https://app.example/auth/callback"],
        "code_verifier": ["v" * 43],
        "client_id": [CLIENT_ID],
    }
    assert "code" not in repr(fetch)


def test_the_request_says_where_the_access_token_will_be_used() -> None:
    """RFC 8707 section 2.2."""
    fetch = build_token_request(
        metadata(),
        Client(CLIENT_ID, "none"),
        code=AuthorizationCode("the code"),
        redirect_uri="https://app.example/auth/callback",
        code_verifier="v" * 43,
        now=NOW,
        jti="a-jti",
        resource=("https://api.example/", "urn:files"),
    )
    assert fields(fetch)["resource"] == ["https://api.example/", "urn:files"]


@pytest.mark.parametrize(("issuer", "audience"), [(ISSUER, ISSUER), (None, f"{ISSUER}/token")])
def test_an_assertion_is_for_the_issuer_or_the_endpoint_where_none_is_known(
    issuer: str | None, audience: str
) -> None:
    """PJ-02, PJ-03."""
    key = SigningKey("EdDSA", "k", private_key("EdDSA"))
    fetch = request(Client(CLIENT_ID, "private_key_jwt", private_key=key), issuer=issuer)
    assertion = split_token(fields(fetch)["client_assertion"][0])
    assert json.loads(assertion.payload)["aud"] == audience


def test_a_full_answer_is_read() -> None:
    """TK-09."""
    assert read(refresh_token="8xLOxBtZp8", expires_in=3600, scope="openid", more=[1]) == Tokens(
        access_token="SlAV32hkKG",
        id_token="e30.e30.c2ln",
        refresh_token="8xLOxBtZp8",
        scope=("openid",),
        expires_in=3600.0,
    )


def test_a_sparse_answer_is_read() -> None:
    """TK-08, TK-09, CF-P15."""
    assert read() == Tokens("SlAV32hkKG", "e30.e30.c2ln", None, ("openid", "email"), None)


def test_tokens_do_not_show() -> None:
    """TM-05."""
    tokens = read(refresh_token="8xLOxBtZp8")
    assert repr(tokens) == "Tokens(scope=('openid', 'email'), expires_in=None)"


def test_an_id_token_that_nobody_asked_for_is_dropped() -> None:
    for id_token in ("e30.e30.c2ln", 7, "", None):
        tokens = read_token_answer(
            answer({**GOOD, "id_token": id_token}),
            requested_scope="profile",
            id_token_expected=False,
        )
        assert tokens.id_token is None


@pytest.mark.parametrize("token_type", ["bearer", "Bearer", "BEARER", "bEARER"])
def test_the_token_type_is_bearer_in_any_case(token_type: str) -> None:
    """TK-07, CF-P16."""
    assert read(token_type=token_type).access_token == "SlAV32hkKG"


@pytest.mark.parametrize("token_type", [None, "", "mac", "DPoP", "Bearer ", 1, ["Bearer"]])
def test_another_token_type_is_refused(token_type: Json) -> None:
    """TK-07, DP-06."""
    assert "token_type Bearer" in refusal(AnswerInvalid, answer({**GOOD, "token_type": token_type}))


@pytest.mark.parametrize("id_token", [None, ""])
def test_a_missing_id_token_is_refused(id_token: Json) -> None:
    """TK-05, TK-06."""
    assert "has no id_token" in refusal(AnswerInvalid, answer({**GOOD, "id_token": id_token}))


@pytest.mark.parametrize(
    "id_token",
    [
        7,
        True,
        ["e30.e30.c2ln"],
        {"payload": "e30"},
        "e30",
        "e30.e30",
        "e30.e30.",
        "e30.e30.e30.e30.e30",
        '{"payload":"e30","signatures":[]}',
        "e30.e30.c2ln\n",
        "e30.e30.é",
        "e30.e30." + "A" * MAX_TOKEN,
    ],
)
def test_an_id_token_is_a_compact_signed_token(id_token: Json) -> None:
    """TK-06, JW-16, JW-17, AD-66."""
    assert "id_token is not" in refusal(AnswerInvalid, answer({**GOOD, "id_token": id_token}))


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_access_token_is_refused(value: Json) -> None:
    """TK-12."""
    assert "has no access_token" in refusal(AnswerInvalid, answer({**GOOD, "access_token": value}))


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
@pytest.mark.parametrize(
    "value", [7, ["a"], "a\r\nCookie: a=b", "a b", "a\0", "tøken", "\x7f", "a" * (16 * 1024 + 1)]
)
def test_a_token_fits_into_a_header(name: str, value: Json) -> None:
    """TK-12."""
    assert f"{name} is" in refusal(AnswerInvalid, answer({**GOOD, name: value}))


def test_the_longest_token_is_kept() -> None:
    """TK-12."""
    assert len(read(access_token="a" * MAX_ACCESS_TOKEN).access_token) == 16 * 1024


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (3600, 3600.0),
        (3.7, 3.7),
        ("3600", 3600.0),
        ("3600.5", 3600.5),
        (1e99, MAX_EXPIRES_IN),
        (2**63, MAX_EXPIRES_IN),
        ("999999999999", MAX_EXPIRES_IN),
        (0, None),
        (-1, None),
        (0.0, None),
        ("0", None),
        ("-1", None),
        ("1e99", None),
        ("9" * 5000, None),
        ("soon", None),
        ("", None),
        ("٣", None),
        (None, None),
        (True, None),
        ([1], None),
        ({}, None),
    ],
)
def test_a_lifetime_is_read_kindly(value: Json, seconds: float | None) -> None:
    """TK-08, CF-P15."""
    assert read(expires_in=value).expires_in == seconds


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("openid", ("openid",)),
        ("openid email admin", ("openid", "email", "admin")),
        ("", ("openid", "email")),
        (None, ("openid", "email")),
    ],
)
def test_the_scope_is_what_was_granted(scope: Json, granted: tuple[str, ...]) -> None:
    """TK-09."""
    assert read(scope=scope).scope == granted


def test_a_scope_is_a_string() -> None:
    """TK-09."""
    assert "scope is not a string" in refusal(AnswerInvalid, answer({**GOOD, "scope": ["openid"]}))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"NaN", b'{"access_token":"a","access_token":"b"}']
)
def test_a_body_that_is_not_one_clear_object_is_refused(body: bytes) -> None:
    """TK-04."""
    assert "the token answer" in refusal(AnswerInvalid, answer(body))


def test_an_answer_that_is_not_labelled_as_json_is_refused() -> None:
    """TK-04."""
    assert "not labelled" in refusal(AnswerInvalid, answer(GOOD, media_type="text/html"))


def test_no_refusal_quotes_a_token() -> None:
    """JW-21, TM-05."""
    for name in ("token_type", "id_token", "access_token", "refresh_token", "scope"):
        detail = refusal(AnswerInvalid, answer({**GOOD, name: ["s3cr3t"]}))
        assert "s3cr3t" not in detail
    for name in ("id_token", "access_token", "refresh_token"):
        assert "s3cr3t" not in refusal(AnswerInvalid, answer({**GOOD, name: "s3cr3t \n"}))


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "expires_in", "refresh_token", "scope", "error"]), JSON_VALUES
    ),
    st.sampled_from([200, 200, 200, 201, 302, 400, 401, 429, 500]),
)
@example({}, 200)
@example({}, 400)
def test_any_answer_is_tokens_or_an_error_of_ours(changes: dict[str, Json], status: int) -> None:
    document = answer(json.dumps({**GOOD, **changes}).encode(), status)
    try:
        tokens = read_token_answer(document, requested_scope="openid", id_token_expected=True)
    except ProviderError:
        return
    assert status == 200
    assert tokens.access_token.isascii()
    assert tokens.expires_in is None or 0 < tokens.expires_in <= MAX_EXPIRES_IN


@given(st.binary(max_size=100), st.integers(100, 599))
def test_any_bytes_are_an_error_of_ours(body: bytes, status: int) -> None:
    with pytest.raises(ProviderError):
        read_token_answer(answer(body, status), requested_scope="", id_token_expected=False)
