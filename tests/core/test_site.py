"""A site is made ready once: names, keys, endpoints and paths follow from the settings."""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core.in_cookie import InCookie
from intastellar_auth.core.seal import to_text
from intastellar_auth.core.site import make_site
from intastellar_auth.errors import SealBroken
from intastellar_auth.oidc.discovery import Metadata

from .parts import KEY, NOW, OTHER_KEY, make_settings, site

if TYPE_CHECKING:
    from intastellar_auth.core.seal import Sealer
    from intastellar_auth.core.site import Site

PEM = (
    generate_private_key(SECP256R1())
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)
PURPOSES = ("session", "login", "state", "hint", "landing", "proof")
FOUND = Metadata(
    issuer="https://id.example.com",
    authorization_endpoint="https://id.example.com/authorize",
    token_endpoint="https://id.example.com/token",
    jwks_uri="https://id.example.com/jwks",
    userinfo_endpoint="https://id.example.com/userinfo",
    end_session_endpoint=None,
    revocation_endpoint=None,
    pushed_authorization_request_endpoint=None,
    require_pushed_authorization_requests=False,
    token_endpoint_auth_methods=("client_secret_basic",),
    id_token_signing_algs=("ES256",),
    code_challenge_methods=("S256",),
    iss_parameter_supported=True,
)


@pytest.mark.parametrize(
    ("values", "session", "login", "hint"),
    [
        ({}, "__Host-intastellar", "__Host-intastellar-login-", "__Secure-intastellar-hint"),
        (
            {"cookie_domain": "example.com"},
            *("__Secure-intastellar", "__Host-intastellar-login-", "__Secure-intastellar-hint"),
        ),
        ({"cookie_name": "app"}, "app", "__Host-app-login-", "__Secure-app-hint"),
        (
            {"base_url": "http://localhost:8000"},
            *("intastellar", "intastellar-login-", "intastellar-hint"),
        ),
    ],
)
def test_each_cookie_has_the_strictest_prefix_that_browsers_keep(
    values: dict[str, object], session: str, login: str, hint: str
) -> None:
    """CK-01, CK-02, CK-03."""
    here = site(**values)
    secure = here.settings.secure
    assert (here.sessions.name, here.attempts.prefix, here.hints.name) == (session, login, hint)
    for attributes in (here.sessions.attributes, here.attempts.attributes, here.hints.attributes):
        assert attributes.secure is secure
        assert attributes.http_only
        assert attributes.same_site == "lax"


def test_only_the_session_is_shared_with_a_domain() -> None:
    """CK-01."""
    here = site(cookie_domain="example.com", cookie_samesite="strict")
    assert here.sessions.attributes.domain == "example.com"
    assert here.hints.attributes == replace(
        here.sessions.attributes, path="/auth/logout", domain=None
    )
    assert here.attempts.attributes.domain is None
    # A Strict login cookie would not come back from the provider.
    assert here.attempts.attributes.same_site == "lax"
    assert here.attempts.attributes.path == here.sessions.attributes.path == "/"


@pytest.mark.parametrize("base_url", ["https://www.example.com", "http://localhost:8000"])
def test_a_posted_response_needs_a_cookie_that_travels_with_it(base_url: str) -> None:
    """CK-22: browsers take ``SameSite=None`` only with ``Secure``."""
    here = site(response_mode="form_post", base_url=base_url)
    assert here.attempts.attributes.same_site == "none"
    assert here.attempts.attributes.secure
    assert here.sessions.attributes.same_site == "lax"


def test_times_follow_from_the_settings() -> None:
    here = site(session_lifetime=1000, session_idle=500, login_timeout=60, replay_window=30)
    assert (here.sessions.lifetime, here.sessions.idle, here.sessions.roll_after) == (1000, 500, 50)
    assert (here.attempts.timeout, here.attempts.window, here.hints.max_age) == (60, 30, 1000)


def sealers(here: Site) -> dict[str, Sealer]:
    """Return all sealers of a site by what they are for."""
    attempts = here.attempts
    keeper = here.sessions.keeper
    assert isinstance(keeper, InCookie)
    cookies = (keeper.sealer, attempts.cookie_sealer, attempts.state_sealer)
    others = (here.hints.sealer, here.landings, here.proofs)
    return dict(zip(PURPOSES, cookies + others, strict=True))


def opens(by: Sealer, sealed: bytes) -> bool:
    """Return whether ``by`` opens what was ``sealed``."""
    try:
        return by.open(sealed) == b"value"
    except SealBroken:
        return False


def test_what_is_sealed_for_one_purpose_opens_for_no_other() -> None:
    """CB-26, CK-13, AD-82 (CVE-2023-48309)."""
    all_ = sealers(site())
    for one, other in product(all_, all_):
        assert opens(all_[other], all_[one].seal(b"value")) is (one == other), (one, other)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize(
    "values",
    [
        {"issuer": "https://id.example.org"},
        {"client_id": "another"},
        {"secret_keys": OTHER_KEY.decode()},
    ],
    ids=["provider", "client", "key"],
)
def test_what_one_site_seals_opens_at_no_other(values: dict[str, object], purpose: str) -> None:
    """CB-25, AD-84 (CVE-2026-73419): nor with another provider or client at the same site."""
    ours, theirs = (sealers(each)[purpose] for each in (site(), site(**values)))
    assert not opens(theirs, ours.seal(b"value"))


@pytest.mark.parametrize("purpose", ["session", "login", "hint"])
def test_what_is_sealed_under_one_name_opens_under_no_other(purpose: str) -> None:
    """CK-08."""
    ours, theirs = (sealers(each)[purpose] for each in (site(), site(cookie_name="__Host-other")))
    assert not opens(theirs, ours.seal(b"value"))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_process_of_a_site_opens_what_another_sealed(purpose: str) -> None:
    """CK-12: while keys are rotated as well."""
    one, other = site(), site(secret_keys=f"{OTHER_KEY.decode()},{KEY.decode()}")
    sealed = sealers(one)[purpose].seal(b"value")
    assert opens(sealers(site())[purpose], sealed)
    assert opens(sealers(other)[purpose], sealed)
    assert not opens(sealers(one)[purpose], sealers(other)[purpose].seal(b"value"))


def test_clock_and_chance_are_the_machine_s_own_unless_others_are_given() -> None:
    """TM-03."""
    here = make_site(make_settings())
    assert here.clock is time.time
    assert here.token_bytes is secrets.token_bytes
    given_ = make_site(make_settings(), clock=lambda: NOW, token_bytes=bytes)
    assert given_.clock() == given_.provider.clock() == NOW
    assert given_.attempts.begin("/", NOW, 0)[0].id == bytes(16)


@pytest.mark.parametrize(
    ("values", "method"),
    [
        ({}, "none"),
        ({"client_secret": "secret"}, "client_secret_basic"),
        ({"client_private_key": PEM}, "private_key_jwt"),
        (
            {"client_secret": "secret", "token_endpoint_auth_method": "client_secret_post"},
            "client_secret_post",
        ),
    ],
)
def test_a_client_proves_itself_with_what_it_has(values: dict[str, object], method: str) -> None:
    here = site(**values)
    client = here.client(FOUND)
    assert (client.client_id, client.method) == ("my-site", method)
    assert client.secret == values.get("client_secret")
    assert client.private_key is here.private_key
    assert (here.private_key is None) is ("client_private_key" not in values)


def test_without_discovery_a_secret_goes_into_the_body() -> None:
    """As the documentation of Intastellar has it."""
    client = site(client_secret="secret").client(replace(FOUND, token_endpoint_auth_methods=()))
    assert client.method == "client_secret_post"


def test_the_settings_stand_over_what_discovery_finds() -> None:
    here = site(
        token_endpoint="https://id.example.com/other", end_session_endpoint="https://a.example/"
    )
    assert here.provider.discovery_issuer == "https://id.example.com"
    assert here.provider.said(FOUND) == replace(
        FOUND,
        token_endpoint="https://id.example.com/other",
        end_session_endpoint="https://a.example/",
    )


@pytest.mark.parametrize("issuer", [None, FOUND.issuer])
def test_without_discovery_the_settings_say_it_all(issuer: str | None) -> None:
    here = site(
        issuer=issuer,
        scope="profile",
        authorization_endpoint=FOUND.authorization_endpoint,
        token_endpoint=FOUND.token_endpoint,
        userinfo_endpoint=FOUND.userinfo_endpoint,
    )
    flow = here.provider.metadata()
    with pytest.raises(StopIteration) as returned:
        next(flow)
    assert returned.value.value == replace(
        FOUND,
        issuer=issuer,
        jwks_uri=None,
        token_endpoint_auth_methods=(),
        id_token_signing_algs=(),
        code_challenge_methods=None,
        iss_parameter_supported=False,
    )


@pytest.mark.parametrize(("log_claims", "warnings"), [(False, 0), (True, 1)])
def test_claims_in_the_log_are_warned_of(
    log_claims: bool, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A check that is left out takes a setting, and is said aloud."""
    site(log_claims=log_claims)
    found = [r for r in caplog.records if "claims_are_logged" in r.getMessage()]
    assert [record.levelno for record in found] == [logging.WARNING] * warnings


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=60))
def test_a_way_back_survives_the_login_url(rest: str) -> None:
    """HL-01: whatever stands in it."""
    url = site().login_url("/" + rest)
    assert parse_qs(urlsplit(url).query)["next"] == ["/" + rest]
    assert urlsplit(url).path == "/auth/login"
    assert urlsplit(url).fragment == ""


def test_a_site_below_a_path_keeps_to_it() -> None:
    here = site(base_url="https://www.example.com/shop", path_prefix="/sign")
    assert here.prefix == "/shop/sign"
    assert here.home == here.landing == here.after_logout == "/shop/"
    assert here.login_url("/shop/a") == "/shop/sign/login?next=/shop/a"
    assert here.hints.attributes.path == "/shop/sign/logout"
    assert here.return_path("/shop/sign/login", "/default") == "/default"
    assert here.return_path("//evil.example", "/default") == "/default"
    assert here.return_path("/shop/a?b#c", "/default") == "/shop/a?b#c"
    assert here.return_path(None, "/default") == "/default"


@pytest.mark.parametrize(
    ("base", "path", "app_path"),
    [
        ("", "/a/b?c#d", "/a/b"),
        ("", "/", "/"),
        ("", "/%61dmin#x?y", "/admin"),
        ("/shop", "/shop/a?b", "/a"),
        ("/shop", "/shop/", "/"),
        ("/shop", "/shop", "/"),
        ("/shop", "/shopping/cart", "/shopping/cart"),
        ("/shop", "/other", "/other"),
    ],
)
def test_a_path_is_known_as_the_app_itself_knows_it(base: str, path: str, app_path: str) -> None:
    assert site(base_url=f"https://www.example.com{base}").app_path(path) == app_path


def test_the_path_rules_are_compiled_once_from_both_lists() -> None:
    rules = site(protected_paths="/admin/*", public_paths="/admin/help").rules
    assert rules.needs_user("/admin/users")
    assert not rules.needs_user("/admin/help")
    assert not rules.needs_user("/")


@pytest.mark.parametrize(
    ("name", "secret"), [("client_secret", "a-secret"), ("client_private_key", PEM)]
)
def test_a_site_shows_no_secret(name: str, secret: str) -> None:
    """TM-05."""
    shown = repr(site(**{name: secret}))
    for part in (KEY.decode(), KEY.hex(), to_text(KEY), *secret.splitlines()):
        assert part not in shown
