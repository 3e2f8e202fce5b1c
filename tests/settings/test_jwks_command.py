"""``intastellar-auth jwks``: what a provider registers of ``CLIENT_PRIVATE_KEY``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm

from intastellar_auth.cli import main
from intastellar_auth.oidc.private_key import load_private_key
from tests.settings.making import PEM

NAME = "INTASTELLAR_CLIENT_PRIVATE_KEY"
PUBLIC = {"kty", "crv", "x", "y", "use", "alg", "kid"}


def private_jwk(kid: str) -> dict[str, str]:
    """Return a fresh private key."""
    key = ECAlgorithm.to_jwk(generate_private_key(SECP256R1()), as_dict=True)
    return {**key, "kid": kid}


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    """Return the keys that the command prints, each of which has public members alone (PJ-07)."""
    assert main(["jwks"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"keys"}
    keys: list[dict[str, str]] = document["keys"]
    assert all(key.keys() == PUBLIC for key in keys)
    return keys


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    """Return why the command prints no keys."""
    assert main(["jwks"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_old_and_new_key_are_printed_in_their_order_and_nothing_private(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """PJ-06, PJ-07: with no other setting made, since the client id comes with registration."""
    jwks = {"keys": [private_jwk("2026-01"), private_jwk("2026-07")]}
    monkeypatch.setenv(NAME, json.dumps(jwks))
    keys = printed(capsys)
    assert [key["kid"] for key in keys] == ["2026-01", "2026-07"]
    assert [key["x"] for key in keys] == [key["x"] for key in jwks["keys"]]


def test_the_key_may_be_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keys.pem"
    file.write_text(PEM)
    monkeypatch.setenv(f"{NAME}_FILE", str(file))
    (key,) = printed(capsys)
    assert key["kid"] == load_private_key(PEM).kid


def test_the_key_may_be_in_the_env_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").write_text(f"{NAME}='{json.dumps(private_jwk('mine'))}'\n")
    assert [key["kid"] for key in printed(capsys)] == ["mine"]


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_key_it_says_how_to_make_one(
    value: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if value is not None:
        monkeypatch.setenv(NAME, value)
    told = refusal(capsys)
    assert told.startswith(f"intastellar-auth: {NAME} is not set")
    assert "openssl genpkey" in told


def test_a_key_that_cannot_be_used_is_explained_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """TM-05."""
    monkeypatch.setenv(NAME, '{"kty": "hunter2"}')
    told = refusal(capsys)
    assert told == f"intastellar-auth: {NAME}: the private key's kty must be RSA, EC or OKP\n"
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "keys.pem"))
    assert "keep one of them" in refusal(capsys)
    monkeypatch.delenv(NAME)
    assert f"{NAME}_FILE: names a file that cannot be read" in refusal(capsys)


def test_an_env_file_that_cannot_be_read_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").write_bytes(b"\xff\xfe")
    assert ".env cannot be read" in refusal(capsys)
