"""A provider that speaks no version of TLS that can be trusted."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from .browser import Browser
from .certificates import server_context
from .provider import Provider
from .verdicts import is_refused

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Log

Visit = Callable[..., Browser]


def at_most(version: ssl.TLSVersion, folder: Path) -> ssl.SSLContext:
    """Return a server's context that speaks ``version`` and older ones."""
    context = server_context(folder, expired=False)
    with warnings.catch_warnings():
        # That these versions must not be used any more is what the test is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_nothing_is_said_to_a_provider_below_tls_1_2(
    version: ssl.TLSVersion, visit: Visit, tmp_path: Path, log: Log
) -> None:
    """CF-S01: it is hung up on before it has shown a certificate."""
    with Provider(tls=at_most(version, tmp_path)) as old:
        browser = visit(ISSUER=old.issuer)
        is_refused(browser, browser.get("/auth/login"), log)
        assert old.asked == []
    said = " ".join(log.ours()).lower()
    assert "certificate" not in said, said


def test_with_tls_1_2_it_comes_to_the_certificate(visit: Visit, tmp_path: Path, log: Log) -> None:
    """CF-S01: so it is the version that the test above is about."""
    with Provider(tls=at_most(ssl.TLSVersion.TLSv1_2, tmp_path)) as other:
        browser = visit(ISSUER=other.issuer)
        is_refused(browser, browser.get("/auth/login"), log)
    assert "certificate" in " ".join(log.ours()).lower()
