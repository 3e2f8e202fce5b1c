"""Test users with claims of their own, and scopes beside those of OpenID Connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
import pytest

from intastellar_auth.devprovider import DevClient, DevUser, create_provider
from tests.devprovider.harness import CALLBACK, ISSUER, PUBLIC, asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.devprovider.harness import Rig

pytestmark = pytest.mark.anyio

DORA = DevUser(
    "dora",
    "Dora Example",
    "dora@example.com",
    extra_claims={"https://site.example/role": "editor", "teams": [{"id": 7}]},
)
WELL_KNOWN = "/.well-known/openid-configuration"


async def test_extra_claims_come_with_the_profile(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(users=[DORA])
    token = (await rig.tokens("dora", scope="openid profile"))["access_token"]
    claims = (await rig.userinfo(token)).json()
    assert claims["https://site.example/role"] == "editor"
    assert claims["teams"] == [{"id": 7}]
    assert "teams" in (await rig.http.get(WELL_KNOWN)).json()["claims_supported"]


async def test_extra_claims_do_not_come_without_it(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(users=[DORA])
    token = (await rig.tokens("dora", scope="openid email"))["access_token"]
    assert "teams" not in (await rig.userinfo(token)).json()


async def test_extra_claims_are_in_the_id_token_of_a_client_that_wants_them_there(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(DevClient("public", (CALLBACK,), claims_in_id_token=True), users=[DORA])
    tokens = await rig.tokens("dora")
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert claims["teams"] == [{"id": 7}]


@pytest.mark.parametrize("name", ["sub", "email", "roles", "iss", "aud", "exp", "nonce", "sid"])
async def test_an_extra_claim_that_has_a_place_already_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"extra_claims: {name} "):
        DevUser("dora", "Dora", "dora@example.com", extra_claims={name: "x"})


@pytest.mark.parametrize("sub", ["", "d" * 256, "dóra", "do\nra"])
async def test_a_sub_that_no_client_takes_is_refused(sub: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII characters"):
        DevUser(sub, "Dora", "dora@example.com")


async def test_an_extra_scope_is_announced_and_granted(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(scopes=["reports", "https://api.example/read"])
    announced = (await rig.http.get(WELL_KNOWN)).json()["scopes_supported"]
    assert announced[-2:] == ["reports", "https://api.example/read"]
    wanted = "openid reports https://api.example/read"
    assert (await rig.tokens(scope=wanted))["scope"] == wanted


async def test_an_extra_scope_can_be_pushed(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(scopes=["reports"])
    pushed = asked(scope="openid reports")
    assert (await rig.http.post("/par", data=pushed)).status_code == 201


async def test_a_scope_that_was_not_named_is_invalid_still(make_rig: Callable[..., Rig]) -> None:
    answer = await make_rig(scopes=["reports"]).authorize(scope="openid invoices")
    assert "error=invalid_scope" in answer.headers["location"]


@pytest.mark.parametrize("scope", ["", "two scopes", 'a"b', "a\\b", "é", "a\n"])
async def test_what_cannot_be_a_scope_is_refused(scope: str) -> None:
    with pytest.raises(ValueError, match="is not one scope"):
        create_provider(ISSUER, [PUBLIC], scopes=[scope])


async def test_one_string_is_no_list_of_scopes() -> None:
    with pytest.raises(ValueError, match="one string"):
        create_provider(ISSUER, [PUBLIC], scopes="reports")
