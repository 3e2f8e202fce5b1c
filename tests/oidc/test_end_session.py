"""The address that ends the provider's session."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.errors import AnswerInvalid
from intastellar_auth.oidc.end_session import MAX_URL, build_end_session_url

from .forge import CLIENT_ID, ISSUER, token
from .test_endpoints import BAD_URLS

BACK = "https://app.example/auth/logout"


def url(
    endpoint: str = f"{ISSUER}/logout", *, hint: str | None = None, state: str = "the-state"
) -> str:
    return build_end_session_url(
        endpoint,
        id_token_hint=hint,
        client_id=CLIENT_ID,
        post_logout_redirect_uri=BACK,
        state=state,
    )


def query(address: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(address).query, strict_parsing=True)


def test_a_logout_says_who_asks_and_where_to_return() -> None:
    """LO-03, CF-L01."""
    hint = token()
    assert query(url(hint=hint)) == [
        ("id_token_hint", hint),
        ("client_id", CLIENT_ID),
        ("post_logout_redirect_uri", BACK),
        ("state", "the-state"),
    ]


@pytest.mark.parametrize("hint", [None, "", "a" * MAX_URL])
def test_a_logout_without_a_usable_hint_goes_without(hint: str | None) -> None:
    """LO-03."""
    address = url(hint=hint)
    assert [name for name, _ in query(address)] == [
        "client_id",
        "post_logout_redirect_uri",
        "state",
    ]


def test_a_hint_is_kept_as_long_as_the_address_is_short_enough() -> None:
    """LO-03."""
    room = MAX_URL - len(url(hint="a")) + 1
    assert len(url(hint="a" * room)) == MAX_URL
    assert "id_token_hint" not in url(hint="a" * (room + 1))


def test_the_endpoints_own_query_is_kept_and_never_doubles_ours() -> None:
    """LO-05, RQ-09."""
    assert url(f"{ISSUER}/logout?tenant=a").startswith(f"{ISSUER}/logout?tenant=a&client_id=")
    for name in ("id_token_hint", "client_id", "post_logout_redirect_uri", "state"):
        assert url(f"{ISSUER}/logout?{name}=evil") == url()
        assert url(f"{ISSUER}/logout?{name}=evil", hint="a.b.c") == url(hint="a.b.c")


@pytest.mark.parametrize("endpoint", BAD_URLS)
def test_an_endpoint_that_no_provider_has_is_refused(endpoint: str) -> None:
    """LO-05."""
    with pytest.raises(AnswerInvalid, match="end_session_endpoint"):
        url(endpoint)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_no_value_breaks_out_of_its_parameter(state: str) -> None:
    """LO-05, HL-01."""
    address = url(state=state)
    assert dict(query(address))["state"] == state
    assert address.isascii()
    assert address.isprintable()
    assert " " not in address
