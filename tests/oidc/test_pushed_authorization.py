"""Pushing an authorization request: what is sent, and what is made of the answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intastellar_auth.core.effects import Answer
from intastellar_auth.errors import AnswerInvalid, ClientRefused, ProviderBusy, ProviderError
from intastellar_auth.oidc.client_auth import Client
from intastellar_auth.oidc.jose import split_token
from intastellar_auth.oidc.private_key import SigningKey
from intastellar_auth.oidc.pushed_authorization import (
    MAX_REQUEST_URI,
    build_pushed_authorization_request,
    read_pushed_authorization_answer,
)

from .forge import CLIENT_ID, ISSUER, NOW, answer, private_key
from .test_json_object import JSON_VALUES

if TYPE_CHECKING:
    from intastellar_auth.oidc.authorization import Parameters
    from intastellar_auth.oidc.json_object import Json

ENDPOINT = f"{ISSUER}/par"
REQUEST_URI = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c"
ASKED: Parameters = {
    "response_type": "code",
    "client_id": CLIENT_ID,
    "state": "a&b=c",
    "resource": ("https://api.example/", "urn:files"),
}


def pushed(client: Client) -> dict[str, list[str]]:
    """Return the form that ``client`` sends."""
    request = build_pushed_authorization_request(
        ENDPOINT, ASKED, client, audience=ISSUER, now=NOW, jti="a-jti"
    )
    assert (request.method, request.url) == ("POST", ENDPOINT)
    assert ("content-type", "application/x-www-form-urlencoded") in request.headers
    assert request.body is not None
    return parse_qs(request.body.decode(), strict_parsing=True)


def refusal(error: type[ProviderError], given_answer: Answer) -> str:
    """Return why ``given_answer`` is refused."""
    with pytest.raises(ProviderError) as caught:
        read_pushed_authorization_answer(given_answer)
    assert type(caught.value) is error
    return caught.value.detail


SENT = {
    "response_type": ["code"],
    "client_id": [CLIENT_ID],
    "state": ["a&b=c"],
    "resource": ["https://api.example/", "urn:files"],
}


def test_all_that_is_asked_is_pushed_and_the_client_is_named_however_it_authenticates() -> None:
    """CF-S06: ``client_id`` is a parameter of the request, also beside Basic."""
    assert pushed(Client(CLIENT_ID, "none")) == SENT
    assert pushed(Client(CLIENT_ID, "client_secret_basic", "hunter2")) == SENT
    posted = pushed(Client(CLIENT_ID, "client_secret_post", "hunter2"))
    assert posted == {**SENT, "client_secret": ["hunter2"]}


def test_an_assertion_is_for_the_issuer() -> None:
    """CF-S06, PJ-02."""
    key = SigningKey("ES256", "k", private_key("ES256"))
    form = pushed(Client(CLIENT_ID, "private_key_jwt", private_key=key))
    (assertion,) = form.pop("client_assertion")
    form.pop("client_assertion_type")
    assert form == SENT
    assert json.loads(split_token(assertion).payload)["aud"] == ISSUER


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    "more",
    [{}, {"expires_in": 60}, {"expires_in": 0.5}, {"expires_in": "60"}, {"expires_in": None}],
)
def test_the_reference_is_read(status: int, more: dict[str, Json]) -> None:
    """RFC 9126 section 2.2; some providers answer with 200, or do not say how long it lasts."""
    said = answer({"request_uri": REQUEST_URI, **more}, status=status)
    assert read_pushed_authorization_answer(said) == REQUEST_URI


@pytest.mark.parametrize("uri", ["https://evil.example/x?a=b#c", "u", "\"<&'>", "a" * 2048])
def test_odd_references_are_as_good_as_others(uri: str) -> None:
    """PA-03: what it looks like is the provider's business."""
    assert read_pushed_authorization_answer(answer({"request_uri": uri}, status=201)) == uri


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (answer({}, status=201), "no request_uri"),
        (answer({"request_uri": ""}, status=201), "no request_uri"),
        (answer({"request_uri": None}, status=201), "no request_uri"),
        (answer({"request_uri": 7}, status=201), "not a string"),
        (answer({"request_uri": [REQUEST_URI]}, status=201), "not a string"),
        (answer({"request_uri": "a" * (MAX_REQUEST_URI + 1)}, status=201), "longer than 2048"),
        (answer({"request_uri": "a" * 10_000_000}, status=201), "longer than 2048"),
        (answer({"request_uri": "urn:a b"}, status=201), "not visible ASCII"),
        (answer({"request_uri": "urn:a\r\nset-cookie: b"}, status=201), "not visible ASCII"),
        (answer({"request_uri": "urn:\x00"}, status=201), "not visible ASCII"),
        (answer({"request_uri": "urn:é"}, status=201), "not visible ASCII"),
        (answer({"request_uri": REQUEST_URI, "expires_in": 0}, status=201), "expired already"),
        (answer({"request_uri": REQUEST_URI, "expires_in": -1}, status=201), "expired already"),
        (answer(["a"], status=201), "not an object"),
        (answer(b'{"request_uri": "urn:a", "request_uri": "urn:b"}', status=201), "twice"),
        (answer(b"<html>", status=201, media_type="text/html"), "not labelled as JSON"),
        (answer(b"<html>", status=201), "not JSON"),
        (answer(b"", status=201), "not JSON"),
        (answer({"request_uri": REQUEST_URI}, status=202), "status 202"),
        (answer({"request_uri": REQUEST_URI}, status=204), "status 204"),
        (answer({"request_uri": REQUEST_URI}, status=302), "status 302"),
    ],
)
def test_an_answer_without_a_reference_that_can_be_used_is_refused(
    said: Answer, words: str
) -> None:
    """PA-02, PA-05."""
    assert words in refusal(AnswerInvalid, said)


@pytest.mark.parametrize(
    ("status", "error", "raised"),
    [
        (401, "invalid_client", ClientRefused),
        (400, "invalid_client", ClientRefused),
        (403, "unauthorized_client", ClientRefused),
        (400, "invalid_request", ProviderError),
        (403, None, ProviderError),
        (413, None, ProviderError),
        (200, "invalid_request", ProviderError),
        (201, "invalid_scope", ProviderError),
        (429, None, ProviderBusy),
        (500, "server_error", ProviderBusy),
        (503, None, ProviderBusy),
    ],
)
def test_a_refusal_is_told_from_trouble(
    status: int, error: str | None, raised: type[ProviderError]
) -> None:
    """PA-02: its words are for the log."""
    document: dict[str, Json] = {"request_uri": REQUEST_URI, "error_description": "so they say"}
    if error is not None:
        document["error"] = error
    detail = refusal(raised, answer(document, status=status))
    assert f"status {status}, " in detail
    assert "so they say" in detail


@given(
    st.sampled_from([200, 201, 400, 401, 503]),
    st.dictionaries(st.sampled_from(["request_uri", "expires_in", "error"]), JSON_VALUES),
)
@example(201, {"request_uri": REQUEST_URI, "expires_in": 1e300})
def test_any_document_is_a_reference_or_a_refusal(status: int, document: dict[str, Json]) -> None:
    try:
        uri = read_pushed_authorization_answer(answer(document, status=status))
    except ProviderError:
        return
    assert uri == document["request_uri"]
    assert all("!" <= character <= "~" for character in uri)


@given(st.binary(), st.sampled_from([200, 201, 400, 500]))
def test_any_bytes_are_refused_as_a_provider_s_mistake(body: bytes, status: int) -> None:
    with pytest.raises(ProviderError):
        read_pushed_authorization_answer(answer(body, status=status))
