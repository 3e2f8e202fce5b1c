"""Show the provider that it is us (RFC 6749 section 2.3, RFC 7521, RFC 7523).

One method per request, chosen once. Time and randomness come as arguments, so that an assertion
is made anew for each request and a test can see which.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote_plus, urlencode

from intastellar_auth.core.effects import Fetch
from intastellar_auth.errors import ClientRefused
from intastellar_auth.oidc.authorization import Parameters
from intastellar_auth.oidc.json_object import Json
from intastellar_auth.oidc.private_key import SigningKey

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFETIME: Final = 60
"""Seconds. Long enough for a slow network, too short for a stolen log."""

METHODS: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")


@dataclass(frozen=True, slots=True)
class Client:
    """This site as the provider knows it, and the one ``method`` by which it proves itself."""

    client_id: str
    method: str
    secret: str | None = field(default=None, repr=False)
    private_key: SigningKey | None = field(default=None, repr=False)


def choose_method(
    *, has_secret: bool, has_private_key: bool, supported: tuple[str, ...], wanted: str | None
) -> str:
    """Return the method a client uses; ``wanted`` wins.

    ``supported`` is the provider's list, empty where there was no discovery: then a secret goes
    into the body, as Intastellar documents it. A secret otherwise goes into the header where the
    provider takes it there, which every provider should (RFC 6749 section 2.3.1).
    """
    if wanted is not None:
        return wanted
    if has_private_key:
        return "private_key_jwt"
    if not has_secret:
        return "none"
    return "client_secret_basic" if "client_secret_basic" in supported else "client_secret_post"


def authenticate(
    client: Client, *, audience: str, now: float, jti: str
) -> tuple[tuple[tuple[str, str], ...], dict[str, str]]:
    """Return the headers and the body fields by which ``client`` authenticates a request.

    ``audience`` is the provider's issuer, ``now`` seconds since 1970 and ``jti`` a fresh random
    text; all three matter to ``private_key_jwt`` only. Raises ``ValueError`` where the method's
    credential is missing or the method unknown.
    """
    if client.method == "none":
        return (), {"client_id": client.client_id}
    if client.method == "private_key_jwt" and client.private_key is not None:
        return (), {
            "client_id": client.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": client.private_key.sign(
                _assertion(client.client_id, audience, now, jti)
            ),
        }
    if client.method == "client_secret_post" and client.secret is not None:
        return (), {"client_id": client.client_id, "client_secret": client.secret}
    if client.method == "client_secret_basic" and client.secret is not None:
        # RFC 6749 section 2.3.1: each part form-encoded first, or a colon in it would move the
        # border between them. No client_id in the body: "exactly one method".
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.secret)}"
        credentials = base64.b64encode(pair.encode("ascii")).decode("ascii")
        return (("authorization", f"Basic {credentials}"),), {}
    raise ValueError(f"{client.method} is not a method, or its secret or key is missing")


@contextmanager
def naming_credential(client: Client) -> Iterator[None]:
    """Say in a ``ClientRefused`` which settings of ``client`` the provider does not agree with."""
    try:
        yield
    except ClientRefused as error:
        raise ClientRefused(f"{_advice(client)}; {error.detail}") from None


def _advice(client: Client) -> str:
    if client.method == "none":
        return (
            "INTASTELLAR_CLIENT_SECRET is not set, so this client is public; set it if the provider"
            " gave you one"
        )
    if client.method == "private_key_jwt":
        return (
            "register what `intastellar-auth jwks` prints, or correct"
            " INTASTELLAR_CLIENT_PRIVATE_KEY"
        )
    return (
        "copy INTASTELLAR_CLIENT_SECRET from the registration again, and see that it says"
        f" {client.method} (INTASTELLAR_TOKEN_ENDPOINT_AUTH_METHOD)"
    )


def build_form_request(
    url: str, fields: Parameters, client: Client, *, audience: str, now: float, jti: str
) -> Fetch:
    """Return an authenticated form ``POST`` of ``fields``; the rest as in ``authenticate``.

    The token, revocation and pushed-authorization endpoints all take this form (RFC 6749
    section 3.2, RFC 7009 section 2.1, RFC 9126 section 2.1).
    """
    headers, credentials = authenticate(client, audience=audience, now=now, jti=jti)
    return Fetch(
        "POST",
        url,
        headers=(
            ("accept", "application/json"),
            ("content-type", "application/x-www-form-urlencoded"),
            *headers,
        ),
        body=urlencode({**fields, **credentials}, doseq=True).encode("ascii"),
    )


def _assertion(client_id: str, audience: str, now: float, jti: str) -> dict[str, Json]:
    # RFC 7523 section 3. The audience is the issuer as one string: an endpoint's address could be
    # another server's, named by a provider that wants our assertion for it (CVE-2025-27370). No
    # nbf: a provider whose clock is behind would refuse it.
    return {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": jti,
        "iat": int(now),
        "exp": int(now) + ASSERTION_LIFETIME,
    }
