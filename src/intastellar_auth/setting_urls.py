"""The checks of settings that are URLs or parts of one.

Each returns the value or raises ``ValueError``, as in ``setting_checks``. What is let through reads
the same in Python, in browsers and at the provider, so that one comparison of text is enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_URL_CHARACTERS = re.compile(r"[\x21-\x5b\x5d-\x7e]+")
# RFC 3986 section 2.3, between slashes.
_SITE_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute http or https URL, scheme and host in lower case, IPv6 without brackets."""

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def loopback(self) -> bool:
        """Whether only this machine can answer: the one place where plain http is safe."""
        if self.host == "localhost":
            return True
        return self.is_address and ip_address(self.host).is_loopback

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address rather than a name."""
        return (
            ":" in self.host or _NUMERIC_LABEL.fullmatch(self.host.rpartition(".")[2]) is not None
        )

    @property
    def authority(self) -> str:
        """Host and port as given, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """As a browser sends it in ``Origin``: no default port (RFC 6454 section 6.2)."""
        port = None if self.port == _DEFAULT_PORTS[self.scheme] else self.port
        return f"{self.scheme}://{Url(self.scheme, self.host, port, '').authority}"


def parse_url(text: str) -> Url:
    """Take an absolute URL apart; ``ValueError`` where two parsers could read it differently."""
    if not _URL_CHARACTERS.fullmatch(text):
        raise ValueError("has a space, backslash or other character that a URL cannot have")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        # The parser's own words would quote the value.
        raise ValueError("is not a valid URL; write it like https://www.example.com") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("must be an absolute URL; write it like https://www.example.com")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password; remove the part up to '@'")
    if parts.netloc.endswith(":"):
        raise ValueError("has a colon without a port; remove the colon or add the port")
    host = _address(parts.hostname) if "[" in parts.netloc else _name(parts.hostname)
    return Url(parts.scheme, host, port, parts.path)


def _address(host: str) -> str:
    """Return an IPv6 address in the one spelling a browser would give it."""
    try:
        if "%" not in host:  # no browser takes a zone
            return IPv6Address(host).compressed
    except ValueError:
        pass
    raise ValueError("has a malformed address between brackets; write it like [::1]")


def _name(host: str) -> str:
    """Return a DNS name, or an IPv4 address written as four decimal numbers."""
    if not _HOST.fullmatch(host):
        raise ValueError("has a host that is neither a DNS name nor an address; try punycode")
    if _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
        # Browsers read 127.1, 0x7f.1 and 2130706433 as addresses (WHATWG URL, host parsing).
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise ValueError("has a malformed IPv4 address; write four numbers") from None
    return host


def provider_url(text: str) -> str:
    """Check an endpoint; return it unchanged, since it is compared and sent as it is."""
    url = parse_url(text)
    if "#" in text:
        raise ValueError("must not have a fragment; remove the part from '#' on")
    if url.scheme != "https" and not url.loopback:
        raise ValueError("must begin with https:// (plain http is for loopback hosts only)")
    return text


def issuer(text: str) -> str:
    """Check an issuer identifier (OpenID Connect Discovery section 4.3); return it unchanged."""
    if "?" in text:
        raise ValueError("must not have a query; remove the part from '?' on")
    if "/.well-known" in text:
        raise ValueError(
            "is the address of a document about the issuer; remove the part from '/.well-known' on"
        )
    return provider_url(text)


def base_url(text: str) -> str:
    """Check the site's public URL; return it with a lower-case host and no slash at its end."""
    if "?" in text or "#" in text:
        raise ValueError("must not have a query or fragment; remove the part from '?' or '#' on")
    url = parse_url(text)
    if url.scheme != "https" and not url.loopback:
        raise ValueError("must begin with https:// (plain http is for loopback hosts only)")
    return f"{url.scheme}://{url.authority}{_clean_path(url.path.removesuffix('/'))}"


def path_prefix(text: str) -> str:
    """Check where our own paths live."""
    if not text.startswith("/") or text.endswith("/"):
        raise ValueError("must begin with a slash and not end with one; write it like /auth")
    return _clean_path(text)


def _clean_path(path: str) -> str:
    if not _SITE_PATH.fullmatch(path) or not {".", ".."}.isdisjoint(path.split("/")):
        raise ValueError("may have only letters, digits and - . _ ~ between single slashes")
    return path
