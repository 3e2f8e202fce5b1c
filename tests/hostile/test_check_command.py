"""``intastellar-auth check``: what it finds before any visitor does, and what it never prints."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import pytest

from intastellar_auth.cli import main
from tests.support.provider import strict
from tests.support.site import Client

from .jose import Json
from .provider import CLIENT_SECRET, Provider
from .server import Answer, DeadPort
from .site import SECRET_KEY, environment

Check = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def check(
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Check:
    """Return what runs the command with these settings: its status, and the lines it prints."""
    monkeypatch.chdir(tmp_path)

    def run(**changes: str) -> tuple[int, list[str]]:
        store = {"STORE_URL": f"sqlite://{tmp_path}/store.db"}
        for name, value in environment(provider, **{**store, **changes}).items():
            if value:
                monkeypatch.setenv(name, value)
            else:
                monkeypatch.delenv(name, raising=False)
        status = main(["check"])
        printed = capsys.readouterr()
        assert CLIENT_SECRET not in printed.out + printed.err
        assert SECRET_KEY not in printed.out + printed.err
        assert not [line for line in printed.out.splitlines() if not line.isprintable()]
        return status, (printed.out + printed.err).splitlines()

    return run


def problem(status: int, lines: list[str], about: str) -> str:
    """Return the one problem that there is."""
    (line,) = (line for line in lines if line.startswith("problem: "))
    assert status == 1
    assert line.startswith(f"problem: {about}: ")
    return line


def dated(offset: float, **more: str) -> Callable[[Answer], Answer]:
    """Let an answer say that it was made ``offset`` seconds from now."""

    def changed(answer: Answer) -> Answer:
        date = formatdate(time.time() + offset, usegmt=True)
        return replace(answer, headers=(*answer.headers, ("Date", date), *more.items()))

    return changed


def test_a_site_that_fits_its_provider_is_told_what_to_register(
    check: Check, provider: Provider
) -> None:
    provider.script.answers["discovery"] = dated(0)
    status, lines = check(BASE_URL="https://site.example/app", POST_LOGOUT_PATH="/app/bye")
    assert status == 0
    assert [line.split()[-1] for line in lines[1:5]] == [
        "https://site.example/app/auth/callback",
        "https://site.example/app/bye",
        "https://site.example/app/auth/backchannel-logout",
        "https://site.example/app/auth/frontchannel-logout",
    ]
    assert lines[5:] == [
        f"ok: discovery: the issuer is {provider.issuer}",
        "ok: keys: 1 that ID tokens can be checked with",
        "ok: client authentication: client_secret_basic",
        "ok: clock: as the provider's",
        "ok: store",
    ]


def test_the_development_provider_passes(check: Check, tmp_path: Path) -> None:
    site = "http://127.0.0.1:8000"
    client = Client()
    with strict(tmp_path, site, client) as running:
        status, lines = check(
            ISSUER=running.issuer,
            BASE_URL=site,
            CLIENT_ID=client.client_id,
            CLIENT_SECRET=client.secret or "",
        )
    assert status == 0, lines


def test_settings_that_are_wrong_are_all_there_is_to_say(check: Check) -> None:
    status, lines = check(BASE_URL="", CLOCK_SKEW="x")
    assert status == 1
    assert lines[0] == "intastellar-auth: 2 settings are wrong:"


def test_another_issuer_is_found_and_shown_to_be_copied(check: Check, provider: Provider) -> None:
    def renamed(document: Json) -> Json:
        return {**document, "issuer": "https://id.example.com/"}

    provider.script.metadata = renamed
    line = problem(*check(), "discovery")
    assert "set INTASTELLAR_ISSUER=https://id.example.com/;" in line


def test_a_provider_that_is_not_there_is_found_with_its_address(
    check: Check, dead: DeadPort
) -> None:
    line = problem(*check(ISSUER=dead.base), "discovery")
    assert f"INTASTELLAR_ISSUER: {dead.base}/.well-known/openid-configuration: " in line
    assert line.endswith("is the address right, and can this machine reach it?")


def test_keys_that_cannot_be_read_are_found(check: Check, provider: Provider) -> None:
    provider.script.answers["jwks"] = lambda _: Answer(500)
    assert provider.url("jwks") in problem(*check(), "keys")


@pytest.mark.parametrize("keys", [[], [{"kty": "\x1b[2J"}]])
def test_keys_of_which_none_fits_are_found(
    check: Check, provider: Provider, keys: list[Json]
) -> None:
    provider.script.jwks = lambda _: keys
    line = problem(*check(), "keys")
    assert "INTASTELLAR_JWKS_URI" in line
    assert ("left out: key 1" in line) is bool(keys)


def test_what_the_provider_says_is_printed_in_plain_characters(
    check: Check, provider: Provider
) -> None:
    """HL-04."""

    def hostile(document: Json) -> Json:
        return {**document, "token_endpoint_auth_methods_supported": ["\x1b[2J\u202e\nok: all"]}

    provider.script.metadata = hostile
    line = problem(*check(), "client authentication")
    assert r"\x1b[2J\u202e\nok: all" in line


def test_a_client_authentication_that_the_provider_does_not_take_is_found(
    check: Check, provider: Provider
) -> None:
    line = problem(*check(CLIENT_SECRET=""), "client authentication")
    assert "takes client_secret_basic, and the settings come to none" in line
    assert "INTASTELLAR_TOKEN_ENDPOINT_AUTH_METHOD" in line
    assert "INTASTELLAR_CLIENT_SECRET" in line
    assert provider.hits["token"] == 0


@pytest.mark.parametrize(("offset", "way"), [(-600, "ahead of"), (600, "behind")])
def test_a_clock_that_is_wrong_is_found(
    check: Check, provider: Provider, offset: int, way: str
) -> None:
    provider.script.answers["discovery"] = dated(offset)
    line = problem(*check(), "clock")
    assert f"seconds {way} the provider's" in line
    assert "INTASTELLAR_CLOCK_SKEW (60)" in line
    assert check(CLOCK_SKEW="300")[0] == 1


def test_a_clock_within_the_leeway_is_right(check: Check, provider: Provider) -> None:
    provider.script.answers["discovery"] = dated(-30)
    assert check()[0] == 0
    problem(*check(CLOCK_SKEW="5"), "clock")


def test_an_answer_from_a_cache_is_no_wrong_clock(check: Check, provider: Provider) -> None:
    """RFC 9111 section 5.1."""
    provider.script.answers["discovery"] = dated(-3600, Age="3600")
    assert check()[0] == 0
    provider.script.answers["discovery"] = dated(-3600, Age="soon")
    problem(*check(), "clock")


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Jan 2020 00:00:00 GMT"])
def test_an_answer_without_a_date_tells_nothing_about_the_clock(
    check: Check, provider: Provider, date: str
) -> None:
    def changed(answer: Answer) -> Answer:
        return replace(answer, headers=(*answer.headers, ("Date", date)))

    provider.script.answers["discovery"] = changed
    status, lines = check()
    assert status == 0
    assert "ok: clock: not checked, the provider's answer has no Date" in lines


def test_a_provider_that_goes_away_meanwhile_is_found(check: Check, provider: Provider) -> None:
    def once(answer: Answer) -> Answer:
        encoded = (("Content-Encoding", "gzip"),) if provider.hits["discovery"] > 1 else ()
        return replace(answer, headers=(*answer.headers, *encoded))

    provider.script.answers["discovery"] = once
    assert "encoded" in problem(*check(), "clock")


def test_where_the_settings_name_the_endpoints_nothing_is_discovered(
    check: Check, provider: Provider
) -> None:
    provider.script.answers["jwks"] = dated(600)
    status, lines = check(
        AUTHORIZATION_ENDPOINT=provider.url("authorize"),
        TOKEN_ENDPOINT=provider.url("token"),
        JWKS_URI=provider.url("jwks"),
    )
    problem(status, lines, "clock")
    assert "ok: discovery: not used, the settings name the endpoints" in lines
    assert "ok: client authentication: client_secret_post" in lines
    assert provider.hits["discovery"] == 0


def test_without_an_id_token_neither_keys_nor_clock_matter(
    check: Check, provider: Provider
) -> None:
    status, lines = check(
        ISSUER="",
        SCOPE="profile",
        AUTHORIZATION_ENDPOINT=provider.url("authorize"),
        TOKEN_ENDPOINT=provider.url("token"),
        USERINFO_ENDPOINT=provider.url("userinfo"),
    )
    assert status == 0
    assert "ok: clock: not checked, no ID token is asked for" in lines
    assert not [line for line in lines if "keys" in line]
    assert provider.asked == []


def test_a_store_that_cannot_be_reached_is_found(check: Check, dead: DeadPort) -> None:
    line = problem(*check(STORE_URL=f"redis://:hunter2@{dead.base[7:]}"), "store")
    assert f"the Redis store at {dead.base[7:]} (INTASTELLAR_STORE_URL)" in line
    assert "is it running" in line
    assert "hunter2" not in line


def test_a_store_that_is_no_database_is_found(check: Check, tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"no database" * 100)
    assert "INTASTELLAR_STORE_URL" in problem(*check(), "store")


def test_a_store_of_one_process_is_told(check: Check) -> None:
    status, lines = check(STORE_URL="memory://")
    assert status == 0
    assert lines[-1].startswith("ok: store: this process's memory")


def test_auto_that_can_only_be_memory_is_found(
    check: Check, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nothing"))
    assert "INTASTELLAR_STORE_URL is auto" in problem(*check(STORE_URL="auto"), "store")
    assert list(tmp_path.iterdir()) == []
