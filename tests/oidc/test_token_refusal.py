"""A token endpoint that says no: to the code, to us, or to everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from intastellar_auth.errors import (
    AnswerInvalid,
    ClientRefused,
    CodeRefused,
    ProviderError,
)
from intastellar_auth.oidc.token import (
    read_token_answer,
)

from .forge import answer

if TYPE_CHECKING:
    from intastellar_auth.core.effects import Answer
    from intastellar_auth.oidc.json_object import Json

GOOD: dict[str, Json] = {
    "access_token": "SlAV32hkKG",
    "token_type": "Bearer",
    "id_token": "e30.e30.c2ln",
}


def refusal(error: type[ProviderError], given_answer: Answer) -> str:
    with pytest.raises(ProviderError) as caught:
        read_token_answer(given_answer, requested_scope="openid", id_token_expected=True)
    assert type(caught.value) is error
    return caught.value.detail


REFUSALS: list[Json | bytes] = [
    {"error": "invalid_grant", "error_description": "The code was used."},
    {"error": "code_already_used"},
    {"error": 7},
    {},
    [],
    b"",
    b"<html>Forbidden</html>",
    b'{"error": "a", "error": "b"}',
]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418])
@pytest.mark.parametrize("document", REFUSALS)
def test_any_refusal_of_the_code_is_the_same(status: int, document: Json | bytes) -> None:
    """TK-10."""
    for media_type in ("application/json", "text/html", ""):
        detail = refusal(CodeRefused, answer(document, status, media_type))
        assert f"status {status}" in detail


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500])
def test_a_refusal_of_the_client_is_not_the_codes_fault(error: str, status: int) -> None:
    """TK-10."""
    assert error in refusal(ClientRefused, answer({"error": error}, status))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("document", [{}, {"error": "server_error"}, b"", b"<html>"])
def test_a_provider_in_trouble_has_not_refused(status: int, document: Json | bytes) -> None:
    """TK-10."""
    assert "in trouble" in refusal(ProviderError, answer(document, status, "text/html"))


@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_invalid_grant_is_a_refusal_with_any_status(status: int) -> None:
    """TK-10, P9."""
    assert "invalid_grant" in refusal(CodeRefused, answer({"error": "invalid_grant"}, status))


@pytest.mark.parametrize("status", [201, 204, 302, 303, 307, 308])
def test_no_other_status_is_an_answer(status: int) -> None:
    """TK-03, SS-01."""
    assert f"status {status}" in refusal(AnswerInvalid, answer(GOOD, status))


def test_the_log_has_the_providers_words_cut_short() -> None:
    """TK-11."""
    document: Json = {"error": "invalid_grant", "error_description": "d" * 5000}
    detail = refusal(CodeRefused, answer(document, 400))
    assert "invalid_grant: ddd" in detail
    assert len(detail) < 400
