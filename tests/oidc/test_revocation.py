"""Revoking a token: what is sent, and what is made of the answer."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from intastellar_auth.errors import ClientRefused, ProviderError
from intastellar_auth.oidc.client_auth import Client
from intastellar_auth.oidc.json_object import Json
from intastellar_auth.oidc.revocation import build_revocation_request, read_revocation_answer

from .forge import CLIENT_ID, ISSUER, NOW, answer


def test_the_request_is_that_of_the_specification() -> None:
    """RFC 7009 section 2.1."""
    sent = build_revocation_request(
        f"{ISSUER}/revoke",
        Client(CLIENT_ID, "client_secret_post", "the secret"),
        token="r-1",
        token_type_hint="refresh_token",
        audience=ISSUER,
        now=NOW,
        jti="j",
    )
    assert (sent.method, sent.url) == ("POST", f"{ISSUER}/revoke")
    assert dict(parse_qsl((sent.body or b"").decode())) == {
        "token": "r-1",
        "token_type_hint": "refresh_token",
        "client_id": CLIENT_ID,
        "client_secret": "the secret",
    }
    assert "r-1" not in repr(sent)


@pytest.mark.parametrize("body", [{}, b"", b"<html>"])
def test_200_is_all_that_counts(body: dict[str, Json] | bytes) -> None:
    """RFC 7009 section 2.2: the content of the body is of no interest."""
    read_revocation_answer(answer(body))


@pytest.mark.parametrize(
    ("status", "error", "raised"),
    [
        (401, "invalid_client", ClientRefused),
        (400, "unauthorized_client", ClientRefused),
        (400, "unsupported_token_type", ProviderError),
        (503, None, ProviderError),
        (302, None, ProviderError),
        (204, None, ProviderError),
    ],
)
def test_anything_else_is_told(status: int, error: str | None, raised: type[ProviderError]) -> None:
    with pytest.raises(ProviderError, match=str(status)) as caught:
        read_revocation_answer(answer({} if error is None else {"error": error}, status=status))
    assert type(caught.value) is raised
