"""How the client shows that it is itself."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.oidc.client_auth import (
    ASSERTION_LIFETIME,
    ASSERTION_TYPE,
    METHODS,
    Client,
    authenticate,
    build_form_request,
    choose_method,
)
from intastellar_auth.oidc.jose import split_token
from intastellar_auth.oidc.private_key import SigningKey

from .forge import CLIENT_ID, ISSUER, NOW, jwk, key_set, private_key

if TYPE_CHECKING:
    from intastellar_auth.oidc.authorization import Parameters
    from intastellar_auth.oidc.json_object import Json
    from intastellar_auth.oidc.jwks import Key


JTI = "a-fresh-jti"


def published(kind: str, **members: Json) -> Key:
    """Return the public half as a provider has it registered."""
    return key_set(jwk(kind, **members)).keys[0]


@pytest.mark.parametrize("wanted", METHODS)
@pytest.mark.parametrize("has_private_key", [True, False])
def test_the_method_that_is_wanted_is_taken(wanted: str, has_private_key: bool) -> None:
    method = choose_method(
        has_secret=True, has_private_key=has_private_key, supported=("none",), wanted=wanted
    )
    assert method == wanted


@pytest.mark.parametrize(
    ("has_secret", "has_private_key", "supported", "method"),
    [
        (False, False, (), "none"),
        (False, False, ("client_secret_basic",), "none"),
        (True, True, ("client_secret_basic",), "private_key_jwt"),
        (False, True, (), "private_key_jwt"),
        # Without discovery, as Intastellar documents it.
        (True, False, (), "client_secret_post"),
        (True, False, ("client_secret_basic",), "client_secret_basic"),
        (True, False, ("client_secret_post", "client_secret_basic"), "client_secret_basic"),
        (True, False, ("client_secret_post",), "client_secret_post"),
        (True, False, ("none", "private_key_jwt"), "client_secret_post"),
    ],
)
def test_the_method_follows_from_what_there_is(
    has_secret: bool, has_private_key: bool, supported: tuple[str, ...], method: str
) -> None:
    """PJ-08, CF-B14."""
    chosen = choose_method(
        has_secret=has_secret, has_private_key=has_private_key, supported=supported, wanted=None
    )
    assert chosen == method


def auth(client: Client) -> tuple[tuple[tuple[str, str], ...], dict[str, str]]:
    return authenticate(client, audience=ISSUER, now=NOW, jti=JTI)


KEY = SigningKey("ES256", "k", private_key("ES256"))


def test_basic_puts_everything_in_the_header() -> None:
    """BF-01, CF-B14, CF-S03, PJ-08."""
    headers, fields = auth(Client(CLIENT_ID, "client_secret_basic", "hunter2", KEY))
    assert fields == {}
    assert headers == (
        ("authorization", "Basic " + base64.b64encode(b"client-1:hunter2").decode()),
    )


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(TEXTS, TEXTS)
def test_basic_encodes_each_part_before_it_joins_them(client_id: str, secret: str) -> None:
    """TK-02."""
    ((name, value),), _ = auth(Client(client_id, "client_secret_basic", secret))
    assert name == "authorization"
    joined = base64.b64decode(value.removeprefix("Basic "), validate=True).decode("ascii")
    first, colon, second = joined.partition(":")
    assert (unquote_plus(first), colon, unquote_plus(second)) == (client_id, ":", secret)


def test_basic_encodes_as_a_form_does() -> None:
    """TK-02."""
    ((_, value),), _ = auth(Client("a:b", "client_secret_basic", "p%+ é"))
    assert base64.b64decode(value.removeprefix("Basic ")) == b"a%3Ab:p%25%2B+%C3%A9"


def test_post_puts_everything_in_the_body() -> None:
    """CF-D12, CF-S03, PJ-08."""
    assert auth(Client(CLIENT_ID, "client_secret_post", "hunter2", KEY)) == (
        (),
        {"client_id": CLIENT_ID, "client_secret": "hunter2"},
    )


def test_a_public_client_says_its_name() -> None:
    """PJ-08."""
    assert auth(Client(CLIENT_ID, "none", "hunter2", KEY)) == ((), {"client_id": CLIENT_ID})


def test_an_assertion_is_for_the_issuer_alone_and_short_lived() -> None:
    """R9-10, CF-S05, PJ-01, PJ-02, PJ-03, PJ-05, PJ-08, AD-119."""
    headers, fields = auth(Client(CLIENT_ID, "private_key_jwt", "hunter2", KEY))
    assert headers == ()
    assert set(fields) == {"client_id", "client_assertion_type", "client_assertion"}
    assert fields["client_id"] == CLIENT_ID
    assert fields["client_assertion_type"] == ASSERTION_TYPE
    signed = split_token(fields["client_assertion"])
    assert published("ES256").verifies(signed)
    assert json.loads(signed.payload) == {
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "aud": ISSUER,
        "jti": JTI,
        "iat": int(NOW),
        "exp": int(NOW) + ASSERTION_LIFETIME,
    }
    assert ASSERTION_LIFETIME == 60


@pytest.mark.parametrize("method", [*METHODS[:3], "client_secret_jwt", ""])
def test_a_method_without_its_credential_sends_nothing(method: str) -> None:
    """PJ-08."""
    with pytest.raises(ValueError, match="is missing"):
        auth(Client(CLIENT_ID, method))


def test_a_form_is_posted_with_its_fields_and_one_credential() -> None:
    """TK-01, CF-S03."""
    request = build_form_request(
        f"{ISSUER}/revoke",
        {"token": "a&b=c"},
        Client(CLIENT_ID, "client_secret_post", "hunter2"),
        audience=ISSUER,
        now=NOW,
        jti=JTI,
    )
    assert (request.method, request.url) == ("POST", f"{ISSUER}/revoke")
    assert dict(request.headers) == {
        "accept": "application/json",
        "content-type": "application/x-www-form-urlencoded",
    }
    assert request.body is not None
    assert parse_qsl(request.body.decode()) == [
        ("token", "a&b=c"),
        ("client_id", CLIENT_ID),
        ("client_secret", "hunter2"),
    ]
    assert "hunter2" not in repr(request)


def test_a_field_of_several_values_is_posted_several_times() -> None:
    """RFC 8707 section 2; a field of none is not posted."""
    fields: Parameters = {"a": ("1", "2 3"), "b": "x", "c": ()}
    client = Client(CLIENT_ID, "none")
    request = build_form_request(ISSUER, fields, client, audience=ISSUER, now=NOW, jti=JTI)
    assert request.body == b"a=1&a=2+3&b=x&client_id=client-1"
