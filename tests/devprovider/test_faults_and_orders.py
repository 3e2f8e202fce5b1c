"""Faults by name, and the other orders that a test can give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import jwt
import pytest

from intastellar_auth.devprovider import FAULTS
from tests.devprovider.harness import ISSUER, response_of

if TYPE_CHECKING:
    from starlette.types import Message

    from tests.devprovider.harness import Rig

pytestmark = pytest.mark.anyio

WELL_KNOWN = "/.well-known/openid-configuration"


async def order(rig: Rig, name: str, **more: float) -> None:
    answer = await rig.http.post("/_dev/faults", json={"name": name} | more)
    assert answer.status_code == 200, answer.text


def unverified(tokens: dict[str, str]) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    return claims


@pytest.mark.parametrize(("fault", "path"), [("discovery_500", WELL_KNOWN), ("jwks_500", "/jwks")])
async def test_a_fault_happens_as_often_as_ordered(rig: Rig, fault: str, path: str) -> None:
    await order(rig, fault, times=2)
    assert [(await rig.http.get(path)).status_code for _ in range(3)] == [500, 500, 200]


async def test_userinfo_faults(rig: Rig) -> None:
    token = (await rig.tokens())["access_token"]
    rig.provider.faults.order("userinfo_500")
    assert (await rig.userinfo(token)).status_code == 500
    rig.provider.faults.order("userinfo_wrong_sub")
    assert (await rig.userinfo(token)).json()["sub"] == "mallory"
    assert (await rig.userinfo(token)).json()["sub"] == "alice"


@pytest.mark.parametrize(
    ("fault", "status"), [("token_500", 500), ("token_html", 200), ("token_invalid_grant", 400)]
)
async def test_a_token_fault_leaves_the_code_unspent(rig: Rig, fault: str, status: int) -> None:
    code = (await rig.sign_in())["code"]
    await order(rig, fault)
    assert (await rig.redeem(code)).status_code == status
    assert (await rig.redeem(code)).status_code == 200
    assert rig.provider.log.counts["token_requests"] == 2


async def test_a_slow_token_request_is_acted_on_at_once(rig: Rig) -> None:
    code = (await rig.sign_in())["code"]
    await order(rig, "token_slow", seconds=0.05)
    start = anyio.current_time()
    assert (await rig.redeem(code)).status_code == 200
    assert anyio.current_time() - start >= 0.05


async def test_a_short_access_token_ends_when_it_was_ordered_to(rig: Rig) -> None:
    await order(rig, "short_access_token", seconds=2)
    for lasts in (2, 600):
        answered = await rig.redeem((await rig.sign_in(prompt="login"))["code"])
        assert answered.json()["expires_in"] == lasts


async def test_the_wrong_claims_of_an_id_token(rig: Rig) -> None:
    for fault, claim, value in (
        ("wrong_nonce", "nonce", "wrong-nonce"),
        ("wrong_iss", "iss", "https://wrong-issuer.example"),
        ("wrong_aud", "aud", "wrong-client"),
        ("expired_id_token", "exp", 1_800_000_000 - 3600),
    ):
        await order(rig, fault)
        assert unverified(await rig.tokens(prompt="login"))[claim] == value
        assert unverified(await rig.tokens(prompt="login"))[claim] != value


async def test_a_bad_signature_does_not_verify(rig: Rig) -> None:
    await order(rig, "bad_signature")
    tokens = await rig.tokens()
    with pytest.raises(jwt.InvalidSignatureError):
        await rig.claims(tokens["id_token"])


async def test_an_id_token_without_kid_still_verifies(rig: Rig) -> None:
    await order(rig, "no_kid")
    id_token = (await rig.tokens())["id_token"]
    assert "kid" not in jwt.get_unverified_header(id_token)
    assert rig.provider.keys.verify(id_token) is not None


async def test_the_iss_parameter_can_be_missing_or_wrong(rig: Rig) -> None:
    await order(rig, "missing_iss_parameter")
    assert "iss" not in await rig.sign_in()
    await order(rig, "wrong_iss_parameter")
    assert response_of(await rig.authorize())["iss"] == "https://wrong-issuer.example"
    assert response_of(await rig.authorize())["iss"] == ISSUER


async def test_rotated_keys_sign_at_once_and_the_last_ones_stay_published(rig: Rig) -> None:
    before = (await rig.tokens())["id_token"]
    await order(rig, "rotate_keys")
    after = (await rig.tokens(prompt="login"))["id_token"]
    kids = [jwt.get_unverified_header(token)["kid"] for token in (before, after)]
    assert kids[0] != kids[1]
    assert await rig.claims(before)
    assert await rig.claims(after)
    await order(rig, "rotate_keys")
    published = [key["kid"] for key in (await rig.http.get("/jwks")).json()["keys"]]
    assert len(published) == 4
    assert kids[0] not in published
    assert kids[1] in published


async def test_the_key_set_holds_no_private_part(rig: Rig) -> None:
    for key in (await rig.http.get("/jwks")).json()["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)
        assert key["use"] == "sig"


@pytest.mark.parametrize(
    "body",
    [{"name": "unknown"}, {"name": "token_500", "times": 0}, {"times": 1}, {"name": "a", "b": 1}],
)
async def test_an_order_that_makes_no_sense_is_refused(rig: Rig, body: dict[str, object]) -> None:
    assert (await rig.http.post("/_dev/faults", json=body)).status_code == 400


async def test_the_faults_are_listed(rig: Rig) -> None:
    assert (await rig.http.get("/_dev/faults")).json() == FAULTS


async def test_orders_are_json_so_no_other_sites_form_can_give_one(rig: Rig) -> None:
    for path in ("/_dev/faults", "/_dev/reset", "/_dev/sign-out"):
        assert (await rig.http.post(path, data={"name": "token_500"})).status_code == 400


async def test_the_log_tells_what_happened_without_secrets(rig: Rig) -> None:
    response = await rig.sign_in()
    tokens = (await rig.redeem(response["code"])).json()
    await rig.redeem("unknown")
    answer = await rig.http.get("/_dev/log")
    told = [
        (event["endpoint"], event["client_id"], event["outcome"])
        for event in answer.json()["events"]
    ]
    assert told == [
        ("authorize", "public", "page"),
        ("sign_in", "public", "code"),
        ("token", "public", "ok"),
        ("token", "public", "invalid_grant"),
    ]
    assert answer.json()["events"][0]["time"] == rig.clock.now
    assert answer.json()["counts"]["token_requests"] == 2
    for secret in (response["code"], tokens["access_token"], tokens["id_token"], "the-state"):
        assert secret not in answer.text


async def test_a_reset_forgets_everything_but_the_keys(rig: Rig) -> None:
    tokens = await rig.tokens()
    await order(rig, "jwks_500")
    keys = rig.provider.keys.published()
    assert (await rig.http.post("/_dev/reset", json={})).status_code == 200
    assert (await rig.userinfo(tokens["access_token"])).status_code == 401
    assert response_of(await rig.authorize(prompt="none"))["error"] == "login_required"
    assert (await rig.http.get("/jwks")).json() == keys
    assert rig.provider.log.counts["token_requests"] == 0


async def test_an_administrator_can_end_all_sessions_of_a_user(rig: Rig) -> None:
    await rig.sign_in()
    async with rig.browser() as other:
        rig.http, first = other, rig.http
        await rig.sign_in()
        rig.http = first
    answer = await rig.http.post("/_dev/sign-out", json={"sub": "alice"})
    assert answer.json() == {"ended": 2}
    assert response_of(await rig.authorize(prompt="none"))["error"] == "login_required"
    assert (await rig.http.post("/_dev/sign-out", json={})).status_code == 400


async def test_discovery_announces_what_there_is(rig: Rig) -> None:
    document = (await rig.http.get(WELL_KNOWN)).json()
    assert document == (await rig.http.get("/.well-known/oauth-authorization-server")).json()
    assert document["issuer"] == ISSUER
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["code_challenge_methods_supported"] == ["S256"]
    for name, url in document.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            answer = await rig.http.get(url.removeprefix(ISSUER))
            assert answer.status_code != 404, name


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1.attacker.example", "[", ""])
async def test_a_rebound_name_gets_no_answer(rig: Rig, host: str) -> None:
    answer = await rig.http.get("/jwks", headers={"host": host})
    assert answer.status_code == 421


async def test_a_server_may_start_and_stop_the_app(rig: Rig) -> None:
    coming = iter(["lifespan.startup", "lifespan.shutdown"])
    sent: list[str] = []

    async def receive() -> Message:
        return {"type": next(coming)}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await rig.app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
