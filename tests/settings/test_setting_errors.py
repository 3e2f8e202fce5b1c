"""One error for all problems, no secret in it, and never another exception."""

from __future__ import annotations

import copy
import pickle
import re
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intastellar_auth.errors import SettingsError
from intastellar_auth.setting_sources import variable
from intastellar_auth.settings import Settings
from tests.settings.making import KEY, LEAST, OTHER_KEY, PEM, made, problems, set_least


def test_all_problems_are_reported_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTASTELLAR_BASE_URL", "http://www.example.com")
    monkeypatch.setenv("INTASTELLAR_SECRET_KEYS", "short")
    monkeypatch.setenv("INTASTELLAR_CLAIM", "name")
    monkeypatch.setenv("INTASTELLAR_COOKIE_NAME", "__host-x")
    monkeypatch.setenv("INTASTELLAR_CLIENT_SECRET", "x")
    monkeypatch.setenv("INTASTELLAR_TOKEN_ENDPOINT_AUTH_METHOD", "none")
    with pytest.raises(SettingsError) as caught:
        Settings(clock_skw=1, http_timeout=0)
    heading, *lines = caught.value.detail.splitlines()
    assert heading == "9 settings are wrong:"
    assert [line.partition(":")[0] for line in lines] == [
        "INTASTELLAR_CLAIM",
        "clock_skw",
        "INTASTELLAR_CLIENT_ID",
        "INTASTELLAR_TOKEN_ENDPOINT_AUTH_METHOD",
        "INTASTELLAR_ISSUER",
        "INTASTELLAR_BASE_URL",
        "INTASTELLAR_SECRET_KEYS",
        "INTASTELLAR_COOKIE_NAME",
        "INTASTELLAR_HTTP_TIMEOUT",
    ]


def test_a_wrong_setting_causes_no_second_complaint() -> None:
    text = problems(client_secret="\n", token_endpoint_auth_method="none", base_url="x")
    assert text.startswith("2 settings are wrong:")
    text = problems(issuer="x", base_url="y", cookie_domain="a.b", cookie_name="__Secure-x")
    assert text.startswith("2 settings are wrong:")
    text = problems(
        session_lifetime="x", path_prefix="/", landing_path="/x", cookie_samesite="none"
    )
    assert text.startswith("2 settings are wrong:")


def test_no_secret_shows_anywhere() -> None:
    """TM-05."""
    site = made(
        client_secret="s3cret-of-the-client",
        secret_keys=[KEY, OTHER_KEY],
        store_url="redis://:s3cret-of-the-store@localhost",
    )
    shown = [repr(site), str(site), site.model_dump_json(), repr(site.model_dump()), f"{site}"]
    for secret in ("s3cret-of-the-client", "s3cret-of-the-store", KEY, OTHER_KEY):
        assert not any(secret in text for text in shown)
    for made_again in (copy.copy(site), copy.deepcopy(site)):
        assert made_again == site
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(site)


MARK = "hunter2-MARK-"


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_an_error_never_shows_what_was_given(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """TM-05: a secret may stand in the wrong variable."""
    set_least(monkeypatch)
    monkeypatch.setenv("INTASTELLAR_HTTP_TIMEOUT", "0")
    for text in (
        f"\u00e9 {MARK}",
        MARK,
        f"-----BEGIN PRIVATE KEY-----\n{MARK}",
        f'{{"{MARK}": []}}',
    ):
        monkeypatch.setenv(variable(name), text)
        with pytest.raises(SettingsError) as caught:
            Settings(claims=[MARK + "\n"])
        shown = "".join(traceback.format_exception(caught.value))
        assert MARK not in shown
        assert caught.value.__context__ is None


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
PLAUSIBLE = st.sampled_from(
    [
        *(
            "",
            "0",
            "1",
            "-1",
            "true",
            "none",
            "https://a.example",
            "http://[::1",
            "https://[v1.a]:1",
        ),
        *(
            "{}",
            "[]",
            '{"a":1}',
            "*",
            "/a,/b",
            "__Host-x",
            "openid",
            "a.example",
            "\udcff",
            KEY,
            PEM,
        ),
        *(
            "https://a.example/app",
            "http://localhost",
            '{"kty":"EC"}',
            '{"kty":"RSA","n":1}',
            "a,b",
        ),
        *("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "9" * 5000, "1e400"),
    ]
)


@settings(max_examples=200)
@given(
    st.dictionaries(st.sampled_from(sorted(Settings.model_fields)), TEXT | PLAUSIBLE, max_size=8)
)
def test_any_environment_gives_settings_or_one_settings_error(values: dict[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**LEAST, **values}.items():
            patch.setenv(variable(name), str(value))
        try:
            site = Settings(_env_file=None)
        except SettingsError as error:
            assert re.match(r"\d+ settings? (?:is|are) wrong:\n", error.detail)  # noqa: PT017  # either outcome is right
        else:
            assert site.redirect_uri.startswith(site.origin)
            assert site.issuer_or_origin
            assert repr(site).encode()


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(sorted(Settings.model_fields)),
        st.none() | st.integers() | st.binary() | st.lists(TEXT) | st.dictionaries(TEXT, TEXT),
        max_size=8,
    )
)
def test_any_arguments_give_settings_or_one_settings_error(values: dict[str, object]) -> None:
    try:
        made(**values)
    except SettingsError as error:
        assert "wrong:\n" in error.detail  # noqa: PT017  # either outcome is right
