"""Userinfo and revocation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from intastellar_auth.devprovider import DevClient
from tests.devprovider.harness import CALLBACK, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.devprovider.harness import Rig

pytestmark = pytest.mark.anyio


async def test_userinfo_tells_what_the_scope_asks_for(rig: Rig) -> None:
    only_sub = await rig.userinfo((await rig.tokens(scope="openid"))["access_token"])
    assert only_sub.json() == {"sub": "alice"}
    tokens = await rig.tokens("carol", prompt="login", scope="openid profile email phone address")
    everything = (await rig.userinfo(tokens["access_token"])).json()
    assert everything["sub"] == "carol"
    assert len(everything["groups"]) == 200
    assert everything["locale"] == "en"
    assert {"email", "email_verified", "phone_number", "address", "roles"} <= set(everything)


async def test_userinfo_reads_the_header_alone(rig: Rig) -> None:
    token = (await rig.tokens())["access_token"]
    in_query = await rig.http.get("/userinfo", params={"access_token": token})
    in_form = await rig.http.post("/userinfo", data={"access_token": token})
    for answer in (in_query, in_form):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    posted = await rig.http.post("/userinfo", headers={"authorization": f"bearer {token}"})
    assert posted.status_code == 200


async def test_an_access_token_expires(rig: Rig) -> None:
    token = (await rig.tokens())["access_token"]
    rig.clock.now += 600
    answer = await rig.userinfo(token)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_revoking_an_access_token_ends_it_alone(rig: Rig) -> None:
    tokens = await rig.tokens(scope="openid offline_access")
    form = {"client_id": "public", "token": tokens["access_token"]}
    assert (await rig.http.post("/revoke", data=form)).status_code == 200
    assert (await rig.userinfo(tokens["access_token"])).status_code == 401
    assert (await rig.refresh(tokens["refresh_token"])).status_code == 200


async def test_revoking_a_refresh_token_ends_its_family(rig: Rig) -> None:
    tokens = await rig.tokens(scope="openid offline_access")
    form = {"client_id": "public", "token": tokens["refresh_token"]}
    assert (await rig.http.post("/revoke", data=form)).status_code == 200
    assert (await rig.userinfo(tokens["access_token"])).status_code == 401
    assert (await rig.refresh(tokens["refresh_token"])).status_code == 400
    assert rig.provider.log.counts["revocations"] == 1
    assert rig.provider.log.counts["refresh_reuses"] == 0


async def test_revocation_of_the_unknown_succeeds_and_of_nothing_fails(rig: Rig) -> None:
    unknown = await rig.http.post("/revoke", data={"client_id": "public", "token": "unknown"})
    assert unknown.status_code == 200
    assert (await rig.http.post("/revoke", data={"client_id": "public"})).status_code == 400
    assert (await rig.http.post("/revoke", data={"token": "unknown"})).status_code == 401


async def test_a_client_cannot_revoke_anothers_token(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(PUBLIC, DevClient("other", (CALLBACK,)))
    token = (await rig.tokens())["access_token"]
    answer = await rig.http.post("/revoke", data={"client_id": "other", "token": token})
    assert answer.status_code == 400
    assert (await rig.userinfo(token)).status_code == 200
