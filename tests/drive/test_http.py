"""What the HTTP client sends, what it makes of an answer, and that it keeps what is secret."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.errors import (
    ProviderError,
)

from .calls import SECRET, get, post
from .wire import Wire, answering

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Client


def test_the_answer_is_returned_as_it_came(client: Client) -> None:
    header = "Content-Type: Application/JSON; charset=utf-8"
    with Wire(answering(b'{"a":1}', header, status="400 Bad Request")) as wire:
        assert client(post(wire.url)) == Answer(400, "application/json", b'{"a":1}')


@pytest.mark.parametrize(
    ("header", "media_type"),
    [("X: y", ""), ("Content-Type:", ""), ("Content-Type: text/HTML ;a=b", "text/html")],
)
def test_the_media_type_is_lower_case_and_bare(
    client: Client, header: str, media_type: str
) -> None:
    with Wire(answering(b"<html>", header)) as wire:
        assert client(get(wire.url)) == Answer(200, media_type, b"<html>")


def test_the_request_is_sent_as_it_is_and_asks_for_no_encoding(client: Client) -> None:
    """SS-03."""
    with Wire(answering()) as wire:
        client(post(wire.url + "?a=b"))
    head, _, body = wire.received[0].partition(b"\r\n\r\n")
    start, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
    assert start == "POST /token?a=b HTTP/1.1"
    assert body == f"code={SECRET}".encode()
    assert headers["authorization"] == f"Basic {SECRET}"
    assert headers["accept-encoding"] == "identity"
    assert headers["connection"] == "close"
    assert headers["user-agent"] == "intastellar-auth"
    assert len(headers) == len(lines)


def test_a_cookie_of_the_provider_is_never_sent_back(client: Client) -> None:
    """TK-13."""
    with Wire(answering(b"{}", "Set-Cookie: op=1; Path=/")) as wire:
        client(get(wire.url))
        client(get(wire.url))
    assert wire.connections == 2
    assert not any(b"cookie" in each.lower() for each in wire.received)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_an_answer_and_is_not_followed(client: Client, status: str) -> None:
    """TK-03, SS-01."""
    with Wire(answering()) as other:
        redirect = answering(b"", f"Location: {other.url}?token={SECRET}", status=status)
        with Wire(redirect) as wire:
            assert client(post(wire.url)).status == int(status[:3])
    assert other.connections == 0


def test_credentials_of_netrc_are_not_sent(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DJ-19."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login alice password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with Wire(answering()) as wire:
        client(get(wire.url))
    assert b"authorization" not in wire.received[0].lower()


@pytest.mark.parametrize("value", [f"{SECRET}\r\nX: y", f"é {SECRET}", f"{SECRET}\0"])
def test_a_header_that_cannot_be_sent_is_not_quoted(client: Client, value: str) -> None:
    with Wire(answering()) as wire:
        with pytest.raises(ProviderError) as refused:
            client(Fetch("GET", wire.url, (("authorization", value),)))
        assert SECRET not in "".join(traceback.format_exception(refused.value))
        assert wire.received == []


def test_no_secret_reaches_a_log_even_at_its_most_talkative(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), Wire(answering(SECRET.encode())) as wire:
        client(post(wire.url))
    assert any(record.name == "httpx" for record in caplog.records)
    assert SECRET not in caplog.text
