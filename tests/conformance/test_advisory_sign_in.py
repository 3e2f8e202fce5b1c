"""Sign-ins of other products that could be forged, mixed up, guessed, or made to crash."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pytest

from intastellar_auth.core.effects import Add, Put
from intastellar_auth.oidc.jose import split_token
from tests.flows.stage import DISCOVERY, DOCUMENT, TOKEN, asked_of_provider, make_stage
from tests.hostile.browser import NAVIGATION, Browser
from tests.hostile.jar import Cookie
from tests.hostile.test_login_request import sent
from tests.hostile.verdicts import is_refused, is_signed_in, sets_no_session
from tests.oidc.forge import ISSUER, answer
from tests.settings.making import PEM

if TYPE_CHECKING:
    from pathlib import Path

    from intastellar_auth.oidc.json_object import Json
    from tests.hostile.conftest import Log, MakeSite

    from .conftest import Refuses, Visit

SCRIPT = "<script>alert(document.cookie)</script>"


def nobody_is_signed_in_by(victim: Browser, attacker: Browser) -> None:
    """Let the victim open the attacker's response."""
    response = attacker.at_provider(attacker.start())
    sets_no_session(victim.callback(response))
    assert victim.user() is None
    assert attacker.provider.hits["token"] == 0


def test_cve_2021_20718_a_post_without_a_content_type_is_no_crash(visit: Visit) -> None:
    """AD-04."""
    browser = visit(RESPONSE_MODE="form_post")
    for body in (b"", b"code=c&state=s", b"\xff\x00"):
        reply = browser.request("POST", "/auth/callback", NAVIGATION, body)
        assert 400 <= reply.status < 500


def test_cve_2025_3891_an_empty_post_is_no_crash(visit: Visit) -> None:
    """AD-14: on our paths and on a protected one."""
    browser = visit(RESPONSE_MODE="form_post")
    assert 400 <= browser.post("/auth/callback").status < 500
    assert browser.post("/private/page").status == 401
    assert browser.post("/auth/logout", sec_fetch_site="same-origin").status == 303


def test_cve_2017_1000069_another_s_response_signs_no_victim_in(visit: Visit) -> None:
    """AD-18."""
    attacker = visit()
    nobody_is_signed_in_by(visit(attacker.site), attacker)


def test_cve_2021_32702_an_error_of_the_callback_runs_no_script(visit: Visit) -> None:
    """AD-34."""
    browser = visit()
    response = dict(browser.at_provider(browser.start()))
    del response["code"]
    for name in ("error", "error_description", "error_uri"):
        told = {**response, "error": "access_denied", name: SCRIPT}
        reply = browser.callback(tuple(told.items()))
        assert SCRIPT not in reply.text
        assert "default-src 'none'" in reply.get("content-security-policy")


def test_cve_2025_67716_a_return_address_adds_no_parameter_to_the_request(visit: Visit) -> None:
    """AD-39."""
    browser = visit()
    plain = sent(browser.start("/a"))
    request = sent(browser.start("/a&scope=admin&audience=evil&redirect_uri=https://evil.example"))
    assert request.keys() == plain.keys()
    assert request["scope"] == plain["scope"]
    assert request["redirect_uri"] == plain["redirect_uri"]


def test_cve_2026_40155_users_at_once_do_not_get_each_other_s_tokens(visit: Visit) -> None:
    """AD-40."""
    first = visit()
    browsers = [first, *(visit(first.site) for _ in range(11))]
    responses = []
    for number, browser in enumerate(browsers):
        first.provider.sub = f"user-{number}"
        responses.append(browser.at_provider(browser.start()))
    with ThreadPoolExecutor(12) as at_once:
        list(at_once.map(Browser.callback, browsers, responses))
    users = [browser.user() for browser in browsers]
    assert [user and user["sub"] for user in users] == [f"user-{n}" for n in range(12)]


def test_cve_2025_68158_state_is_of_no_use_in_another_browser(visit: Visit) -> None:
    """AD-46."""
    attacker = visit()
    victim = visit(attacker.site)
    victim.start()
    nobody_is_signed_in_by(victim, attacker)


def test_cve_2026_41425_nor_is_it_where_sessions_are_in_a_store(
    visit: Visit, make_site: MakeSite, tmp_path: Path
) -> None:
    """AD-47: in another process, on the same store."""
    there = {"SESSION_MODE": "server", "STORE_URL": f"sqlite:///{tmp_path}/store.db"}
    nobody_is_signed_in_by(visit(make_site(**there)), visit(make_site(**there)))


def test_a_second_tab_does_not_end_the_first_and_an_email_is_no_identity(visit: Visit) -> None:
    """AD-69: what mozilla-django-oidc's users report."""
    browser = visit()
    responses = [browser.at_provider(browser.start(f"/private/{tab}")) for tab in "abc"]
    for tab, response in zip("abc", responses, strict=True):
        is_signed_in(browser, browser.callback(response), "alice", f"/private/{tab}")
    browser.provider.sub = "bob"
    browser.provider.script.claims = lambda given: {**given, "email": "alice@site.example"}
    is_signed_in(browser, browser.sign_in(), "bob")


def test_cve_2023_27490_no_check_is_skipped_because_its_input_is_missing(
    visit: Visit, refuses: Refuses, log: Log
) -> None:
    """AD-81: without the nonce, without state, and without what belongs to them in the cookie."""
    refuses("nonce_missing", "nonce_empty")
    browser = visit()
    response = browser.at_provider(browser.start())
    tokens = browser.provider.hits["token"]
    is_refused(browser, browser.callback((*response[:1], *response[2:])), log)
    for key, cookie in browser.jar.cookies.items():
        browser.jar.cookies[key] = Cookie(cookie.name, "", cookie.attributes)
    sets_no_session(browser.callback(response))
    assert browser.provider.hits["token"] == tokens


def test_cve_2026_73419_a_login_cookie_of_another_client_finishes_nothing(
    visit: Visit, make_site: MakeSite
) -> None:
    """AD-84."""
    browser = visit()
    response = browser.at_provider(browser.start())
    other = visit(make_site(CLIENT_ID="another-client"))
    other.jar.cookies.update(browser.jar.cookies)
    sets_no_session(other.callback(response))
    assert other.user() is None
    assert browser.provider.hits["token"] == 0


def test_cve_2023_27496_a_callback_without_state_is_a_page(visit: Visit, log: Log) -> None:
    """AD-89."""
    browser = visit()
    for response in ((), (("code", "c"),), (("error", "access_denied"),), (("state", ""),)):
        is_refused(browser, browser.callback(response), log)


def test_cve_2022_31034_what_is_secret_cannot_be_guessed_from_a_seed(visit: Visit) -> None:
    """AD-93: the generator that can be seeded is not the one that is used."""
    browser = visit()
    before = random.getstate()
    requests = []
    for _ in range(2):
        random.seed(1)
        requests.append(sent(browser.start()))
    random.setstate(before)
    one, two = requests
    for name in ("state", "nonce", "code_challenge"):
        assert one[name] != two[name]
        assert len(one[name]) >= 43


def test_cve_2021_22119_a_sign_in_that_nobody_finishes_takes_no_room(visit: Visit) -> None:
    """AD-95: neither in the store nor, beyond five of them, in the browser."""
    stage = make_stage()
    for _ in range(30):
        asked_of_provider(stage.go("/auth/login"))
    assert not [one for one in stage.hand.done if isinstance(one, Put | Add)]
    browser = visit()
    for _ in range(30):
        browser.start()
    assert len(browser.jar.cookies) <= 5


def test_cve_2025_68481_a_state_of_ours_alone_finishes_nothing(visit: Visit) -> None:
    """AD-100: it is sealed and genuine; what is missing is this browser's cookie."""
    attacker = visit()
    response = attacker.at_provider(attacker.start())
    attacker.jar.cookies.clear()
    sets_no_session(attacker.callback(response))
    assert attacker.user() is None
    assert attacker.provider.hits["token"] == 0


def test_cve_2025_65107_an_attacker_s_code_under_the_victim_s_state_signs_nobody_in(
    visit: Visit, log: Log
) -> None:
    """AD-101 (CVE-2025-14546): PKCE, and where the provider ignores it the nonce."""
    victim = visit()
    attacker = visit(victim.site)
    victim.provider.sub = "mallory"
    code = dict(attacker.at_provider(attacker.start()))["code"]
    own = dict(victim.at_provider(victim.start()))
    victim.provider.script.checks_pkce = False
    is_refused(victim, victim.callback(tuple({**own, "code": code}.items())), log)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_cve_2015_9284_a_link_to_the_login_joins_and_ends_nothing(site: str, visit: Visit) -> None:
    """AD-105: the visitor stays who they are until they sign in at the provider themselves."""
    browser = visit()
    browser.sign_in()
    before = browser.user()
    begun = browser.get("/auth/login?next=/private/page", sec_fetch_site=site)
    assert begun.location.startswith(browser.provider.server.base)
    assert browser.user() == before


def test_cve_2025_27370_an_assertion_is_for_our_own_issuer_whatever_the_metadata_say() -> None:
    """AD-119 (CVE-2025-27371): a lying provider names an honest one's token endpoint."""
    honest = "https://honest.example/token"
    stage = make_stage(client_secret=None, client_private_key=PEM)
    document: dict[str, Json] = {
        **DOCUMENT,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    }
    stage.hand.say(DISCOVERY, answer({**document, "token_endpoint": honest}))
    stage.hand.say(honest, stage.redeem)
    stage.sign_in()
    (request,) = stage.hand.fetched(honest)
    form = dict(parse_qsl((request.body or b"").decode()))
    claims = json.loads(split_token(form["client_assertion"]).payload)
    assert claims["aud"] == ISSUER
    assert stage.hand.fetched(TOKEN) == []
