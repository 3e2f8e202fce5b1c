"""Which addresses are fit to send a browser or a secret to."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intastellar_auth.errors import AnswerInvalid
from intastellar_auth.oidc.discovery import check_endpoint

BAD_URLS = [
    "",
    "/token",
    "//evil.example/token",
    "https:",
    "https://",
    "https:///token",
    "https:token",
    "http://evil.example/",
    "ftp://evil.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/x",
    "data:application/json,{}",
    "javascript:alert(1)",
    "https://evil.example/#",
    "https://evil.example/#x",
    "https://user@evil.example/",
    "https://user:word@evil.example/",
    "https://@evil.example/",
    "https://evil.example:99999/",
    "https://evil.example:a/",
    "https://evil..example/",
    "https://evil.example/\r\nX: y",
    "https://evil.example/\t",
    " https://evil.example/",
    "https://evil.example/a b",
    "https://evil.example\\@good.example/",
    "https://évil.example/",
    "https://%65vil.example/",
    "https://[::1",
    "https://[v1.x]/",
    "https://evil.example/" + "a" * 2048,
    # The metadata service of a cloud, in every spelling.
    "https://169.254.169.254/latest",
    "https://169.254.169.254./latest",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://0xA9.0xFE.0xA9.0xFE/",
    "https://0251.0376.0251.0376/",
    "https://169.254.43518/",
    "https://evil.example.1/",
    "https://evil.0x/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[2001:db8::1%25eth0]/",
    "https://0.0.0.0/",
    "https://0/",
    "https://[::]/",
    "https://224.0.0.1/",
    "https://[ff02::1]/",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_address_that_no_provider_has_is_refused(url: str) -> None:
    """DJ-04, RQ-10, LO-05, AD-57."""
    with pytest.raises(AnswerInvalid, match="the address"):
        check_endpoint(url, "the address")


@pytest.mark.parametrize(
    "url",
    [
        "https://accounts.example",
        "HTTPS://accounts.example./a?b=c&d=%20",
        "https://accounts.example:8443/",
        "https://xn--vil-9la.example/",
        "https://10.0.0.5/",
        "https://[2606:4700::1111]:8443/",
        "http://localhost:5000/",
        "http://tenant.localhost/",
        "http://127.0.0.1/",
        "http://[::1]:5000/",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_an_address_that_a_provider_may_have_is_accepted(url: str) -> None:
    """DJ-03."""
    check_endpoint(url, "the address")


@given(st.text() | st.from_regex(r"https?://[\w.\[\]:%@\\-]{0,20}(/.{0,9})?", fullmatch=True))
@example("https://a.example")
@example("http://a.example")
def test_any_text_is_an_address_or_an_error_of_ours(url: str) -> None:
    try:
        check_endpoint(url, "it")
    except AnswerInvalid:
        return
    assert url.lower().startswith(("https://", "http://"))
