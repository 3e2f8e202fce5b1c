"""The provider's metadata: what is asked, what is believed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intastellar_auth.core.effects import Fetch
from intastellar_auth.errors import AnswerInvalid
from intastellar_auth.oidc.discovery import (
    Metadata,
    build_discovery_request,
    check_issuer,
    read_discovery_answer,
)

from .forge import ISSUER, answer
from .test_endpoints import BAD_URLS
from .test_json_object import JSON_VALUES

if TYPE_CHECKING:
    from intastellar_auth.oidc.json_object import Json

LOOPBACK = "http://127.0.0.1:9000"


def document(issuer: str = ISSUER, **changes: Json) -> dict[str, Json]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
        **changes,
    }


def read(**changes: Json) -> Metadata:
    return read_discovery_answer(answer({**document(), **changes}), ISSUER)


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        (ISSUER, f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/", f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/realms/a", f"{ISSUER}/realms/a/.well-known/openid-configuration"),
        (f"{ISSUER}/realms/a/", f"{ISSUER}/realms/a/.well-known/openid-configuration"),
    ],
)
def test_the_configuration_is_below_the_issuer_behind_one_slash(issuer: str, url: str) -> None:
    """DJ-02, CF-C01."""
    assert build_discovery_request(issuer) == Fetch(
        "GET", url, headers=(("accept", "application/json"),)
    )


@pytest.mark.parametrize(
    "issuer",
    [f"{ISSUER}?", f"{ISSUER}?tenant=a", f"{ISSUER}#a", "http://accounts.example", "https://a@b"],
)
def test_an_issuer_is_https_without_query_fragment_or_user(issuer: str) -> None:
    """DJ-03."""
    with pytest.raises(AnswerInvalid):
        build_discovery_request(issuer)


def test_an_issuer_on_this_machine_may_be_http() -> None:
    """DJ-03."""
    check_issuer(LOOPBACK)


def test_a_sparse_document_gets_the_defaults_of_the_specification() -> None:
    """CF-C02, RQ-04."""
    assert read() == Metadata(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        jwks_uri=f"{ISSUER}/jwks",
        userinfo_endpoint=None,
        end_session_endpoint=None,
        revocation_endpoint=None,
        pushed_authorization_request_endpoint=None,
        require_pushed_authorization_requests=False,
        token_endpoint_auth_methods=("client_secret_basic",),
        id_token_signing_algs=("RS256",),
        code_challenge_methods=None,
        iss_parameter_supported=False,
    )


def test_everything_a_document_says_is_kept() -> None:
    metadata = read(
        userinfo_endpoint=f"{ISSUER}/userinfo",
        end_session_endpoint=f"{ISSUER}/logout",
        revocation_endpoint=f"{ISSUER}/revoke",
        pushed_authorization_request_endpoint=f"{ISSUER}/par",
        require_pushed_authorization_requests=True,
        token_endpoint_auth_methods_supported=["none", "client_secret_post"],
        id_token_signing_alg_values_supported=["none", "ES256"],
        code_challenge_methods_supported=["plain", "S256"],
        authorization_response_iss_parameter_supported=True,
    )
    assert metadata.userinfo_endpoint == f"{ISSUER}/userinfo"
    assert metadata.end_session_endpoint == f"{ISSUER}/logout"
    assert metadata.revocation_endpoint == f"{ISSUER}/revoke"
    assert metadata.pushed_authorization_request_endpoint == f"{ISSUER}/par"
    assert metadata.require_pushed_authorization_requests
    assert metadata.token_endpoint_auth_methods == ("none", "client_secret_post")
    assert metadata.id_token_signing_algs == ("none", "ES256")
    assert metadata.code_challenge_methods == ("plain", "S256")
    assert metadata.iss_parameter_supported


def test_members_we_do_not_know_are_ignored() -> None:
    """DJ-21, CF-S11."""
    assert read(signed_metadata="x", mtls_endpoint_aliases={"token_endpoint": "file:///"}) == read()


@pytest.mark.parametrize(
    "issuer",
    [
        None,
        "",
        f"{ISSUER}/",
        ISSUER.upper(),
        f"{ISSUER}:443",
        ISSUER.replace("https", "http"),
        f"{ISSUER}.evil.example",
        [ISSUER],
        0,
    ],
)
def test_a_document_about_another_issuer_is_refused(issuer: Json) -> None:
    """DJ-01, CF-C03, CF-P03."""
    with pytest.raises(AnswerInvalid, match="names another issuer"):
        read_discovery_answer(answer({**document(), "issuer": issuer}), ISSUER)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_a_document_without_a_needed_endpoint_is_refused(name: str) -> None:
    with pytest.raises(AnswerInvalid, match=f"has no {name}"):
        read(**{name: None})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token_endpoint", 7),
        ("userinfo_endpoint", ["https://accounts.example/"]),
        ("token_endpoint_auth_methods_supported", "client_secret_basic"),
        ("id_token_signing_alg_values_supported", [1]),
        ("code_challenge_methods_supported", {}),
        ("authorization_response_iss_parameter_supported", "true"),
        ("authorization_response_iss_parameter_supported", 1),
    ],
)
def test_a_member_of_the_wrong_type_is_refused(name: str, value: Json) -> None:
    with pytest.raises(AnswerInvalid, match=name):
        read(**{name: value})


def test_endpoints_may_be_on_other_hosts_than_the_issuer() -> None:
    """DJ-06."""
    other = "https://oauth2.example.net/token"
    assert read(token_endpoint=other).token_endpoint == other


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/token",
        "https://127.0.0.1/token",
        "https://localhost/token",
        "https://[::1]/token",
        "https://10.0.0.5/token",
        "https://192.168.1.1/token",
        "https://[fd00::1]/token",
        "https://[::ffff:10.0.0.5]/token",
        "https://[::127.0.0.1]/token",
        "https://[::10.0.0.5]/token",
        "https://[fec0::1]/token",
        "https://localhost./token",
        "https://a.localhost./token",
    ],
)
def test_a_public_issuer_cannot_point_inside(url: str) -> None:
    """DJ-04, SS-02."""
    with pytest.raises(AnswerInvalid, match="token_endpoint"):
        read(token_endpoint=url)


def test_an_issuer_on_this_machine_can_point_anywhere() -> None:
    """DJ-04."""
    local = document(LOOPBACK, userinfo_endpoint="https://accounts.example/userinfo")
    metadata = read_discovery_answer(answer(local), LOOPBACK)
    assert metadata.token_endpoint == f"{LOOPBACK}/token"
    assert metadata.userinfo_endpoint == "https://accounts.example/userinfo"


def test_an_https_issuer_on_this_machine_keeps_https() -> None:
    """DJ-04."""
    issuer = "https://localhost:9000"
    with pytest.raises(AnswerInvalid, match="must begin with https://, as the issuer does"):
        read_discovery_answer(answer(document(issuer, token_endpoint=f"{LOOPBACK}/t")), issuer)


def test_an_error_page_is_not_metadata() -> None:
    """DJ-17."""
    with pytest.raises(AnswerInvalid, match="status 404"):
        read_discovery_answer(answer(document(), status=404), ISSUER)
    with pytest.raises(AnswerInvalid, match="not labelled as JSON"):
        read_discovery_answer(answer(document(), media_type="text/html"), ISSUER)


@given(
    st.dictionaries(st.sampled_from(sorted(document())), JSON_VALUES | st.sampled_from(BAD_URLS))
)
@example({})
@example({"issuer": None})
def test_any_document_is_metadata_or_an_error_of_ours(changes: dict[str, Json]) -> None:
    body = json.dumps({**document(), **changes}).encode()
    try:
        assert read_discovery_answer(answer(body), ISSUER).issuer == ISSUER
    except AnswerInvalid:
        assert changes
