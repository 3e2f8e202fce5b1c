"""What the userinfo endpoint may add, and what it may not change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intastellar_auth.core.effects import Fetch
from intastellar_auth.errors import AnswerInvalid, ProviderError, TokenRevoked
from intastellar_auth.oidc.userinfo import (
    PROTECTED_CLAIMS,
    build_userinfo_request,
    merge_claims,
    read_userinfo_answer,
)

from .forge import ISSUER, answer
from .test_json_object import JSON_VALUES

if TYPE_CHECKING:
    from intastellar_auth.core.effects import Answer
    from intastellar_auth.oidc.json_object import Json


def refusal(given_answer: Answer, sub: str | None = "alice") -> str:
    with pytest.raises(AnswerInvalid) as caught:
        read_userinfo_answer(given_answer, sub=sub)
    return caught.value.detail


def test_the_access_token_travels_in_a_header_alone() -> None:
    """UI-11, CF-B15, CF-D10, R9-08."""
    request = build_userinfo_request(f"{ISSUER}/userinfo?a=b", "s3cr3t")
    assert request == Fetch(
        "GET",
        f"{ISSUER}/userinfo?a=b",
        headers=(("accept", "application/json"), ("authorization", "Bearer s3cr3t")),
    )
    assert "s3cr3t" not in request.url + repr(request)


@pytest.mark.parametrize("sub", ["alice", None])
def test_claims_about_our_user_are_read(sub: str | None) -> None:
    """UI-02, CF-B13, CF-S11."""
    document: dict[str, Json] = {"sub": "alice", "email": "alice@example.com", "unknown": [1]}
    assert read_userinfo_answer(answer(document), sub=sub) == document


@pytest.mark.parametrize("theirs", ["mallory", "Alice", "alice ", "alic", "alice2"])
def test_claims_about_another_user_are_refused(theirs: str) -> None:
    """UI-01, CF-B11."""
    assert "about another user" in refusal(answer({"sub": theirs}))


@pytest.mark.parametrize("sub", ["alice", None])
@pytest.mark.parametrize("theirs", [None, "", 7, ["alice"], {}, True, "a" * 256, "é", "a\r\n"])
def test_claims_about_nobody_are_refused(theirs: Json, sub: str | None) -> None:
    """UI-01, ID-10."""
    assert "has no sub" in refusal(answer({"sub": theirs}), sub)
    assert "has no sub" in refusal(answer({"name": "Alice"}), sub)


@pytest.mark.parametrize("body", [b"[]", b'[{"sub":"alice"}]', b'"alice"', b"null", b"", b"{"])
def test_what_is_not_an_object_is_refused(body: bytes) -> None:
    """UI-05, AD-17."""
    assert "the userinfo answer" in refusal(answer(body))


def test_two_subs_are_refused() -> None:
    """UI-01."""
    assert "twice" in refusal(answer(b'{"sub": "alice", "sub": "alice"}'))


def test_a_signed_answer_is_refused_with_what_to_do() -> None:
    """UI-04, CF-D02."""
    assert "userinfo_signed_response_alg" in refusal(
        answer(b"e30.e30.c2ln", media_type="application/jwt")
    )
    assert "not JSON" in refusal(answer(b"e30.e30.c2ln"))
    assert "not labelled" in refusal(answer({"sub": "alice"}, media_type="text/html"))


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_a_refusal_is_the_providers_error(status: int) -> None:
    """UI-06."""
    with pytest.raises(ProviderError, match=f"status {status}") as caught:
        read_userinfo_answer(answer({"sub": "alice"}, status), sub="alice")
    assert type(caught.value) is ProviderError


def test_an_access_token_that_is_good_no_more_is_told_from_other_refusals() -> None:
    """UI-06, RFC 6750 section 3.1."""
    with pytest.raises(TokenRevoked, match="status 401"):
        read_userinfo_answer(answer({"error": "invalid_token"}, 401), sub="alice")


@pytest.mark.parametrize("status", [201, 204, 302, 307])
def test_no_other_status_is_an_answer(status: int) -> None:
    """UI-08."""
    assert f"status {status}" in refusal(answer({"sub": "alice"}, status))


def test_userinfo_adds_and_renews_claims() -> None:
    """CF-B13, RF-10."""
    merged = merge_claims(
        {"iss": ISSUER, "sub": "alice", "roles": ["admin"], "name": "Alice"},
        {"sub": "alice", "roles": ["reader"], "email": "alice@example.com", "name": None},
    )
    assert merged == {
        "iss": ISSUER,
        "sub": "alice",
        "roles": ["reader"],
        "name": "Alice",
        "email": "alice@example.com",
    }


@pytest.mark.parametrize("name", sorted(PROTECTED_CLAIMS))
def test_userinfo_says_nothing_about_the_sign_in(name: str) -> None:
    """UI-03."""
    assert merge_claims({name: "signed"}, {name: "evil"}) == {name: "signed"}
    assert merge_claims({}, {name: "evil"}) == {}


def test_claims_kept_elsewhere_stay_what_they_are() -> None:
    """UI-09, CF-D09."""
    distributed: dict[str, Json] = {"_claim_sources": {"a": {"endpoint": "https://evil.example"}}}
    assert merge_claims({}, distributed) == distributed


def test_merging_changes_neither_side() -> None:
    ours: dict[str, Json] = {"sub": "alice"}
    theirs: dict[str, Json] = {"sub": "mallory", "a": 1}
    merge_claims(ours, theirs)["b"] = 2
    assert ours == {"sub": "alice"}
    assert theirs == {"sub": "mallory", "a": 1}


@given(st.dictionaries(st.sampled_from(["sub", "name"]), JSON_VALUES), st.integers(200, 599))
@example({}, 200)
@example({}, 400)
def test_any_answer_is_claims_or_an_error_of_ours(changes: dict[str, Json], status: int) -> None:
    document = answer(json.dumps({"sub": "alice", **changes}).encode(), status)
    try:
        claims = read_userinfo_answer(document, sub="alice")
    except ProviderError:
        return
    assert claims["sub"] == "alice"
    assert status == 200


@given(st.binary(max_size=100))
def test_any_bytes_are_an_error_of_ours(body: bytes) -> None:
    with pytest.raises(AnswerInvalid):
        read_userinfo_answer(answer(body), sub=None)
