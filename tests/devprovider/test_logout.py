"""RP-initiated logout, and the back-channel logout that follows from it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import httpx
import jwt
import pytest

from intastellar_auth.devprovider import DevClient
from tests.devprovider.harness import (
    CALLBACK,
    ISSUER,
    PUBLIC,
    SITE,
    asked,
    hidden,
    response_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.devprovider.harness import Rig

pytestmark = pytest.mark.anyio

AFTER = f"{SITE}/auth/logout"


async def leave(rig: Rig, **parameters: str) -> httpx.Response:
    return await rig.http.get("/end-session", params=parameters)


async def is_signed_in(rig: Rig) -> bool:
    return "code" in response_of(await rig.authorize(prompt="none"))


async def test_a_logout_with_a_hint_ends_the_session_and_returns_with_state(rig: Rig) -> None:
    tokens = await rig.tokens()
    assert await is_signed_in(rig)
    answer = await leave(
        rig, id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER, state="back"
    )
    assert answer.headers["location"] == f"{AFTER}?state=back"
    assert not await is_signed_in(rig)
    assert (await rig.userinfo(tokens["access_token"])).status_code == 401


async def test_a_logout_without_state_returns_without_and_may_be_posted(rig: Rig) -> None:
    form = {
        "id_token_hint": (await rig.tokens())["id_token"],
        "client_id": "public",
        "post_logout_redirect_uri": AFTER,
    }
    answer = await rig.http.post("/end-session", data=form)
    assert answer.headers["location"] == AFTER


async def test_an_expired_hint_and_one_of_a_rotated_key_still_count(rig: Rig) -> None:
    id_token = (await rig.tokens())["id_token"]
    rig.clock.now += 4 * 3600
    rig.provider.faults.order("rotate_keys", 3)
    answer = await leave(rig, id_token_hint=id_token)
    assert answer.status_code == 200
    assert "You are signed out" in answer.text
    assert not await is_signed_in(rig)


async def test_a_forged_or_foreign_hint_is_refused(rig: Rig) -> None:
    id_token = (await rig.tokens())["id_token"]
    rig.provider.faults.order("wrong_iss")
    foreign = (await rig.tokens(prompt="login"))["id_token"]
    claims = jwt.decode(id_token, options={"verify_signature": False})
    no_id_token = rig.provider.keys.sign({"iss": ISSUER, "aud": "public", "sub": "alice"}, "RS256")
    forged = jwt.encode(claims, "k" * 32, "HS256")
    for hint in (foreign, forged, no_id_token, "rubbish"):
        answer = await leave(rig, id_token_hint=hint, post_logout_redirect_uri=AFTER)
        assert answer.status_code == 400
        assert "location" not in answer.headers
    assert await is_signed_in(rig)


@pytest.mark.parametrize(
    "uri", [f"{AFTER}/", f"{AFTER}?next=/", f"{SITE}/", "https://attacker.example/", AFTER.upper()]
)
async def test_another_post_logout_address_gets_a_page_and_no_redirect(rig: Rig, uri: str) -> None:
    id_token = (await rig.tokens())["id_token"]
    answer = await leave(rig, id_token_hint=id_token, post_logout_redirect_uri=uri)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert await is_signed_in(rig)


async def test_a_refused_post_logout_address_is_shown_beside_the_registered_ones(rig: Rig) -> None:
    page = (await leave(rig, client_id="public", post_logout_redirect_uri=f"{AFTER}/")).text
    assert f"<dt>Got</dt><dd><code>{AFTER}/</code></dd>" in page
    assert f"<dt>Registered</dt><dd><code>{AFTER}</code></dd>" in page


async def test_without_a_client_no_address_is_registered(rig: Rig) -> None:
    page = (await leave(rig, post_logout_redirect_uri=AFTER)).text
    assert "<dt>Registered</dt><dd>none</dd>" in page


async def test_nobody_vouches_for_an_address_without_a_client(rig: Rig) -> None:
    assert (await leave(rig, post_logout_redirect_uri=AFTER)).status_code == 400
    assert (await leave(rig, client_id="unknown")).status_code == 400


async def test_the_hint_must_be_the_clients_own(rig: Rig) -> None:
    id_token = (await rig.tokens())["id_token"]
    answer = await leave(rig, id_token_hint=id_token, client_id="confidential")
    assert answer.status_code == 400


async def test_without_a_hint_the_user_is_asked(rig: Rig) -> None:
    await rig.sign_in()
    page = await leave(rig, client_id="public", post_logout_redirect_uri=AFTER, state="back")
    assert "Sign out?" in page.text
    assert await is_signed_in(rig)
    answer = await rig.http.post("/sign-out", data=hidden(page.text) | {"logout": "yes"})
    assert answer.headers["location"] == f"{AFTER}?state=back"
    assert not await is_signed_in(rig)


async def test_the_user_may_stay(rig: Rig) -> None:
    await rig.sign_in()
    page = await leave(rig)
    answer = await rig.http.post("/sign-out", data=hidden(page.text) | {"logout": "no"})
    assert "You stay signed in" in answer.text
    assert await is_signed_in(rig)
    assert (await rig.http.post("/sign-out", data=hidden(page.text))).status_code == 400


async def test_another_users_hint_does_not_sign_out_silently(rig: Rig) -> None:
    id_token = (await rig.tokens())["id_token"]
    await rig.sign_in("bob", prompt="login")
    assert "Sign out?" in (await leave(rig, id_token_hint=id_token)).text


async def test_a_logout_form_of_another_site_is_refused(rig: Rig) -> None:
    """Logout CSRF."""
    await rig.sign_in()
    page = await leave(rig)
    answer = await rig.http.post(
        "/sign-out",
        data=hidden(page.text) | {"logout": "yes"},
        headers={"sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403
    assert await is_signed_in(rig)


async def test_a_logout_of_nobody_goes_back_at_once(rig: Rig) -> None:
    answer = await leave(rig, client_id="public", post_logout_redirect_uri=AFTER)
    assert answer.headers["location"] == AFTER


async def test_a_code_of_an_ended_session_is_refused(rig: Rig) -> None:
    id_token = (await rig.tokens())["id_token"]
    code = response_of(await rig.authorize())["code"]
    await leave(rig, id_token_hint=id_token)
    assert (await rig.redeem(code)).json()["error"] == "invalid_grant"


async def test_offline_access_outlives_the_session(rig: Rig) -> None:
    tokens = await rig.tokens(scope="openid offline_access")
    await leave(rig, id_token_hint=tokens["id_token"])
    assert (await rig.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_logout_token_is_posted_to_the_clients_of_the_session(
    make_rig: Callable[..., Rig],
) -> None:
    received: list[bytes] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            received.append(self.rfile.read(length))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            del format, args

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        uri = f"http://127.0.0.1:{server.server_port}/auth/backchannel-logout"
        rig = make_rig(
            DevClient("public", (CALLBACK,), backchannel_logout_uri=uri),
            DevClient("absent", (CALLBACK,), backchannel_logout_uri=uri),
        )
        id_token = (await rig.tokens())["id_token"]
        await leave(rig, id_token_hint=id_token)
        server.shutdown()
        thread.join()
    (body,) = received
    (logout_token,) = parse_qs(body.decode())["logout_token"]
    assert jwt.get_unverified_header(logout_token)["typ"] == "logout+jwt"
    claims = await rig.claims(logout_token)
    signed_in = await rig.claims(id_token)
    assert set(claims) == {"iss", "aud", "iat", "exp", "jti", "sid", "sub", "events"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, "public", "alice")
    assert claims["sid"] == signed_in["sid"]
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert {"backchannel_logout", "ok"} <= {
        value for event in rig.provider.log.events for value in event.values()
    }
    hint = await leave(rig, id_token_hint=logout_token)
    assert hint.status_code == 400


@pytest.mark.parametrize(
    ("status", "outcome"), [(204, "ok"), (400, "status_400"), (None, "unreachable")]
)
async def test_a_client_that_does_not_take_the_logout_token_holds_nobody_up(
    make_rig: Callable[..., Rig], status: int | None, outcome: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if status is None:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(status)

    rig = make_rig(
        DevClient("public", (CALLBACK,), backchannel_logout_uri=f"{SITE}/auth/backchannel-logout"),
        DevClient("quiet", PUBLIC.redirect_uris),
    )
    rig.provider.transport = httpx.MockTransport(answer)
    id_token = (await rig.tokens())["id_token"]
    await rig.http.get("/authorize", params=asked(client_id="quiet"))
    assert (await leave(rig, id_token_hint=id_token)).status_code == 200
    told = [
        (event["client_id"], event["outcome"])
        for event in rig.provider.log.events
        if event["endpoint"] == "backchannel_logout"
    ]
    assert told == [("public", outcome)]
