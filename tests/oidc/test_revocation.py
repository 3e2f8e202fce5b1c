"""A token is given back to the provider (RFC 7009)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intastellar_auth.errors import ClientRefused, ProviderError
from intastellar_auth.oidc.client_auth import Client
from intastellar_auth.oidc.jose import split_token
from intastellar_auth.oidc.private_key import SigningKey
from intastellar_auth.oidc.revocation import build_revocation_request, read_revocation_answer

from .forge import CLIENT_ID, ISSUER, NOW, answer, private_key

if TYPE_CHECKING:
    from intastellar_auth.core.effects import Answer, Fetch
    from intastellar_auth.oidc.json_object import Json

ENDPOINT = f"{ISSUER}/revoke?tenant=1"


def request(
    client: Client, hint: Literal["access_token", "refresh_token"] = "refresh_token"
) -> Fetch:
    return build_revocation_request(
        ENDPOINT,
        client,
        token="45ghiukldjahdnhzdauz&=",
        token_type_hint=hint,
        audience=ISSUER,
        now=NOW,
        jti="a-jti",
    )


def fields(fetch: Fetch) -> dict[str, list[str]]:
    assert fetch.body is not None
    return parse_qs(fetch.body.decode(), strict_parsing=True)


def refusal(error: type[ProviderError], given_answer: Answer) -> str:
    with pytest.raises(ProviderError) as caught:
        read_revocation_answer(given_answer)
    assert type(caught.value) is error
    return caught.value.detail


@pytest.mark.parametrize("hint", ["access_token", "refresh_token"])
def test_the_request_is_a_form_with_the_token_and_its_kind(
    hint: Literal["access_token", "refresh_token"],
) -> None:
    """LO-09, BL-19, section 2.1."""
    fetch = request(Client(CLIENT_ID, "none"), hint)
    assert (fetch.method, fetch.url) == ("POST", ENDPOINT)
    assert ("content-type", "application/x-www-form-urlencoded") in fetch.headers
    assert fields(fetch) == {
        "token": ["45ghiukldjahdnhzdauz&="],
        "token_type_hint": [hint],
        "client_id": [CLIENT_ID],
    }


def test_the_request_does_not_show_the_token() -> None:
    """TM-05, HL-05."""
    assert "45ghi" not in repr(request(Client(CLIENT_ID, "none")))


def test_the_client_proves_itself_as_at_the_token_endpoint() -> None:
    """LO-09, TK-02."""
    in_header = request(Client(CLIENT_ID, "client_secret_basic", "secret"))
    assert dict(in_header.headers)["authorization"].startswith("Basic ")
    in_body = request(Client(CLIENT_ID, "client_secret_post", "secret"))
    assert fields(in_body)["client_secret"] == ["secret"]
    key = SigningKey("EdDSA", "k", private_key("EdDSA"))
    signed = fields(request(Client(CLIENT_ID, "private_key_jwt", private_key=key)))
    assertion = json.loads(split_token(signed["client_assertion"][0]).payload)
    assert (assertion["aud"], assertion["jti"], assertion["iat"]) == (ISSUER, "a-jti", NOW)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"", ""),
        (b"{}", "application/json"),
        (b"<html>OK</html>", "text/html"),
        (b'{"error": "invalid_token"}', "application/json"),
    ],
)
def test_the_status_alone_says_that_the_token_is_revoked(body: bytes, media_type: str) -> None:
    """LO-09, section 2.2: what else the answer holds is ignored, and so is whether it was good."""
    read_revocation_answer(answer(body, 200, media_type))


@pytest.mark.parametrize("status", [201, 204, 302, 307, 400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize(
    "document",
    [{}, {"error": "unsupported_token_type"}, {"error": 7}, [], b"", b"<html>", b'{"a":1,"a":2}'],
)
def test_any_other_status_says_that_it_is_not(status: int, document: Json | bytes) -> None:
    """LO-09, section 2.2.1."""
    for media_type in ("application/json", "text/html", ""):
        assert f"status {status}" in refusal(ProviderError, answer(document, status, media_type))


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client"])
def test_a_refusal_of_the_client_is_told_apart(status: int, error: str) -> None:
    """LO-09, TK-10."""
    detail = refusal(ClientRefused, answer({"error": error}, status))
    assert "revocation endpoint" in detail
    assert error in detail


def test_the_log_has_the_providers_words_cut_short() -> None:
    """TK-11."""
    document: Json = {"error": "server_error", "error_description": "d" * 5000}
    detail = refusal(ProviderError, answer(document, 400))
    assert ": ddd" in detail
    assert len(detail) < 400


@given(st.binary(max_size=100), st.integers(100, 599))
@example(b"", 200)
def test_any_answer_is_a_yes_or_an_error_of_ours(body: bytes, status: int) -> None:
    try:
        read_revocation_answer(answer(body, status))
    except ProviderError:
        assert status != 200
    else:
        assert status == 200
