"""Protected pages, identities and secrets that other products gave away."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from intastellar_auth import User
from intastellar_auth.access import admit
from intastellar_auth.core.effects import Add, Put
from intastellar_auth.errors import ScopeMissing, SettingsError
from intastellar_auth.user import Auth
from tests.flows.stage import make_stage
from tests.hostile.asgi_call import RawHeaders
from tests.hostile.browser import FETCH, NAVIGATION
from tests.hostile.site import environment, pages, protected
from tests.hostile.test_set_cookie import everything

if TYPE_CHECKING:
    from tests.hostile.conftest import Log
    from tests.hostile.provider import Provider

    from .conftest import Refuses, Visit

IDENTITIES = (
    b"X-Auth-User",
    b"X_Auth_User",
    b"x-auth-request-email",
    b"X-Forwarded-User",
    b"X-Forwarded-Email",
    b"X_Forwarded_Email",
    b"REMOTE_USER",
    b"Remote-User",
    b"X-Userinfo",
    b"X-ID-Token",
    b"X-Access-Token",
    b"OIDC_CLAIM_sub",
)


def nobody_by(visit: Visit, headers: RawHeaders) -> None:
    """Assert that these headers open no page and name no user."""
    site = visit().site
    for method in ("GET", "POST", "OPTIONS"):
        assert site.send(method, b"/private/page", headers).status == 401
        seen = json.loads(site.send(method, b"/public", headers).body)
        assert (seen["signed_in"], seen["sub"], seen["scopes"]) == (False, None, [])


def test_cve_2019_1010247_no_page_for_a_frame_runs_script(visit: Visit) -> None:
    """AD-03."""
    browser = visit()
    target = "/auth/frontchannel-logout?iss=<script>alert(1)</script>&sid=');alert(1)//"
    reply = browser.get(target, sec_fetch_dest="iframe")
    assert "alert" not in reply.text
    assert "default-src 'none'" in reply.get("content-security-policy")


def test_cve_2021_32785_no_key_of_the_store_is_written_by_a_stranger() -> None:
    """AD-05: what a callback or a sid says is hashed before it is part of a key."""
    stage = make_stage()
    crafted = "%s%n\r\nSET evil 1\r\n"
    stage.sign_in(sid=crafted)
    stage.go("/auth/logout")
    keys = [one.key for one in stage.hand.done if isinstance(one, Put | Add)]
    assert len(keys) > 2
    assert all(re.fullmatch(r"[A-Za-z0-9_:. -]{16,100}", key) for key in keys), keys


def test_cve_2021_32792_no_form_is_kept_over_a_sign_in(visit: Visit) -> None:
    """AD-08: so that none can be shown, or sent, afterwards."""
    browser = visit()
    reply = browser.post("/private/page", (("comment", "<script>alert(1)</script>"),))
    assert reply.status == 401
    assert "alert" not in f"{reply.headers!r}{reply.text}"
    browser.follow(browser.get("/private/page"))
    assert "alert" not in browser.get("/private/page").text + browser.jar.header("/")


def test_cve_2025_31492_nothing_of_a_protected_page_goes_along_with_the_redirect(
    visit: Visit,
) -> None:
    """AD-13, HL-10: the app behind it is not even called."""
    browser = visit()
    for headers in (NAVIGATION, FETCH):
        reply = browser.request("GET", "/private/page", headers)
        assert reply.status in (303, 401)
        assert "signed_in" not in reply.text
    assert browser.request("GET", "/private/page", NAVIGATION).body == b""


@pytest.mark.parametrize("name", IDENTITIES)
def test_cve_2017_6413_a_header_of_a_client_is_no_identity(name: bytes, visit: Visit) -> None:
    """AD-15 (CVE-2017-6062), HL-03, R9-12: on a page that needs nobody too."""
    nobody_by(visit, ((name, b"admin"),))


def test_cve_2021_21411_a_setting_that_nobody_knows_stops_the_start(provider: Provider) -> None:
    """AD-24: a restriction that was renamed is not passed over."""
    for name in ("PROTECTED_PATH", "ALLOWED_GROUPS", "EMAIL_DOMAINS"):
        with pytest.raises(SettingsError, match=f"INTASTELLAR_{name}"):
            protected(pages, environment(provider, **{name: "admins"}))


@pytest.mark.parametrize("query", ["?/public/", "?x=/public/page", "?next=/public/"])
def test_cve_2025_54576_a_query_opens_no_protected_path(query: str, visit: Visit) -> None:
    """AD-25."""
    browser = visit(PROTECTED_PATHS="*", PUBLIC_PATHS="/public/*")
    assert browser.request("GET", f"/admin{query}", FETCH).status == 401
    assert browser.request("GET", "/public/page", FETCH).status == 200


def test_cve_2025_64484_underscores_smuggle_no_identity(visit: Visit) -> None:
    """AD-26."""
    nobody_by(visit, ((b"x_forwarded_user", b"admin"), (b"X-Forwarded_User", b"admin")))


@pytest.mark.parametrize("agent", [b"GoogleHC/1.0", b"kube-probe/1.31", b"ELB-HealthChecker/2.0"])
def test_cve_2026_34457_a_user_agent_opens_no_protected_path(agent: bytes, visit: Visit) -> None:
    """AD-27."""
    nobody_by(visit, ((b"user-agent", agent),))


@pytest.mark.parametrize(
    "name", [b"x-forwarded-uri", b"x-original-url", b"x-rewrite-url", b"x-forwarded-path"]
)
def test_cve_2026_40575_a_forwarded_address_opens_no_protected_path(
    name: bytes, visit: Visit
) -> None:
    """AD-28."""
    nobody_by(visit, ((name, b"/public"), (b"x-forwarded-host", b"evil.example")))


@pytest.mark.parametrize("path", ["/admin#/public/", "/admin%23/public/", "/public%23/../admin"])
def test_cve_2026_41059_a_fragment_opens_no_protected_path(path: str, visit: Visit) -> None:
    """AD-29."""
    browser = visit(PROTECTED_PATHS="*", PUBLIC_PATHS="/public/*")
    assert browser.request("GET", path, FETCH).status == 401


def test_cve_2025_48947_no_answer_with_a_cookie_may_be_kept_by_a_cache(visit: Visit) -> None:
    """AD-37."""
    setting = [one for one in everything(visit()) if one.all("set-cookie")]
    assert setting
    assert {reply.get("cache-control") for reply in setting} == {"no-store"}


def test_cve_2022_31186_no_secret_is_in_a_log_at_any_level(visit: Visit, log: Log) -> None:
    """AD-80: the log is searched for every secret there was, see ``log``."""
    browser = visit(KEEP_TOKENS="true")
    everything(browser)
    browser.provider.script.claims = lambda given: {**given, "nonce": "another"}
    browser.sign_in()
    assert len(log.records) > 20
    assert browser.provider.secrets


def test_cve_2025_64762_a_page_for_one_visitor_is_not_kept_for_all(visit: Visit) -> None:
    """AD-86."""
    browser = visit()
    browser.sign_in()
    for path in ("/auth/user", "/auth/login", "/auth/logout", "/auth/callback"):
        assert browser.get(path).get("cache-control") == "no-store"


def test_cve_2026_44087_identity_headers_are_not_believed_by_default(visit: Visit) -> None:
    """AD-99: nor beside a session, whose user they do not change."""
    browser = visit()
    browser.sign_in()
    spoofed = {name.decode().lower(): "admin" for name in IDENTITIES}
    seen = json.loads(browser.request("GET", "/private/page", {**FETCH, **spoofed}).text)
    assert seen["sub"] == "alice"
    assert "admin" not in str(seen)


def test_cve_2025_65430_a_user_is_the_provider_s_name_and_not_one_that_changes() -> None:
    """AD-102 (CVE-2025-65431): accounts that are not active are in ``test_django_backend``."""
    before = User("alice-1", "https://id.example", {"preferred_username": "alice"})
    after = User("alice-1", "https://id.example", {"preferred_username": "alicia"})
    other = User("mallory-1", "https://id.example", {"preferred_username": "alice"})
    assert before == after
    assert (before.identity, other.identity) == ("alice-1", "mallory-1")
    assert before != other


def test_cve_2023_3128_an_email_is_no_identity() -> None:
    """AD-103."""
    alice = User("alice-1", "https://id.example", {"email": "alice@corp.example"})
    mallory = User("mallory-1", "https://id.example", {"email": "alice@corp.example"})
    elsewhere = User("alice-1", "https://evil.example", {"email": "alice@corp.example"})
    assert len({alice, mallory, elsewhere}) == 3
    assert "alice@corp.example" not in (alice.identity, mallory.identity)


def test_cve_2023_30861_a_page_that_sees_the_visitor_varies_by_cookie(visit: Visit) -> None:
    """AD-113 (CVE-2026-27205): signed in or not."""
    browser = visit()
    assert "cookie" in browser.get("/public").get("vary").lower()
    browser.sign_in()
    assert "cookie" in browser.get("/public").get("vary").lower()


def test_cve_2025_29927_no_header_makes_a_request_skip_the_middleware(visit: Visit) -> None:
    """AD-116."""
    nobody_by(visit, ((b"x-middleware-subrequest", b"middleware:middleware:middleware"),))


@pytest.mark.parametrize("scopes", [("admin",), ("read", "admin"), ("ADMIN",), ("administrator",)])
def test_cve_2018_7206_a_scope_that_only_looks_alike_lets_nobody_in(
    scopes: tuple[str, ...],
) -> None:
    """AD-118 (CVE-2020-26250, CVE-2022-31027): all of them, whole, and never a part of one."""
    alice = User("alice", "https://id.example")
    granted = Auth(("authenticated", "read", "superadmin", "admin2"))
    with pytest.raises(ScopeMissing):
        admit(alice, granted, scopes)
    assert admit(alice, granted, ("read", "superadmin")) is alice


def test_what_mod_auth_openidc_mended_in_2026_without_a_number_is_not_broken_here(
    refuses: Refuses,
) -> None:
    """AD-17: inflating, no iat, other sites' names, arrays for userinfo, two of a member."""
    refuses("jwe_with_bomb", "iat_missing", "userinfo_a_list", "two_iss", "sub_with_line_break")
