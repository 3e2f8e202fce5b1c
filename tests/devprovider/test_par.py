"""Pushed authorization requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from intastellar_auth.devprovider import DevClient
from tests.devprovider.harness import CALLBACK, PUBLIC, asked, response_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.devprovider.harness import Rig

pytestmark = pytest.mark.anyio


async def follow(rig: Rig, request_uri: str, client_id: str = "public") -> httpx.Response:
    return await rig.http.get(
        "/authorize",
        params={"client_id": client_id, "request_uri": request_uri, "state": "ignored"},
    )


async def test_a_pushed_request_counts_alone_and_once(rig: Rig) -> None:
    pushed = await rig.http.post("/par", data=asked())
    assert pushed.status_code == 201
    assert pushed.json()["expires_in"] == 60
    request_uri = pushed.json()["request_uri"]
    response = response_of(await rig.choose(await follow(rig, request_uri)))
    assert response["state"] == "the-state"
    assert (await rig.redeem(response["code"])).status_code == 200
    again = await follow(rig, request_uri)
    assert again.status_code == 400
    assert "invalid_request_uri" in again.text


async def test_a_pushed_request_expires(rig: Rig) -> None:
    request_uri = (await rig.http.post("/par", data=asked())).json()["request_uri"]
    rig.clock.now += 60
    assert (await follow(rig, request_uri)).status_code == 400


async def test_a_pushed_request_is_its_clients(rig: Rig) -> None:
    request_uri = (await rig.http.post("/par", data=asked())).json()["request_uri"]
    assert (await follow(rig, request_uri, "confidential")).status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"redirect_uri": f"{CALLBACK}/"}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
    ],
)
async def test_a_bad_request_is_refused_when_it_is_pushed(
    rig: Rig, changes: dict[str, str | None], error: str
) -> None:
    answer = await rig.http.post("/par", data=asked(**changes))
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_pushing_needs_client_authentication(rig: Rig) -> None:
    answer = await rig.http.post("/par", data=asked(client_id="confidential"))
    assert answer.status_code == 401


async def test_a_client_registered_for_it_must_push(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(
        PUBLIC, DevClient("pushing", (CALLBACK,), require_pushed_authorization_requests=True)
    )
    assert (await rig.authorize(client_id="pushing")).status_code == 400
    pushed = await rig.http.post("/par", data=asked(client_id="pushing"))
    page = await follow(rig, pushed.json()["request_uri"], "pushing")
    assert "code" in response_of(await rig.choose(page))
