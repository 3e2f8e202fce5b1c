"""The token endpoint: codes work once, refresh tokens work once, a reuse takes all away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import jwt
import pytest

from intastellar_auth.devprovider import DevClient
from intastellar_auth.devprovider.id_token import at_hash
from tests.devprovider.harness import CALLBACK, ISSUER, PUBLIC, SECRET, VERIFIER

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.devprovider.harness import Rig

pytestmark = pytest.mark.anyio

OFFLINE = "openid offline_access"


def refused(answer: httpx.Response, error: str = "invalid_grant") -> bool:
    return answer.status_code == 400 and answer.json()["error"] == error


async def test_a_code_gives_tokens_and_a_signed_id_token(rig: Rig) -> None:
    answer = await rig.redeem((await rig.sign_in())["code"])
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert tokens["token_type"] == "Bearer"
    assert "refresh_token" not in tokens
    claims = await rig.claims(tokens["id_token"])
    assert claims["iss"] == ISSUER
    assert claims["sub"] == "alice"
    assert claims["aud"] == "public"
    assert claims["nonce"] == "the-nonce"
    assert claims["iat"] == claims["auth_time"] == 1_800_000_000
    assert claims["exp"] == 1_800_000_600
    assert claims["at_hash"] == at_hash(tokens["access_token"])
    assert "email" not in claims


async def test_an_id_token_has_no_nonce_where_none_was_asked_for(rig: Rig) -> None:
    assert "nonce" not in await rig.claims((await rig.tokens(nonce=None))["id_token"])


async def test_plain_oauth_gives_no_id_token(rig: Rig) -> None:
    tokens = await rig.tokens(scope="profile")
    assert "id_token" not in tokens
    assert (await rig.userinfo(tokens["access_token"])).json()["sub"] == "alice"


async def test_a_client_may_have_es256_and_claims_in_the_id_token(
    make_rig: Callable[..., Rig],
) -> None:
    client = DevClient(
        "public", (CALLBACK,), id_token_signed_response_alg="ES256", claims_in_id_token=True
    )
    rig = make_rig(client)
    id_token = (await rig.tokens())["id_token"]
    assert jwt.get_unverified_header(id_token)["alg"] == "ES256"
    assert (await rig.claims(id_token))["email"] == "alice@example.com"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": None},
        {"code_verifier": "w" * 43},
        {"code_verifier": "short"},
        {"code_verifier": VERIFIER + "=" * 3},
        {"redirect_uri": None},
        {"redirect_uri": f"{CALLBACK}/"},
        {"code": "unknown"},
    ],
)
async def test_a_code_needs_its_verifier_and_its_redirect_uri(
    rig: Rig, changes: dict[str, str | None]
) -> None:
    code = (await rig.sign_in())["code"]
    assert refused(await rig.redeem(**{"code": code} | changes))  # type: ignore[arg-type] # code is given


async def test_a_failed_try_spends_the_code(rig: Rig) -> None:
    code = (await rig.sign_in())["code"]
    await rig.redeem(code, code_verifier="w" * 43)
    assert refused(await rig.redeem(code))


async def test_another_client_can_neither_use_nor_spoil_a_code(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(PUBLIC, DevClient("other", (CALLBACK,)))
    code = (await rig.sign_in())["code"]
    assert refused(await rig.redeem(code, client_id="other"))
    assert (await rig.redeem(code)).status_code == 200


async def test_a_code_expires_after_a_minute(rig: Rig) -> None:
    code = (await rig.sign_in())["code"]
    rig.clock.now += 60
    assert refused(await rig.redeem(code))


async def test_a_reused_code_revokes_what_its_first_use_gave(rig: Rig) -> None:
    code = (await rig.sign_in(scope=OFFLINE))["code"]
    tokens = (await rig.redeem(code)).json()
    assert (await rig.userinfo(tokens["access_token"])).status_code == 200
    assert refused(await rig.redeem(code))
    assert (await rig.userinfo(tokens["access_token"])).status_code == 401
    assert refused(await rig.refresh(tokens["refresh_token"]))
    assert rig.provider.log.counts["code_reuses"] == 1
    assert rig.provider.log.counts["grants_revoked"] == 1


async def test_a_reused_code_also_revokes_what_was_refreshed_since(rig: Rig) -> None:
    code = (await rig.sign_in(scope=OFFLINE))["code"]
    first = (await rig.redeem(code)).json()
    second = (await rig.refresh(first["refresh_token"])).json()
    await rig.redeem(code)
    assert (await rig.userinfo(second["access_token"])).status_code == 401
    assert refused(await rig.refresh(second["refresh_token"]))


async def test_of_twenty_at_once_one_gets_tokens_and_they_are_revoked(rig: Rig) -> None:
    code = (await rig.sign_in())["code"]
    answers: list[httpx.Response] = []

    async def redeem() -> None:
        answers.append(await rig.redeem(code))

    async with anyio.create_task_group() as together:
        for _ in range(20):
            together.start_soon(redeem)
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert sum(refused(answer) for answer in answers) == 19
    assert (await rig.userinfo(won[0].json()["access_token"])).status_code == 401
    counts = rig.provider.log.counts
    assert (counts["token_requests"], counts["code_reuses"], counts["grants_revoked"]) == (
        20,
        19,
        1,
    )


async def test_a_refresh_token_rotates(rig: Rig) -> None:
    first = await rig.tokens(scope=OFFLINE)
    second = (await rig.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    claims = await rig.claims(second["id_token"])
    assert "nonce" not in claims
    assert claims["sub"] == "alice"
    assert (await rig.refresh(second["refresh_token"])).status_code == 200


async def test_a_reused_refresh_token_revokes_the_family(rig: Rig) -> None:
    first = await rig.tokens(scope=OFFLINE)
    second = (await rig.refresh(first["refresh_token"])).json()
    assert refused(await rig.refresh(first["refresh_token"]))
    assert refused(await rig.refresh(second["refresh_token"]))
    assert (await rig.userinfo(second["access_token"])).status_code == 401
    assert rig.provider.log.counts["refresh_reuses"] == 1


async def test_a_refresh_may_narrow_the_scope_and_not_widen_it(rig: Rig) -> None:
    first = await rig.tokens(scope="openid email offline_access")
    narrow = (await rig.refresh(first["refresh_token"], scope="email")).json()
    assert narrow["scope"] == "email"
    assert "id_token" not in narrow
    assert refused(
        await rig.refresh(narrow["refresh_token"], scope="openid profile"), "invalid_scope"
    )
    assert (await rig.refresh(narrow["refresh_token"])).json()["scope"] == first["scope"]


async def test_a_refresh_token_is_its_clients_and_expires(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(PUBLIC, DevClient("other", (CALLBACK,)))
    tokens = await rig.tokens(scope=OFFLINE)
    assert refused(await rig.refresh(tokens["refresh_token"], client_id="other"))
    rig.clock.now += 14 * 86400
    assert refused(await rig.refresh(tokens["refresh_token"]))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": None}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
    ],
)
async def test_a_malformed_request_is_named(
    rig: Rig, changes: dict[str, str | None], error: str
) -> None:
    code = (await rig.sign_in())["code"]
    assert refused(await rig.redeem(**{"code": code} | changes), error)  # type: ignore[arg-type] # as above


async def test_only_a_form_is_read(rig: Rig) -> None:
    assert refused(await rig.http.post("/token", json={"code": "x"}), "invalid_request")
    assert (await rig.http.get("/token")).status_code == 405


# httpx leaves its half-read request behind, which trio reports; what we do is the same on both.
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_huge_form_is_refused(rig: Rig) -> None:
    answer = await rig.http.post("/token", data={"code": "x" * 70_000})
    assert answer.status_code == 413


async def test_a_page_of_another_site_may_not_read_the_answer(rig: Rig) -> None:
    """No CORS: tokens are for servers."""
    answer = await rig.http.post("/token", headers={"origin": "https://site.example"})
    assert "access-control-allow-origin" not in answer.headers


async def test_no_secret_shows_in_a_repr(rig: Rig) -> None:
    await rig.sign_in()
    shown = repr(SECRET) + repr(rig.provider.sessions.of("alice"))
    assert "s3cret" not in shown
    assert rig.http.cookies["devprovider_9000"] not in shown
