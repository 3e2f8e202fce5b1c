"""Sessions of other products that were forged, planted, never ended, or given to others."""

from __future__ import annotations

import ast
import base64
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import intastellar_auth
from intastellar_auth.errors import SettingsError
from tests.core.parts import sealer
from tests.flows.refreshing import LIFETIME, MODES, refreshing, visiting
from tests.flows.refreshing import visit as visit_app
from tests.flows.stage import make_stage
from tests.hostile.browser import FETCH
from tests.hostile.jar import Cookie
from tests.hostile.site import SESSION_COOKIE, environment, pages, protected
from tests.hostile.test_sealed_values import is_nobody, login_cookie
from tests.hostile.verdicts import is_signed_in

if TYPE_CHECKING:
    from tests.hostile.browser import Browser
    from tests.hostile.conftest import Log

    from .conftest import Visit

SECRETS = {"nonce", "state", "receipt", "at_hash", "code_verifier", "signature", "mac", "tag"}


def signed_in_over(planted: Browser, victim: Browser) -> None:
    """Sign the victim in over the cookies of ``planted``, of which nothing may be left."""
    planted.provider.sub = "mallory"
    planted.sign_in()
    old = planted.jar.named(SESSION_COOKIE)
    victim.jar.cookies.update(planted.jar.cookies)
    planted.provider.sub = "alice"
    is_signed_in(victim, victim.sign_in(), "alice")
    assert victim.jar.named(SESSION_COOKIE) != old
    user = planted.user()
    assert user is None or user["sub"] == "mallory"


def test_cve_2021_32791_nothing_is_sealed_twice_with_the_same_nonce() -> None:
    """AD-07."""
    seals = sealer("session")
    sealed = [seals.seal(b"the same") for _ in range(200)]
    assert len({one[5:17] for one in sealed}) == 200
    assert len(set(sealed)) == 200


def test_ghsa_f24x_5g9q_753f_no_page_looks_signed_out_over_a_session_that_goes_on(
    visit: Visit,
) -> None:
    """AD-31, CS-03: the login leads to the provider; its answer replaces the session whole."""
    browser = visit()
    browser.sign_in()
    old = browser.jar.header("/")
    assert browser.start().startswith(browser.provider.server.base)
    browser.provider.sub = "bob"
    is_signed_in(browser, browser.sign_in(), "bob")
    browser.get("/auth/logout")
    assert browser.user() is None
    assert SESSION_COOKIE in old


def test_cve_2021_41246_a_planted_session_does_not_survive_a_sign_in(visit: Visit) -> None:
    """AD-32."""
    planted = visit()
    signed_in_over(planted, visit(planted.site))


@pytest.mark.parametrize("seconds", [86_401, 604_801])
def test_cve_2025_46344_a_copied_session_has_an_end_of_its_own(seconds: int) -> None:
    """AD-36: whatever the browser makes of Max-Age."""
    stage = make_stage()
    stage.sign_in()
    assert stage.go("/auth/user").status == 200
    stage.hand.clock.now += seconds
    assert stage.go("/auth/user").status == 401


def test_cve_2025_67490_what_is_remembered_of_one_user_is_not_told_to_another(
    visit: Visit,
) -> None:
    """AD-38, CA-04: in turns, so that each is remembered by the process when the other one asks."""
    alice = visit()
    bob = visit(alice.site)
    alice.sign_in()
    alice.provider.sub = "bob"
    bob.sign_in()
    for _ in range(3):
        for browser, sub in ((alice, "alice"), (bob, "bob")):
            assert f'"sub": "{sub}"' in browser.get("/private/page").text


def test_cve_2016_7036_no_secret_is_compared_by_an_operator() -> None:
    """AD-62, TM-01: ``==`` stops at the first difference; ``hmac.compare_digest`` does not."""
    package = Path(intastellar_auth.__file__).parent
    compared: set[str] = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                compared.update(map(ast.unparse, (node.left, *node.comparators)))
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("compare_digest"):
                compared.add("compare_digest")
    assert "compare_digest" in compared
    assert not {name for name in compared if name.rpartition(".")[2] in SECRETS}


@pytest.mark.parametrize("mode", MODES)
def test_cve_2024_51987_after_a_refresh_nobody_goes_on_with_the_old_token(mode: str) -> None:
    """AD-71, RF-15: not even a request with the cookie of before."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    old = dict(stage.browser.cookies)
    stage.hand.clock.now += LIFETIME - 30
    assert visit_app(stage) == "access-1"
    assert visiting(stage.other_process(), old).access_token == "access-1"
    assert (provider.refreshes, provider.reused) == (1, 0)


def test_cve_2025_26620_a_race_does_not_mix_up_two_clients_tokens() -> None:
    """AD-72: two sites refresh at once, effect by effect in turns."""
    sites = [refreshing(), refreshing(client_secret="another secret, of another site")]
    sites[1][1].more = {"access_token": "the-other-one"}
    for stage, _ in sites:
        stage.sign_in()
        stage.hand.clock.now += LIFETIME - 30
    visits = [visiting(stage) for stage, _ in sites]
    while not visits[0].running.ended:
        for one in visits:
            one.stage.hand.step(one.running)
    assert [one.access_token for one in visits] == ["access-1", "the-other-one"]


def test_cve_2026_40372_a_session_cannot_be_forged(visit: Visit) -> None:
    """AD-75."""
    browser = visit()
    browser.sign_in()
    sealed = browser.jar.named(SESSION_COOKIE)
    for at in range(1, len(sealed), 7):
        other = "A" if sealed[at] != "A" else "B"
        is_nobody(browser.site, f"{SESSION_COOKIE}={sealed[:at]}{other}{sealed[at + 1 :]}")
    is_nobody(browser.site, f"{SESSION_COOKIE}=1{'A' * (len(sealed) - 1)}")


def test_cve_2023_48309_half_a_sign_in_is_no_session(visit: Visit) -> None:
    """AD-82."""
    browser = visit()
    _, login = login_cookie(browser)
    for value in (login, f"1{login}", login[1:]):
        is_nobody(browser.site, f"{SESSION_COOKIE}={value}")


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Bearer  a b", "Basic !!!", "\xff\xfe", "a" * 60_000]
)
def test_cve_2026_73418_a_malformed_authorization_header_is_nobody(
    value: str, visit: Visit
) -> None:
    """AD-83."""
    browser = visit()
    headers = {**FETCH, "authorization": value}
    assert browser.request("GET", "/auth/user", headers).status == 401
    assert '"signed_in": false' in browser.request("GET", "/public", headers).text


def test_cve_2026_73421_an_error_is_not_taken_for_a_session(
    visit: Visit, tmp_path: Path, log: Log
) -> None:
    """AD-85: a setting that makes no sense stops the start, and a broken store lets nobody in."""
    store = tmp_path / "store.db"
    browser = visit(STORE_URL=f"sqlite:///{store}", SESSION_MODE="server")
    browser.sign_in()
    stranger = visit(browser.site)
    stranger.jar.cookies.update(browser.jar.cookies)
    for (name, path), cookie in list(stranger.jar.cookies.items()):
        stranger.jar.cookies[name, path] = Cookie(name, cookie.value + "A", cookie.attributes)
    store.write_bytes(b"this is no database" * 500)
    assert stranger.request("GET", "/private/page", FETCH).status in (401, 503)
    assert '"signed_in": false' in stranger.get("/public").text
    with pytest.raises(SettingsError):
        protected(pages, environment(browser.provider, SECRET_KEYS="short"))
    assert log.records


def test_cve_2023_35941_what_is_sealed_for_has_one_reading() -> None:
    """AD-88: parts that give the same text when joined are different places."""
    seals, other = sealer("session", "ab", "c"), sealer("session", "a", "bc")
    with pytest.raises(Exception, match="for another purpose"):
        other.open(seals.seal(b"alice"))
    assert seals.open(seals.seal(b"alice")) == b"alice"


@pytest.mark.parametrize("mode", MODES)
def test_cve_2024_52553_a_sign_in_ends_what_the_cookie_held_before(mode: str, visit: Visit) -> None:
    """AD-91 (CVE-2023-24426): wherever sessions are kept."""
    planted = visit(SESSION_MODE=mode)
    signed_in_over(planted, visit(planted.site))


def test_cve_2023_1584_no_token_can_be_read_in_a_cookie(visit: Visit) -> None:
    """AD-98, BF-03: at any offset of the encoding; and no cookie travels without Secure."""
    browser = visit(KEEP_TOKENS="true")
    browser.sign_in()
    kept = [cookie for cookie in browser.jar.cookies.values() if cookie.value]
    assert all("secure" in cookie.attributes for cookie in kept)
    tokens = [secret.encode() for secret in browser.provider.secrets if len(secret) > 20]
    for cookie in kept:
        text = cookie.value.translate(str.maketrans("-_", "+/", "=")).encode()
        for start in range(4):
            raw = base64.b64decode(text[start : start + (len(text) - start) // 4 * 4])
            assert not [token for token in tokens if token in raw + text]


def test_cve_2022_25896_a_planted_session_is_not_the_one_that_is_signed_in(visit: Visit) -> None:
    """AD-106."""
    planted = visit(SESSION_MODE="server")
    signed_in_over(planted, visit(planted.site))
