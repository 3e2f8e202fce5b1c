"""The command line, and the provider as a server of its own."""

from __future__ import annotations

import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

import httpx
import pytest

from intastellar_auth.cli import main
from intastellar_auth.devprovider import serve as serving
from intastellar_auth.devprovider.serve import issuer_of, listen
from tests.devprovider.harness import CALLBACK, VERIFIER, asked, hidden, response_of
from tests.support.server import free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVE = ["devprovider", "--port", "0", "--client-id", "public", "--redirect-uri", CALLBACK]


@contextmanager
def running(*more: str, users: int = 3) -> Iterator[tuple[str, list[str]]]:
    """Run the command as a process of its own; gives the issuer and the lines that followed it."""
    command = [sys.executable, "-m", "intastellar_auth", *SERVE, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            issuer = process.stdout.readline().removeprefix("issuer: ").strip()
            yield issuer, [process.stdout.readline().strip() for _ in range(users)]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def redeeming(answer: httpx.Response) -> dict[str, str]:
    """Return the token request for the code in ``answer``."""
    return {
        "grant_type": "authorization_code",
        "code": response_of(answer)["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "client_id": "public",
    }


def redeem_while_the_connection_drops(issuer: str) -> str:
    """Sign in, lose the token response, and return the error that a second try gives."""
    patient = httpx.HTTPTransport(retries=8)
    with httpx.Client(base_url=issuer, trust_env=False, transport=patient) as browser:
        assert browser.get("/.well-known/openid-configuration").json()["issuer"] == issuer
        page = browser.get("/authorize", params=asked())
        answer = browser.post("/sign-in", data=hidden(page.text) | {"login": "alice"})
        form = redeeming(answer)
        browser.post("/_dev/faults", json={"name": "token_drop_connection"}).raise_for_status()
        with pytest.raises(httpx.RemoteProtocolError):
            browser.post("/token", data=form)
        reused = browser.post("/token", data=form)
        assert browser.get("/_dev/log").json()["counts"]["code_reuses"] == 1
        return str(reused.json()["error"])


def test_the_command_serves_as_a_process_of_its_own() -> None:
    with running("--access-token-lifetime", "5") as (issuer, users):
        assert [user.split()[:3] for user in users] == [
            ["test", "user:", name] for name in ("alice", "bob", "carol")
        ]
        assert redeem_while_the_connection_drops(issuer) == "invalid_grant"


def test_a_token_request_whose_client_hangs_up_is_counted() -> None:
    """As one does that is killed in mid-exchange."""
    patient = httpx.HTTPTransport(retries=8)
    with (
        running() as (issuer, _),
        httpx.Client(base_url=issuer, trust_env=False, transport=patient) as client,
    ):
        client.post("/_dev/faults", json={"name": "token_slow", "seconds": 0.5, "times": 2})
        client.post("/token", data={"grant_type": "password"})
        with pytest.raises(httpx.ReadTimeout):
            client.post("/token", data={"grant_type": "password"}, timeout=0.1)
        until(
            lambda: client.get("/_dev/log").json()["counts"]["answers_unheard"] == 1,
            "the provider to notice that its client hung up",
        )


def test_ctrl_c_ends_the_command_without_an_error() -> None:
    port = free_port()
    errors: list[str] = []

    def use_and_interrupt() -> None:
        try:
            errors.append(redeem_while_the_connection_drops(f"http://127.0.0.1:{port}"))
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    user = threading.Thread(target=use_and_interrupt)
    user.start()
    assert main([*SERVE, "--port", str(port)]) == 0
    user.join()
    assert errors == ["invalid_grant"]


def test_the_command_adds_users_and_scopes() -> None:
    dora = '{"sub": "dora", "name": "Dora Example", "https://site.example/role": "editor"}'
    extra = ["--scope", "reports", "--scope", "invoices", "--user", dora, "--user", '{"sub": "ed"}']
    patient = httpx.HTTPTransport(retries=8)
    with (
        running(*extra, users=5) as (issuer, users),
        httpx.Client(base_url=issuer, trust_env=False, transport=patient) as browser,
    ):
        assert users[-2:] == [
            "test user: dora (Dora Example, dora@example.com)",
            "test user: ed (ed, ed@example.com)",
        ]
        page = browser.get("/authorize", params=asked(scope="openid profile reports invoices"))
        answer = browser.post("/sign-in", data=hidden(page.text) | {"login": "dora"})
        form = redeeming(answer)
        tokens = browser.post("/token", data=form).json()
        claims = browser.get(
            "/userinfo", headers={"authorization": f"Bearer {tokens['access_token']}"}
        ).json()
    assert tokens["scope"] == "openid profile reports invoices"
    assert claims["https://site.example/role"] == "editor"


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--scope", "two scopes", "scope: 'two scopes' is not one scope"),
        ("--user", "dora", 'A user is a JSON object, such as {"sub": "dora"}'),
        ("--user", '["dora"]', "user: Expected `object`"),
        ("--user", "{}", "missing required field `sub`"),
        ("--user", '{"sub": 7}', "user: Expected `str`, got `int` - at `$.sub`"),
        ("--user", '{"sub": "dora", "roles": "editor"}', "at `$.roles`"),
        ("--user", '{"sub": ""}', "sub: '' is not 1 to 255 printable ASCII characters"),
        ("--user", '{"sub": "dora", "iss": "x"}', "iss is for the provider to say"),
    ],
)
def test_a_user_or_scope_that_cannot_be_is_explained(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SERVE, option, value]) == 1
    assert said in capsys.readouterr().err


def test_the_command_ends_without_error_when_its_server_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served = threading.Event()

    def serve(app: object, listener: socket.socket) -> None:
        assert app
        assert listener.getsockname()[1]
        served.set()

    monkeypatch.setattr(serving, "serve", serve)
    more = ["--client-secret", "very-secret", "--host", "localhost"]
    more += ["--post-logout-redirect-uri", CALLBACK, "--backchannel-logout-uri", CALLBACK]
    assert main([*SERVE, *more]) == 0
    assert served.is_set()
    printed = capsys.readouterr().out
    assert printed.startswith("issuer: http://localhost:")
    assert "very-secret" not in printed


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.2", "site.example"])  # noqa: S104 - refused
def test_a_host_that_others_can_reach_is_refused(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SERVE, "--host", host]) == 1
    assert "is not loopback" in capsys.readouterr().err


def test_a_wrong_registration_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SERVE, "--redirect-uri", "/auth/callback"]) == 1
    assert "'/auth/callback'" in capsys.readouterr().err


def test_a_taken_port_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main([*SERVE, "--port", port]) == 1
    said = capsys.readouterr().err
    assert f"--port: {port} on 127.0.0.1 is in use" in said
    assert "name another with --port (0 takes a free one)" in said


def test_without_uvicorn_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(SERVE) == 1
    assert "pip install './intastellar-auth[server]'" in capsys.readouterr().err


def test_an_address_of_version_six_is_put_in_brackets() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert issuer_of("[::1]", listener) == f"http://[::1]:{port}"
        assert issuer_of("127.0.0.1", listener) == f"http://127.0.0.1:{port}"


def test_settings_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings"]) == 0
    assert "CLIENT_ID" in capsys.readouterr().out


def test_each_secret_key_is_fresh_and_long_enough(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["secret-key"]) == 0
    assert main(["secret-key"]) == 0
    first, second = capsys.readouterr().out.split()
    assert first != second
    assert len(first) >= 32
    assert "," not in first


def test_the_version_is_the_installed_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"intastellar-auth {version('intastellar-auth')}\n"


def test_no_command_is_an_error_of_usage() -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2


def test_the_package_runs_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["intastellar-auth", "secret-key"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("intastellar_auth", run_name="__main__")
    assert ended.value.code == 0
