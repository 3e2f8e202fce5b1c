"""Client authentication: one method, the registered one, done right."""

from __future__ import annotations

import base64
import itertools
from typing import TYPE_CHECKING
from urllib.parse import quote

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from intastellar_auth.devprovider import DevClient
from tests.devprovider.harness import CALLBACK, ISSUER, PUBLIC, SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.devprovider.harness import Rig

pytestmark = pytest.mark.anyio

PRIVATE = generate_private_key(SECP256R1())
OTHER = generate_private_key(SECP256R1())
PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
SIGNER = DevClient("signer", (CALLBACK,), public_key=PEM)
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_numbers = itertools.count()


def basic(client_id: str, secret: str) -> dict[str, str]:
    encoded = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"authorization": f"Basic {encoded}"}


async def ask(rig: Rig, headers: dict[str, str] | None = None, **form: str) -> httpx.Response:
    """A refresh with an unknown token: ``invalid_grant`` means that the client was let in."""
    form = {"grant_type": "refresh_token", "refresh_token": "unknown"} | form
    return await rig.http.post("/token", data=form, headers=headers)


def let_in(answer: httpx.Response) -> bool:
    return bool(answer.json()["error"] == "invalid_grant")


def kept_out(answer: httpx.Response) -> bool:
    return answer.status_code == 401 and answer.json()["error"] == "invalid_client"


def assertion(rig: Rig, **changes: object) -> str:
    claims: dict[str, object] = {
        "iss": "signer",
        "sub": "signer",
        "aud": ISSUER,
        "exp": int(rig.clock.now) + 60,
        "jti": f"number {next(_numbers)}",
    }
    claims |= changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, PRIVATE, "ES256")


async def test_basic_carries_the_form_urlencoded_secret(rig: Rig) -> None:
    assert SECRET.client_secret is not None
    encoded = quote(SECRET.client_secret, safe="")
    assert let_in(await ask(rig, basic("confidential", encoded)))
    assert let_in(await ask(rig, basic("confidential", encoded), client_id="confidential"))


async def test_basic_with_the_raw_secret_is_refused(rig: Rig) -> None:
    """A client that forgets the encoding fails here, not in production."""
    assert SECRET.client_secret is not None
    answer = await ask(rig, basic("confidential", SECRET.client_secret))
    assert kept_out(answer)
    assert answer.headers["www-authenticate"] == "Basic"


async def test_the_secret_may_be_posted(rig: Rig) -> None:
    assert SECRET.client_secret is not None
    secret = SECRET.client_secret
    assert let_in(await ask(rig, client_id="confidential", client_secret=secret))
    assert kept_out(await ask(rig, client_id="confidential", client_secret="wrong"))


async def test_a_registered_method_is_the_only_one(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(
        DevClient("c", (CALLBACK,), "s", token_endpoint_auth_method="client_secret_basic")
    )
    assert let_in(await ask(rig, basic("c", "s")))
    assert kept_out(await ask(rig, client_id="c", client_secret="s"))


async def test_two_methods_at_once_are_an_invalid_request(rig: Rig) -> None:
    answer = await ask(rig, basic("confidential", "x"), client_secret="x")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_confidential_client_needs_its_secret(rig: Rig) -> None:
    assert kept_out(await ask(rig, client_id="confidential"))
    assert kept_out(await ask(rig, client_id="unknown"))
    assert kept_out(await ask(rig))


async def test_a_public_client_has_no_secret_to_send(rig: Rig) -> None:
    assert let_in(await ask(rig, client_id="public"))
    assert kept_out(await ask(rig, client_id="public", client_secret="guessed"))


async def test_a_client_cannot_speak_for_another(rig: Rig) -> None:
    assert SECRET.client_secret is not None
    encoded = quote(SECRET.client_secret, safe="")
    assert kept_out(await ask(rig, basic("confidential", encoded), client_id="public"))


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !", "Basic //8=", "Basic YQ==", "Bearer YTpi", "Basic JWZmOmI="]
)
async def test_a_malformed_authorization_is_invalid_client(rig: Rig, header: str) -> None:
    assert kept_out(await ask(rig, {"authorization": header}))


async def test_a_signed_assertion_works_once(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(SIGNER)
    once = assertion(rig)
    assert let_in(await ask(rig, client_assertion=once, client_assertion_type=TYPE))
    assert kept_out(await ask(rig, client_assertion=once, client_assertion_type=TYPE))
    as_list = assertion(rig, aud=[ISSUER])
    assert let_in(await ask(rig, client_assertion=as_list, client_assertion_type=TYPE))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "public"},
        {"aud": f"{ISSUER}/token"},
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": None},
        {"exp": None},
        {"exp": 1_800_000_000 - 60},
        {"exp": 1_800_000_000 + 3600},
        {"jti": None},
        {"jti": ""},
        {"sub": None},
    ],
)
async def test_an_assertion_with_a_wrong_claim_is_refused(
    make_rig: Callable[..., Rig], changes: dict[str, object]
) -> None:
    rig = make_rig(SIGNER)
    answer = await ask(rig, client_assertion=assertion(rig, **changes), client_assertion_type=TYPE)
    assert kept_out(answer)


async def test_an_assertion_of_another_key_algorithm_or_type_is_refused(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(SIGNER, PUBLIC)
    claims = jwt.decode(assertion(rig), options={"verify_signature": False})
    for forged in (
        jwt.encode(claims, OTHER, "ES256"),
        jwt.encode(claims, "", "none"),
        jwt.encode(claims, "k" * 32, "HS256"),
        "no.jwt.here",
    ):
        assert kept_out(await ask(rig, client_assertion=forged, client_assertion_type=TYPE))
    good = assertion(rig)
    assert kept_out(await ask(rig, client_assertion=good, client_assertion_type="other"))
    assert kept_out(await ask(rig, client_assertion_type=TYPE, client_id="signer"))
    for_public = assertion(rig, sub="public")
    assert kept_out(await ask(rig, client_assertion=for_public, client_assertion_type=TYPE))
    assert kept_out(await ask(rig, client_id="signer"))


async def test_an_rsa_key_signs_too(make_rig: Callable[..., Rig]) -> None:
    key = generate_rsa_key(public_exponent=65537, key_size=2048)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    rig = make_rig(DevClient("signer", (CALLBACK,), public_key=pem))
    claims = jwt.decode(assertion(rig), options={"verify_signature": False})
    signed = jwt.encode(claims, key, "PS256")
    assert let_in(await ask(rig, client_assertion=signed, client_assertion_type=TYPE))
