"""Arguments, environment, ``.env`` and files: who wins, and what is never passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from intastellar_auth.errors import SettingsError
from intastellar_auth.settings import Settings
from tests.settings.making import KEY, LEAST, OTHER_KEY, PEM, made, problems, set_least


def test_an_argument_wins_over_the_environment_and_it_over_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_least(monkeypatch)
    Path(".env").write_text("INTASTELLAR_CLIENT_ID=file\nINTASTELLAR_CLOCK_SKEW=7\nDEBUG=1\n")
    monkeypatch.setenv("INTASTELLAR_SCOPE", "openid")
    assert Settings(client_id="argument").client_id == "argument"
    assert Settings().client_id == "my-site"
    assert Settings().clock_skew == 7
    assert Settings(_env_file=None).clock_skew == 60


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("INTASTELLAR_ISUER", "did you mean INTASTELLAR_ISSUER?"),
        ("INTASTELLAR_SECRET_KEY", "did you mean INTASTELLAR_SECRET_KEYS?"),
        ("INTASTELLAR_CLIENT_SECRET_FIL", "did you mean INTASTELLAR_CLIENT_SECRET_FILE?"),
        ("INTASTELLAR_QQQQ", "remove it"),
        ("INTASTELLAR_", "remove it"),
        ("intastellar_scop", "did you mean INTASTELLAR_SCOPE?"),
        ("INTASTELLAR_ISSUER_FILE", "did you mean INTASTELLAR_ISSUER?"),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_an_unknown_variable_is_an_error_that_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch, place: str, name: str, advice: str
) -> None:
    """IM-04, AD-24, AD-118."""
    if place == ".env":
        Path(".env").write_text(f"{name}=x\nOTHER=1\n")
    else:
        monkeypatch.setenv(name, "x")
    lines = problems().splitlines()
    assert lines[1:] == [f"{name.upper()}: is not a setting; {advice}"]


SERVICE_LINKS = {
    "SERVICE_HOST": "10.0.0.7",
    "SERVICE_PORT": "80",
    "SERVICE_PORT_HTTP_WEB": "80",
    "PORT": "tcp://10.0.0.7:80",
    "PORT_80_TCP": "tcp://10.0.0.7:80",
    "PORT_80_TCP_ADDR": "10.0.0.7",
    "PORT_80_TCP_PORT": "80",
    "PORT_80_TCP_PROTO": "tcp",
    "PORT_53_UDP": "udp://10.0.0.7:53",
    "PORT_9_SCTP_PROTO": "sctp",
}


@pytest.mark.parametrize("service", ["INTASTELLAR", "INTASTELLAR_AUTH_2"])
def test_a_service_of_kubernetes_with_our_name_does_not_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    """Nobody sets these, so nobody could remove them."""
    for name, value in SERVICE_LINKS.items():
        monkeypatch.setenv(f"{service}_{name}", value)
    assert made().client_id == "my-site"


@pytest.mark.parametrize("name", ["PORT_TCP", "SERVICE", "PORTS", "PORT_80_TCP_HOST", "HOST"])
def test_what_kubernetes_does_not_make_is_an_error_still(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"INTASTELLAR_{name}", "80")
    assert f"INTASTELLAR_{name}: is not a setting" in problems()


def test_an_unknown_argument_is_an_error_that_names_the_nearest() -> None:
    """IM-04."""
    assert "scopes: is not a setting; did you mean scope?" in problems(scopes="x")
    assert "is not a setting" in problems(client_secret_file="x")
    assert "is not a setting" in problems(_secrets_dir="x")


def test_a_secret_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\r\n")
    (tmp_path / "keys").write_text(f"{KEY},{OTHER_KEY}\n")
    (tmp_path / "pem").write_text(PEM)
    monkeypatch.setenv("INTASTELLAR_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    Path(".env").write_text(f"INTASTELLAR_SECRET_KEYS_FILE={tmp_path / 'keys'}\n")
    least = {name: value for name, value in LEAST.items() if name != "secret_keys"}
    site = Settings(_env_file=".env", **least)
    assert site.client_secret is not None
    assert site.client_secret.get_secret_value() == "s3cret"
    assert [key.get_secret_value() for key in site.secret_keys] == [KEY, OTHER_KEY]
    monkeypatch.delenv("INTASTELLAR_CLIENT_SECRET_FILE")
    monkeypatch.setenv("INTASTELLAR_CLIENT_PRIVATE_KEY_FILE", str(tmp_path / "pem"))
    key = Settings(_env_file=".env", **least).client_private_key
    assert key is not None
    assert key.get_secret_value() == PEM.rstrip()


def test_an_argument_wins_over_a_secret_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text(OTHER_KEY)
    monkeypatch.setenv("INTASTELLAR_SECRET_KEYS_FILE", str(tmp_path / "keys"))
    assert made().secret_keys[0].get_secret_value() == KEY


def test_a_secret_and_its_file_together_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTASTELLAR_CLIENT_SECRET", "x")
    monkeypatch.setenv("INTASTELLAR_CLIENT_SECRET_FILE", "y")
    assert "INTASTELLAR_CLIENT_SECRET_FILE: is set, and" in problems()


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_secret_file_that_cannot_be_read_is_the_only_complaint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "keys"
    if content:
        path.write_bytes(content)
    monkeypatch.setenv("INTASTELLAR_SECRET_KEYS_FILE", str(path))
    with pytest.raises(SettingsError) as caught:
        Settings(
            _env_file=".env",
            **{name: value for name, value in LEAST.items() if name != "secret_keys"},
        )
    (line,) = caught.value.detail.splitlines()[1:]
    assert line.startswith("INTASTELLAR_SECRET_KEYS_FILE: names a file that cannot be read")


def test_an_env_file_that_cannot_be_read_is_an_error() -> None:
    Path(".env").write_bytes(b"INTASTELLAR_SCOPE=\xff\n")
    assert ".env cannot be read" in problems()


def test_a_name_without_a_value_in_the_env_file_is_an_error() -> None:
    Path(".env").write_text("INTASTELLAR_PROTECTED_PATHS\n")
    assert "INTASTELLAR_PROTECTED_PATHS: has no value" in problems()
