"""What is wrong is refused, each with its variable and the reason."""

from __future__ import annotations

import pytest

from intastellar_auth.setting_sources import variable
from tests.settings.making import HTTP, KEY, NO_ISSUER, OTHER_KEY, PEM, made, problems

BAD_URLS = [
    *("www.example.com", "ftp://www.example.com", "https://", "https:///x", "//www.example.com"),
    *("https://user:pw@www.example.com", "https://@www.example.com", "https://www.example.com:"),
    *("https://www.example.com:port", "https://www.example.com:99999", "https://a b.example"),
    *("https://www.example.com\\x", "https://w\u00fc.example", "https://a..example", "https://-a"),
    *("https://a.example.", "https://127.1", "https://0x7f.1", "https://2130706433", "https://[x"),
    *("https://[v1.a]", "https://[v1.a:b]", "https://[fe80::1%25eth0]", "https://1.2.3.4.5"),
    *("http://www.example.com", "http://localhost.example", "http://127.0.0.1.example"),
    *("https://a_.b\n", "https://256.1.1.1", "https://www.example.com#", "https://w.example/#x"),
]


@pytest.mark.parametrize("text", BAD_URLS)
@pytest.mark.parametrize("name", ["issuer", "token_endpoint", "base_url"])
def test_a_url_that_is_not_safe_or_not_plain_is_refused(name: str, text: str) -> None:
    """DJ-03."""
    assert f"{variable(name)}: " in problems(**{name: text})


REFUSED: list[tuple[str, object, str]] = [
    ("issuer", "https://id.example.com/?x", "query"),
    ("issuer", "https://id.example.com?", "query"),
    ("issuer", "https://id.example.com/.well-known/openid-configuration", "'/.well-known' on"),
    ("base_url", "https://www.example.com?", "query"),
    ("base_url", "https://www.example.com/auth/", "ends in PATH_PREFIX or /callback"),
    ("base_url", "https://www.example.com/auth/callback", "ends in PATH_PREFIX or /callback"),
    ("base_url", "https://www.example.com//", "slashes"),
    ("base_url", "https://www.example.com/a%2fb", "slashes"),
    ("base_url", "https://www.example.com/../b", "slashes"),
    ("client_id", "", "is empty"),
    ("client_id", "a\nb", "line break"),
    ("client_id", " a", "space"),
    ("client_id", 5, "must be a valid string"),
    ("client_id", None, "must be a valid string"),
    ("client_secret", "pass\u00e9", "ASCII"),
    ("client_private_key", "not a key", "key"),
    ("token_endpoint_auth_method", "client_secret_jwt", "must be 'client_secret_basic'"),
    ("scope", "openid  email", "single spaces"),
    ("scope", ' openid"', "single spaces"),
    ("response_mode", "fragment", "must be 'query'"),
    ("authorization_params", "{", "JSON"),
    ("authorization_params", "[" * 100_000, "JSON"),
    ("authorization_params", "[]", "JSON object"),
    ("authorization_params", 5, "JSON object"),
    ("authorization_params", '{"a": null}', "neither"),
    ("authorization_params", '{"a": ["b"]}', "neither"),
    ("authorization_params", {"a": float("inf")}, "neither"),
    ("authorization_params", '{"state": "x", "nonce": "y"}', "nonce, state"),
    ("authorization_params", '{"max_age": "soon"}', "max_age"),
    ("authorization_params", '{"max_age": -1}', "max_age"),
    ("authorization_params", '{"prompt": "none", "max_age": 0}', "never succeed"),
    ("authorization_params", '{"a\\n": "x"}', "control"),
    ("authorization_params", '{"claims": "{"}', "JSON"),
    ("authorization_params", '{"claims": []}', "userinfo or id_token"),
    ("authorization_params", '{"claims": null}', "userinfo or id_token"),
    ("authorization_params", '{"claims": {"email": null}}', "userinfo or id_token"),
    ("authorization_params", '{"claims": {"id_token": null}}', "userinfo or id_token"),
    ("authorization_params", '{"claims": {"userinfo": ["email"]}}', "userinfo or id_token"),
    ("authorization_params", '{"claims": {"userinfo": {"email": true}}}', "null nor an object"),
    ("authorization_params", '{"claims": {"userinfo": {"a": {"value": NaN}}}}', "cannot say"),
    ("authorization_params", '{"claims": {"id_token": {"acr": {"essential": 1}}}}', "essential"),
    ("authorization_params", '{"claims": {"id_token": {"acr": {"values": "mfa"}}}}', "no list"),
    ("authorization_params", {"claims": {"id_token": {"a": {"value": b""}}}}, "cannot say"),
    ("authorization_params", '{"resource": 7}', "absolute URI"),
    ("authorization_params", '{"resource": []}', "absolute URI"),
    ("authorization_params", '{"resource": ["urn:a", 7]}', "absolute URI"),
    ("authorization_params", '{"resource": ""}', "absolute URI"),
    ("authorization_params", '{"resource": "/path"}', "absolute URI"),
    ("authorization_params", '{"resource": "//host/path"}', "absolute URI"),
    ("authorization_params", '{"resource": "https://a.example/#part"}', "without a fragment"),
    ("authorization_params", '{"resource": "urn:a urn:b"}', "absolute URI"),
    ("authorization_params", '{"resource": ["urn:a", "urn:\\n"]}', "absolute URI"),
    ("authorization_params", '{"": "x"}', "without a name"),
    ("authorization_params", '{"a": "\\ud800"}', "control"),
    ("path_prefix", "auth", "begin with a slash"),
    ("path_prefix", "/", "begin with a slash"),
    ("path_prefix", "/auth/", "begin with a slash"),
    ("path_prefix", "/a//b", "slashes"),
    ("path_prefix", "/a/../b", "slashes"),
    ("path_prefix", "/a%20b", "slashes"),
    ("secret_keys", "", "is empty"),
    ("secret_keys", [], "is empty"),
    ("secret_keys", "k" * 31, "32 characters; make a key with python -c"),
    ("secret_keys", f"{KEY},short", "entry 2 is shorter"),
    ("secret_keys", "change-me-" + KEY, "placeholder"),
    ("secret_keys", "YOUR_SECRET_" + KEY, "placeholder"),
    ("secret_keys", f"{KEY},{KEY}", "twice"),
    ("secret_keys", f"{KEY}\n{OTHER_KEY}", "commas"),
    ("secret_keys", 5, "must be a valid tuple"),
    ("protected_paths", "admin", "begin with"),
    ("protected_paths", "/a//b", "decoded"),
    ("protected_paths", "/a%20b", "decoded"),
    ("protected_paths", ["/a/../b", "/c/."], "entry 2"),
    ("public_paths", "/public/*", "PROTECTED_PATHS"),
    ("landing_path", "//evil", "path on this site"),
    ("landing_path", "/auth/login", "outside /auth"),
    ("post_logout_path", "https://www.example.com/", "path on this site"),
    ("session_mode", "redis", "must be 'cookie' or 'server'"),
    ("session_lifetime", "0", "must be greater than or equal to 1"),
    ("session_lifetime", "1e99", "must be"),
    ("session_lifetime", "34560001", "must be less"),
    ("session_idle", "0.5", "must be"),
    ("cookie_domain", "com", "bare name"),
    ("cookie_domain", "", "is empty"),
    ("cookie_domain", "other.example", "parent domain"),
    ("cookie_domain", "ww.example.com", "parent domain"),
    ("cookie_name", "a;b", "RFC 6265"),
    ("cookie_name", "a\r\nb", "RFC 6265"),
    ("cookie_name", "a" * 65, "RFC 6265"),
    ("cookie_name", "__host-x", "write __Host-"),
    ("cookie_name", "__SECURE-x", "write __Secure-"),
    ("cookie_samesite", "maybe", "must be 'lax', 'strict' or 'none'"),
    ("cookie_samesite", 5, "must be 'lax', 'strict' or 'none'"),
    ("claims", "na\x00me", "claim"),
    ("claims", [""], "claim"),
    ("claims", [5], "must be a valid string"),
    ("session_needs_tokens", "sometimes", "must be true or false"),
    ("store_grace", "-1", "greater than or equal to 0"),
    ("keep_tokens", "maybe", "must be true or false"),
    ("pushed_authorization_request_endpoint", "http://id.example.com/par", "https"),
    ("log_claims", [], "must be true or false"),
    ("pushed_authorization_requests", "maybe", "must be true or false"),
    ("store_url", "redis://", "is not a Redis address"),
    ("store_url", "redis://:hunter2@", "percent-encoded"),
    ("store_url", "rediss://localhost:port", "host or port"),
    ("store_url", "REDIS://localhost", "is not a Redis address"),
    ("store_url", "redis+sentinel://localhost", "names no service"),
    ("store_url", "sqlite://relative", "absolute path"),
    ("store_url", "sqlite:///", "absolute path"),
    ("store_url", "sqlite:///a?mode=ro", "absolute path"),
    ("store_url", "postgres://x", "redis+cluster://"),
    ("store_url", "sqlite:///dev", "names a folder; add a file's name"),
    ("store_url", "sqlite:///dev/no-such-folder/store.db", "folder that is not there"),
    ("store_url", "sqlite:///dev/%00/store.db", "folder that is not there"),
    ("replay_window", "0", "must be"),
    ("login_timeout", "0", "must be"),
    ("revocation_check", "-1", "must be"),
    ("idp_logout", "perhaps", "must be true or false"),
    ("client_cookies", "a b", "entry 1"),
    ("clock_skew", "301", "must be"),
    ("http_timeout", "nan", "must be"),
    ("log_claims", "", "is empty"),
]


@pytest.mark.parametrize(("name", "value", "reason"), REFUSED)
def test_a_wrong_value_is_refused_with_its_name_and_the_reason(
    name: str, value: object, reason: str
) -> None:
    """CF-S02, CK-02, CK-13, CK-18, DJ-03."""
    lines = problems(**{name: value}).splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"{variable(name)}: ")
    assert reason in lines[1]


TOGETHER: list[tuple[dict[str, object], str, str]] = [
    ({"issuer": None}, "issuer", "ID token"),
    ({"issuer": None, "scope": "email"}, "issuer", "AUTHORIZATION_ENDPOINT and TOKEN_ENDPOINT"),
    ({**NO_ISSUER, "userinfo_endpoint": None}, "issuer", "set USERINFO_ENDPOINT"),
    ({**NO_ISSUER, "scope": "openid"}, "issuer", "remove openid"),
    (
        {**NO_ISSUER, "pushed_authorization_requests": True},
        "pushed_authorization_requests",
        "set PUSHED_AUTHORIZATION_REQUEST_ENDPOINT",
    ),
    ({"token_endpoint_auth_method": "client_secret_post"}, "token_endpoint_auth_method", "SECRET"),
    ({"token_endpoint_auth_method": "private_key_jwt"}, "token_endpoint_auth_method", "_KEY"),
    (
        {"token_endpoint_auth_method": "none", "client_secret": "x"},
        "token_endpoint_auth_method",
        "does not use CLIENT_SECRET",
    ),
    (
        {"token_endpoint_auth_method": "none", "client_private_key": PEM},
        "token_endpoint_auth_method",
        "does not use CLIENT_PRIVATE_KEY",
    ),
    ({"client_secret": "x", "client_private_key": PEM}, "client_secret", "CLIENT_PRIVATE_KEY too"),
    (
        {"base_url": "https://www.example.com/app/sign/in", "path_prefix": "/sign/in"},
        "base_url",
        "PATH_PREFIX",
    ),
    ({**HTTP, "cookie_name": "__Host-x"}, "cookie_name", "https"),
    ({**HTTP, "cookie_name": "__Secure-x"}, "cookie_name", "https"),
    ({**HTTP, "cookie_samesite": "none"}, "cookie_samesite", "https"),
    ({**HTTP, "cookie_domain": "a.localhost"}, "cookie_domain", "parent domain"),
    ({"base_url": "http://127.0.0.1", "cookie_domain": "0.1"}, "cookie_domain", "IP address"),
    ({"base_url": "https://[::1]", "cookie_domain": "a.b"}, "cookie_domain", "IP address"),
    ({"cookie_domain": "example.com", "cookie_name": "__Host-x"}, "cookie_name", "COOKIE_DOMAIN"),
    (
        {"base_url": "https://a.example/app", "landing_path": "/app/auth/login"},
        "landing_path",
        "outside /app/auth",
    ),
]


@pytest.mark.parametrize(("values", "name", "reason"), TOGETHER)
def test_settings_that_do_not_go_together_are_refused(
    values: dict[str, object], name: str, reason: str
) -> None:
    """CK-03."""
    lines = problems(**values).splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"{variable(name)}: ")
    assert reason in lines[1]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_secret_goes_with_the_methods_that_use_it(method: str) -> None:
    assert made(client_secret="x", token_endpoint_auth_method=method).client_secret is not None


def test_a_private_key_goes_with_private_key_jwt() -> None:
    site = made(client_private_key=PEM, token_endpoint_auth_method="private_key_jwt")
    assert site.client_private_key is not None
