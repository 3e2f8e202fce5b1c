"""The authorization request and its response."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import strategies as st

from intastellar_auth.errors import RequestRefused, SignInRefused
from intastellar_auth.oidc.authorization import (
    RESERVED_PARAMETERS,
    build_authorization_parameters,
    build_authorization_url,
    build_pushed_authorization_url,
    code_challenge,
    error_words,
    read_authorization_response,
)

from .forge import CLIENT_ID, ISSUER, NONCE, metadata

if TYPE_CHECKING:
    from intastellar_auth.oidc.authorization import Parameters

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
REDIRECT_URI = "https://app.example/auth/callback"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def parameters(
    scope: str = "openid email",
    nonce: str | None = NONCE,
    response_mode: str = "query",
    extra: Parameters | None = None,
) -> Parameters:
    return build_authorization_parameters(
        client_id=CLIENT_ID,
        redirect_uri=REDIRECT_URI,
        scope=scope,
        state="the-state",
        nonce=nonce,
        code_verifier=VERIFIER,
        response_mode=response_mode,
        extra=extra or {},
    )


def url(
    endpoint: str = f"{ISSUER}/authorize",
    *,
    scope: str = "openid email",
    nonce: str | None = NONCE,
    response_mode: str = "query",
    extra: Parameters | None = None,
) -> str:
    asked = parameters(scope=scope, nonce=nonce, response_mode=response_mode, extra=extra or {})
    return build_authorization_url(metadata(authorization_endpoint=endpoint), asked)


def query(address: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(address).query, keep_blank_values=True)


def test_the_challenge_is_that_of_rfc_7636_appendix_b() -> None:
    """RQ-03."""
    assert code_challenge(VERIFIER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("verifier", ["", "a" * 42, "a" * 129, "a" * 42 + "+", "a" * 43 + "\n"])
def test_a_verifier_is_43_to_128_unreserved_characters(verifier: str) -> None:
    """RQ-03, CF-S04."""
    with pytest.raises(ValueError, match="43 to 128"):
        code_challenge(verifier)


def test_a_request_has_all_that_protects_it() -> None:
    """RQ-01, CF-B01, CF-S02."""
    assert query(url()) == [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid email"),
        ("state", "the-state"),
        ("code_challenge", code_challenge(VERIFIER)),
        ("code_challenge_method", "S256"),
        ("nonce", NONCE),
    ]


def test_a_registration_without_openid_sends_no_nonce() -> None:
    assert "nonce" not in dict(query(url(scope="profile openid2", nonce=NONCE)))


@pytest.mark.parametrize("nonce", [None, ""])
def test_openid_without_a_nonce_is_never_sent(nonce: str | None) -> None:
    """ID-12."""
    with pytest.raises(ValueError, match="needs a nonce"):
        url(nonce=nonce)


def test_form_post_is_asked_for_and_query_is_not() -> None:
    """CF-F01."""
    assert dict(query(url(response_mode="form_post")))["response_mode"] == "form_post"
    assert "response_mode" not in dict(query(url(response_mode="query")))


def test_plain_is_never_asked_for_whatever_the_provider_offers() -> None:
    """RQ-04, RQ-05."""
    for methods in (None, (), ("plain",)):
        address = build_authorization_url(metadata(code_challenge_methods=methods), parameters())
        assert dict(query(address))["code_challenge_method"] == "S256"


def test_extra_parameters_are_added_and_encoded() -> None:
    """RQ-15."""
    added = {"prompt": "login", "login_hint": "a&state=x\r\n ü", "ü": "="}
    assert dict(query(url(extra=added))).items() >= added.items()
    assert "\r" not in url(extra=added)


@pytest.mark.parametrize("name", sorted(RESERVED_PARAMETERS))
def test_an_extra_parameter_never_replaces_or_doubles_ours(name: str) -> None:
    """RQ-08, AD-39."""
    assert url(extra={name: "evil"}) == url()


@pytest.mark.parametrize("name", [*sorted(RESERVED_PARAMETERS), "%73tate", "st%61te"])
def test_the_endpoints_own_query_never_replaces_or_doubles_ours(name: str) -> None:
    """RQ-08."""
    assert url(f"{ISSUER}/authorize?{name}=evil") == url()


def test_the_endpoints_own_query_is_kept_as_it_is() -> None:
    """RQ-09."""
    address = url(f"{ISSUER}/authorize?tenant=a%2Fb&x&&prompt=none", extra={"prompt": "login"})
    assert address.startswith(f"{ISSUER}/authorize?tenant=a%2Fb&x&response_type=code&")
    assert address.count("?") == 1
    assert parse_qs(urlsplit(address).query)["prompt"] == ["login"]


def test_a_parameter_of_several_values_is_sent_several_times() -> None:
    """RFC 8707 section 2."""
    asked: Parameters = {"resource": ("https://a.example/x", "urn:b"), "prompt": "login"}
    assert query(url(extra=asked))[-3:] == [
        ("resource", "https://a.example/x"),
        ("resource", "urn:b"),
        ("prompt", "login"),
    ]


@pytest.mark.parametrize("name", [*sorted(RESERVED_PARAMETERS), "prompt"])
def test_of_a_pushed_request_the_browser_carries_a_reference_and_nothing_else(name: str) -> None:
    """PA-01, CF-S07, PA-03: the endpoint's own query is kept as far as it says nothing of ours."""
    endpoint = f"{ISSUER}/authorize?tenant=a%2Fb&{name}=evil"
    address = build_pushed_authorization_url(
        metadata(authorization_endpoint=endpoint),
        parameters(extra={"prompt": "login"}),
        request_uri="https://evil.example/?a&b=c#'\"",
    )
    assert address.startswith(f"{ISSUER}/authorize?tenant=a%2Fb&client_id=")
    assert query(address) == [
        ("tenant", "a/b"),
        ("client_id", CLIENT_ID),
        ("request_uri", "https://evil.example/?a&b=c#'\""),
    ]


@pytest.mark.parametrize("iss_required", [True, False])
def test_a_response_with_the_right_iss_gives_its_code(iss_required: bool) -> None:
    """CB-09."""
    parameters = {"code": "the-code", "iss": ISSUER, "unknown": "x"}
    code = read_authorization_response(parameters, issuer=ISSUER, iss_required=iss_required)
    assert code.value == "the-code"


def test_a_code_does_not_show() -> None:
    code = read_authorization_response({"code": "c0de"}, issuer=None, iss_required=False)
    assert "c0de" not in repr(code)


WRONG_ISS = [
    f"{ISSUER}/",
    f"{ISSUER}:443",
    ISSUER.upper(),
    ISSUER.replace("example", "%65xample"),
    "https://evil.example",
    f" {ISSUER}",
]


@pytest.mark.parametrize("iss_required", [True, False])
@pytest.mark.parametrize("iss", WRONG_ISS)
@pytest.mark.parametrize("rest", [{"code": "c"}, {"error": "access_denied"}, {}])
def test_a_response_from_another_issuer_is_refused(
    iss: str, rest: dict[str, str], iss_required: bool
) -> None:
    """CB-06, CB-08, CB-09, CB-10, CF-P12, R9-04."""
    with pytest.raises(RequestRefused, match="not the issuer that was asked"):
        read_authorization_response({**rest, "iss": iss}, issuer=ISSUER, iss_required=iss_required)


@pytest.mark.parametrize("rest", [{"code": "c"}, {"error": "access_denied"}])
def test_a_promised_iss_may_not_be_missing(rest: dict[str, str]) -> None:
    """CB-07, CF-P13."""
    with pytest.raises(RequestRefused, match="it is missing"):
        read_authorization_response(rest, issuer=ISSUER, iss_required=True)


def test_iss_is_ignored_where_no_issuer_is_known() -> None:
    code = read_authorization_response(
        {"code": "c", "iss": "anything"}, issuer=None, iss_required=True
    )
    assert code.value == "c"


def test_an_error_refuses_the_sign_in_also_beside_a_code() -> None:
    """CB-12, CB-13."""
    for rest in ({}, {"code": "c"}):
        with pytest.raises(SignInRefused) as caught:
            read_authorization_response(
                {"error": "access_denied", "error_description": "No, thanks.", **rest},
                issuer=ISSUER,
                iss_required=False,
            )
        assert caught.value.provider_error == "access_denied"
        assert caught.value.detail.endswith(": access_denied: No, thanks.")


def test_an_error_is_cut_to_a_length_that_fits_a_log() -> None:
    """CB-13, TK-11."""
    with pytest.raises(SignInRefused) as caught:
        read_authorization_response(
            {"error": "e" * 5000, "error_description": "d" * 5000}, issuer=None, iss_required=False
        )
    assert len(caught.value.provider_error) == 300
    assert len(caught.value.detail) < 700


def test_a_response_with_tokens_alone_has_no_code() -> None:
    """CB-15."""
    with pytest.raises(RequestRefused, match="neither a code nor an error"):
        read_authorization_response(
            {"id_token": "a.b.c", "access_token": "x"}, issuer=ISSUER, iss_required=False
        )


def test_words_of_the_wrong_type_are_left_out() -> None:
    assert error_words(7, None) == "no reason given"
    assert error_words("a", ["b"]) == "a"
    assert error_words(None, "b") == "b"
