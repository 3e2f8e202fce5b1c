"""Every setting is read and means what it says; the documentation says the same."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from pydantic import SecretStr

from intastellar_auth import settings_table
from intastellar_auth.setting_sources import LISTS, variable
from intastellar_auth.settings import Settings
from tests.settings.making import HTTP, KEY, NO_ISSUER, OTHER_KEY, PEM, made, problems, set_least

FROM_ENVIRONMENT = [
    ("issuer", "https://id.example.com/tenant/", "https://id.example.com/tenant/"),
    ("authorization_endpoint", "https://id.example.com/a?x=1", "https://id.example.com/a?x=1"),
    ("token_endpoint", "https://id.example.com/t", "https://id.example.com/t"),
    ("jwks_uri", "https://id.example.com/j", "https://id.example.com/j"),
    ("userinfo_endpoint", "http://127.8.0.1:1/u", "http://127.8.0.1:1/u"),
    ("end_session_endpoint", "http://[::1]:9/e", "http://[::1]:9/e"),
    ("revocation_endpoint", "https://id.example.com/r", "https://id.example.com/r"),
    (
        *("pushed_authorization_request_endpoint", "https://id.example.com/p"),
        "https://id.example.com/p",
    ),
    ("pushed_authorization_requests", "true", True),
    ("client_id", "id with space", "id with space"),
    ("token_endpoint_auth_method", "none", "none"),
    ("scope", "openid email", "openid email"),
    ("response_mode", "form_post", "form_post"),
    (
        "authorization_params",
        '{"prompt": "login", "max_age": 60, "x": true, "y": 1.5}',
        {"prompt": "login", "max_age": "60", "x": "true", "y": "1.5"},
    ),
    (
        "authorization_params",
        '{"claims": {"userinfo": {"a": null}, "id_token": {"b": {"essential": true}}}}',
        {"claims": '{"userinfo":{"a":null},"id_token":{"b":{"essential":true}}}'},
    ),
    ("authorization_params", '{"claims": "{ }"}', {"claims": "{}"}),
    ("base_url", "HTTPS://WWW.Example.com/App/", "https://www.example.com/App"),
    ("path_prefix", "/sign/in", "/sign/in"),
    ("protected_paths", "/admin/*, *.pdf,", ("/admin/*", "*.pdf")),
    ("protected_paths", "", ()),
    ("landing_path", "/home?a=b#c", "/home?a=b#c"),
    ("post_logout_path", "/bye", "/bye"),
    ("session_mode", "server", "server"),
    ("session_lifetime", "100000", 100_000),
    ("session_idle", "1", 1),
    ("cookie_domain", ".Example.com", "example.com"),
    ("cookie_name", "__Host-x", "__Host-x"),
    ("cookie_name", "__Host-Http-x", "__Host-Http-x"),
    ("cookie_samesite", "Strict", "strict"),
    ("cookie_samesite", "none", "none"),
    ("claims", "name,email", ("name", "email")),
    ("claims", "", ()),
    ("keep_tokens", "true", True),
    ("session_needs_tokens", "true", True),
    ("store_url", "sqlite:///dev/auth.db", SecretStr("sqlite:///dev/auth.db")),
    ("store_url", "memory://", SecretStr("memory://")),
    (
        "store_url",
        "rediss://:hunter2@redis.example:1/2",
        SecretStr("rediss://:hunter2@redis.example:1/2"),
    ),
    ("store_url", "redis+sentinel://a,b/site", SecretStr("redis+sentinel://a,b/site")),
    ("store_url", "redis+cluster://a,b", SecretStr("redis+cluster://a,b")),
    ("replay_window", "1", 1),
    ("login_timeout", "1", 1),
    ("revocation_check", "0", 0),
    ("store_grace", "0", 0),
    ("idp_logout", "no", False),
    ("client_cookies", "", ()),
    ("client_cookies", "a,b", ("a", "b")),
    ("clock_skew", "0", 0),
    ("http_timeout", "2.5", 2.5),
    ("log_claims", "1", True),
]


@pytest.mark.parametrize(("name", "text", "value"), FROM_ENVIRONMENT)
def test_every_setting_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    set_least(monkeypatch)
    monkeypatch.setenv(variable(name), text)
    assert getattr(Settings(), name) == value


def test_the_list_above_misses_no_setting() -> None:
    elsewhere = {"client_secret", "client_private_key", "secret_keys", "public_paths"}
    tested = {name for name, _, _ in FROM_ENVIRONMENT}
    assert tested | elsewhere == set(Settings.model_fields)


def test_secrets_and_dependent_settings_are_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_least(monkeypatch)
    monkeypatch.setenv("INTASTELLAR_SECRET_KEYS", f"{KEY}, {OTHER_KEY}")
    monkeypatch.setenv("INTASTELLAR_CLIENT_SECRET", "s3cret")
    monkeypatch.setenv("INTASTELLAR_PROTECTED_PATHS", "*")
    monkeypatch.setenv("INTASTELLAR_PUBLIC_PATHS", "/a,/b/*")
    site = Settings()
    assert [key.get_secret_value() for key in site.secret_keys] == [KEY, OTHER_KEY]
    assert site.client_secret is not None
    assert site.client_secret.get_secret_value() == "s3cret"
    assert site.public_paths == ("/a", "/b/*")
    monkeypatch.delenv("INTASTELLAR_CLIENT_SECRET")
    monkeypatch.setenv("INTASTELLAR_CLIENT_PRIVATE_KEY", PEM)
    key = Settings().client_private_key
    assert key is not None
    assert key.get_secret_value() == PEM


def test_arguments_may_be_sequences() -> None:
    site = made(secret_keys=[KEY, OTHER_KEY], claims=("a",), authorization_params={"max_age": 0})
    assert len(site.secret_keys) == 2
    assert site.claims == ("a",)
    assert site.authorization_params == {"max_age": "0"}


@pytest.mark.parametrize(
    ("given", "resource"),
    [
        ({}, ()),
        ('{"resource": "https://api.example/v1?a=b"}', ("https://api.example/v1?a=b",)),
        ('{"resource": ["urn:a", "https://b"]}', ("urn:a", "https://b")),
        ({"resource": ("urn:a", "urn:b")}, ("urn:a", "urn:b")),
    ],
)
def test_a_resource_is_one_or_several(given: object, resource: tuple[str, ...]) -> None:
    """RFC 8707 section 2."""
    assert made(authorization_params=given).resource == resource


@pytest.mark.parametrize(
    ("values", "redirect_uri", "origin", "base_path"),
    [
        ({}, "https://www.example.com/auth/callback", "https://www.example.com", ""),
        (
            {"base_url": "https://A.example:443/x/y/", "path_prefix": "/in"},
            "https://a.example:443/x/y/in/callback",
            "https://a.example",
            "/x/y",
        ),
        (
            {"base_url": "http://[0:0::1]:80"},
            "http://[::1]:80/auth/callback",
            "http://[::1]",
            "",
        ),
        (
            {"base_url": "http://127.0.0.1:8000/"},
            "http://127.0.0.1:8000/auth/callback",
            "http://127.0.0.1:8000",
            "",
        ),
    ],
)
def test_the_site_s_addresses_come_from_base_url(
    values: dict[str, object], redirect_uri: str, origin: str, base_path: str
) -> None:
    site = made(**values)
    assert (site.redirect_uri, site.origin, site.base_path) == (redirect_uri, origin, base_path)
    assert site.secure is redirect_uri.startswith("https")
    assert site.landing_path == site.post_logout_path == f"{base_path}/"


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "__Host-intastellar"),
        (HTTP, "intastellar"),
        ({"cookie_domain": "example.com"}, "__Secure-intastellar"),
        ({"cookie_domain": "www.example.com", "cookie_name": "mine"}, "mine"),
    ],
)
def test_the_cookie_has_the_strictest_name_that_browsers_keep(
    values: dict[str, object], name: str
) -> None:
    """CK-01, CK-03."""
    assert made(**values).cookie_name == name


def test_a_short_lifetime_shortens_the_idle_time_unless_that_is_set() -> None:
    assert made(session_lifetime=60).session_idle == 60
    assert made().session_idle == 86_400
    assert "INTASTELLAR_SESSION_IDLE: must not" in problems(session_lifetime=60, session_idle=61)


ENDPOINTS = ("authorization_endpoint", "token_endpoint")


def test_discovery_is_for_what_is_not_set() -> None:
    explicit = {name: NO_ISSUER[name] for name in ENDPOINTS}
    assert made().discovers
    assert made(**explicit).discovers
    assert not made(**explicit, jwks_uri="https://id.example.com/jwks").discovers
    assert made(**explicit, scope="email").discovers
    assert not made(**{**NO_ISSUER, "issuer": "https://id.example.com"}).discovers
    assert not made(**NO_ISSUER).discovers


def test_discovery_is_for_where_to_push_to_as_well() -> None:
    """PA-01."""
    explicit = {**NO_ISSUER, "issuer": "https://id.example.com"}
    assert made(**explicit, pushed_authorization_requests=True).discovers
    endpoint = {"pushed_authorization_request_endpoint": "https://id.example.com/par"}
    assert not made(**explicit, **endpoint, pushed_authorization_requests=True).discovers
    assert not made(**explicit, **endpoint).discovers
    assert not made(**NO_ISSUER, **endpoint, pushed_authorization_requests=True).discovers


def test_a_registration_without_openid_needs_no_issuer() -> None:
    site = made(**NO_ISSUER)
    assert not site.openid
    assert site.issuer_or_origin == "https://id.example.com"
    assert made().openid
    assert made().issuer_or_origin == "https://id.example.com"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        made().client_id = "other"


def test_the_documented_table_is_the_class() -> None:
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    begin, end = (
        "<!-- table: python -m intastellar_auth.settings_table -->\n",
        "<!-- end of table -->",
    )
    table = page.partition(begin)[2].partition(end)[0]
    assert table == settings_table.markdown()
    assert all(field.description for field in Settings.model_fields.values())
    assert set(LISTS) < set(Settings.model_fields)


def test_the_table_prints_itself(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(settings_table.__file__, run_name="__main__")
    assert capsys.readouterr().out == settings_table.markdown()
