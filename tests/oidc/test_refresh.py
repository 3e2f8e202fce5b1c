"""A refresh token is swapped for new tokens, or it is known why not and what to do then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intastellar_auth.errors import (
    AnswerInvalid,
    ClientRefused,
    ProviderBusy,
    ProviderError,
    ProviderTimeout,
    RefreshRefused,
)
from intastellar_auth.oidc.client_auth import Client
from intastellar_auth.oidc.jose import split_token
from intastellar_auth.oidc.private_key import SigningKey
from intastellar_auth.oidc.refresh import build_refresh_request, read_refresh_answer
from intastellar_auth.oidc.token import MAX_ACCESS_TOKEN, MAX_EXPIRES_IN, Tokens

from .forge import CLIENT_ID, ISSUER, NOW, answer, metadata, private_key
from .test_json_object import JSON_VALUES

if TYPE_CHECKING:
    from intastellar_auth.core.effects import Answer, Fetch
    from intastellar_auth.oidc.json_object import Json

GRANTED = ("openid", "email", "offline_access")
LEAST: dict[str, Json] = {"access_token": "SlAV32hkKG", "token_type": "Bearer"}


def request(client: Client, resource: tuple[str, ...] = (), **changes: object) -> Fetch:
    return build_refresh_request(
        metadata(**changes),
        client,
        refresh_token="8xLOx/Btz+8 &",
        now=NOW,
        jti="a-jti",
        resource=resource,
    )


def fields(fetch: Fetch) -> dict[str, list[str]]:
    assert fetch.body is not None
    return parse_qs(fetch.body.decode(), strict_parsing=True)


def read(**changes: Json) -> Tokens:
    return read_refresh_answer(answer({**LEAST, **changes}), granted_scope=GRANTED)


def refusal(error: type[ProviderError], given_answer: Answer) -> str:
    with pytest.raises(ProviderError) as caught:
        read_refresh_answer(given_answer, granted_scope=GRANTED)
    assert type(caught.value) is error
    return caught.value.detail


# --- the request


def test_the_request_is_a_form_with_the_refresh_token_and_no_scope() -> None:
    """CF-R01, RFC 6749 section 6: left out, the scope is the one that was granted."""
    fetch = request(Client(CLIENT_ID, "none"))
    assert (fetch.method, fetch.url) == ("POST", f"{ISSUER}/token")
    assert ("accept", "application/json") in fetch.headers
    assert ("content-type", "application/x-www-form-urlencoded") in fetch.headers
    assert fields(fetch) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["8xLOx/Btz+8 &"],
        "client_id": [CLIENT_ID],
    }


def test_the_request_does_not_show_the_refresh_token() -> None:
    """TM-05, HL-05."""
    assert "8xLOx" not in repr(request(Client(CLIENT_ID, "none")))


def test_the_client_proves_itself_as_at_the_sign_in() -> None:
    """TK-02."""
    in_header = request(Client(CLIENT_ID, "client_secret_basic", "secret"))
    assert dict(in_header.headers)["authorization"].startswith("Basic ")
    assert "client_id" not in fields(in_header)
    in_body = request(Client(CLIENT_ID, "client_secret_post", "secret"))
    assert fields(in_body)["client_secret"] == ["secret"]


@pytest.mark.parametrize(("issuer", "audience"), [(ISSUER, ISSUER), (None, f"{ISSUER}/token")])
def test_an_assertion_is_made_anew_for_the_issuer_or_the_endpoint_where_none_is_known(
    issuer: str | None, audience: str
) -> None:
    """PJ-02, PJ-03."""
    key = SigningKey("EdDSA", "k", private_key("EdDSA"))
    fetch = request(Client(CLIENT_ID, "private_key_jwt", private_key=key), issuer=issuer)
    assertion = json.loads(split_token(fields(fetch)["client_assertion"][0]).payload)
    assert (assertion["aud"], assertion["jti"], assertion["iat"]) == (audience, "a-jti", NOW)


def test_each_resource_is_named() -> None:
    """RFC 8707 section 2.2."""
    resources = ("https://api.example/a b", "https://other.example/?c&d")
    fetch = request(Client(CLIENT_ID, "none"), resources)
    assert fields(fetch)["resource"] == list(resources)


# --- tokens


def test_a_full_answer_is_read() -> None:
    """CF-R01, TK-09."""
    more: dict[str, Json] = {"refresh_token": "new", "expires_in": 3600, "more": [1]}
    assert read(**more, scope="openid email", id_token="e30.e30.c2ln") == Tokens(
        access_token="SlAV32hkKG",
        id_token="e30.e30.c2ln",
        refresh_token="new",
        scope=("openid", "email"),
        expires_in=3600.0,
    )


@pytest.mark.parametrize("nothing", [None, ""])
def test_all_but_the_access_token_may_be_left_out(nothing: Json) -> None:
    """RF-04, RF-06, TK-09: a scope that is left out has not changed."""
    expected = Tokens("SlAV32hkKG", None, None, GRANTED, None)
    assert read() == expected
    assert read(id_token=nothing, refresh_token=nothing, scope=nothing) == expected


@pytest.mark.parametrize(
    ("scope", "then"),
    [
        ("openid", ("openid",)),
        ("openid admin email", ("openid", "email")),
        ("offline_access email openid", ("offline_access", "email", "openid")),
        ("OpenID openid-2 mail", ()),
        (" ", ()),
    ],
)
def test_a_scope_may_narrow_and_never_widens(scope: str, then: tuple[str, ...]) -> None:
    """RF-09, RFC 6749 section 6."""
    assert read(scope=scope).scope == then


@pytest.mark.parametrize(
    "id_token", [7, True, ["e30.e30.c2ln"], {}, "e30", "e30.e30.", "e30.e30.e30.e30.e30", "a.b.é"]
)
def test_an_id_token_is_a_compact_signed_token_where_it_is(id_token: Json) -> None:
    """TK-06, RF-05."""
    assert "id_token is not" in refusal(AnswerInvalid, answer({**LEAST, "id_token": id_token}))


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
@pytest.mark.parametrize(
    "value", [7, ["a"], "a\r\nCookie: a=b", "a b", "a\0", "tøken", "a" * (MAX_ACCESS_TOKEN + 1)]
)
def test_a_token_fits_into_a_header(name: str, value: Json) -> None:
    """TK-12."""
    assert f"{name} is" in refusal(AnswerInvalid, answer({**LEAST, name: value}))


@pytest.mark.parametrize("token_type", [None, "", "mac", "DPoP", 1])
def test_another_token_type_is_refused(token_type: Json) -> None:
    """TK-07, DP-06."""
    document: Json = {**LEAST, "token_type": token_type}
    assert "token_type Bearer" in refusal(AnswerInvalid, answer(document))


@pytest.mark.parametrize("value", [0, -1, "0", "1e99", "soon", True, [], {}])
def test_a_lifetime_that_is_none_is_not_a_reason_to_refresh_at_once(value: Json) -> None:
    """TK-08."""
    assert read(expires_in=value).expires_in is None


def test_a_missing_access_token_is_refused() -> None:
    assert "no access_token" in refusal(AnswerInvalid, answer({"token_type": "Bearer"}))


def test_tokens_do_not_show() -> None:
    """TM-05."""
    shown = repr(read(refresh_token="8xLOxBtZp8", id_token="e30.e30.c2ln"))
    assert not [each for each in ("SlAV32hkKG", "8xLOxBtZp8", "e30") if each in shown]


# --- refusals

WORDS: list[Json | bytes] = [{}, {"error": 7}, [], b"", b"<html>Sorry</html>", b'{"a":1,"a":2}']


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500, 503])
def test_invalid_grant_is_the_end_of_the_refresh_token_with_any_status(status: int) -> None:
    """RF-07: it is not tried again."""
    document: Json = {"error": "invalid_grant", "error_description": "Token was rotated."}
    detail = refusal(RefreshRefused, answer(document, status))
    assert "the refresh token" in detail
    assert "invalid_grant: Token was rotated." in detail


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 428, 430, 499])
@pytest.mark.parametrize("document", [*WORDS, {"error": "invalid_scope"}])
def test_any_other_refusal_is_the_same(status: int, document: Json | bytes) -> None:
    """RF-07, TK-10."""
    for media_type in ("application/json", "text/html", ""):
        assert f"status {status}" in refusal(RefreshRefused, answer(document, status, media_type))


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500])
@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client"])
def test_a_refusal_of_the_client_is_not_the_tokens_fault(status: int, error: str) -> None:
    """TK-10."""
    assert error in refusal(ClientRefused, answer({"error": error}, status))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 599])
@pytest.mark.parametrize("document", [*WORDS, {"error": "temporarily_unavailable"}])
def test_a_provider_that_did_nothing_may_be_asked_again(
    status: int, document: Json | bytes
) -> None:
    """RF-08, TK-10."""
    assert "in trouble" in refusal(ProviderBusy, answer(document, status, "text/html"))


@pytest.mark.parametrize("document", WORDS)
def test_a_gateway_that_had_no_answer_in_time_cannot_tell_whether_it_was_done(
    document: Json | bytes,
) -> None:
    """RF-08: the token may have been spent, as where we have no answer in time ourselves."""
    assert "gateway" in refusal(ProviderTimeout, answer(document, 504, "text/html"))


def test_a_provider_that_is_busy_is_for_whoever_waits_a_503() -> None:
    """RF-08."""
    assert (ProviderBusy.status, ProviderBusy.code) == (503, "provider_busy")
    assert RefreshRefused.code == "refresh_refused"


@pytest.mark.parametrize("status", [201, 204, 302, 303, 307, 308])
def test_no_other_status_is_an_answer(status: int) -> None:
    """TK-03."""
    assert f"status {status}" in refusal(AnswerInvalid, answer(LEAST, status))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"NaN", b'{"access_token":"a","access_token":"b"}']
)
def test_a_body_that_is_not_one_clear_object_is_refused(body: bytes) -> None:
    """TK-04: the refresh token may have been spent by then."""
    refusal(AnswerInvalid, answer(body))


def test_the_log_has_the_providers_words_cut_short() -> None:
    """TK-11."""
    document: Json = {"error": "invalid_grant", "error_description": "d" * 5000}
    detail = refusal(RefreshRefused, answer(document, 400))
    assert ": ddd" in detail
    assert len(detail) < 400


def test_no_refusal_quotes_a_token() -> None:
    """JW-21, TM-05."""
    for name in ("token_type", "id_token", "access_token", "refresh_token", "scope"):
        assert "s3cr3t" not in refusal(AnswerInvalid, answer({**LEAST, name: ["s3cr3t"]}))


@given(
    st.dictionaries(
        st.sampled_from([*LEAST, "id_token", "expires_in", "refresh_token", "scope", "error"]),
        JSON_VALUES,
    ),
    st.sampled_from([200, 200, 200, 201, 302, 400, 401, 429, 500]),
)
@example({}, 200)
@example({"scope": "admin"}, 200)
@example({}, 500)
def test_any_answer_is_tokens_or_an_error_of_ours(changes: dict[str, Json], status: int) -> None:
    document = answer(json.dumps({**LEAST, **changes}).encode(), status)
    try:
        tokens = read_refresh_answer(document, granted_scope=GRANTED)
    except ProviderError:
        return
    assert status == 200
    assert tokens.access_token.isascii()
    assert set(tokens.scope) <= set(GRANTED)
    assert tokens.expires_in is None or 0 < tokens.expires_in <= MAX_EXPIRES_IN


@given(st.binary(max_size=100), st.integers(100, 599))
def test_any_bytes_are_an_error_of_ours(body: bytes, status: int) -> None:
    with pytest.raises(ProviderError):
        read_refresh_answer(answer(body, status), granted_scope=())
