"""Which hosts are this machine alone."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Return whether ``host`` (a name or an address, without port) can only be this machine.

    ``localhost`` and names under it are loopback by RFC 6761 section 6.3; ``0.0.0.0`` is not: it
    listens to the whole network.
    """
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def is_loopback_authority(authority: str) -> bool:
    """Return whether a ``Host`` header names this machine.

    A page of another site can point its own name at 127.0.0.1 and then read what we answer (DNS
    rebinding); its name in ``Host`` gives it away.
    """
    try:
        return is_loopback(urlsplit(f"//{authority}").hostname or "")
    except ValueError:
        return False


def check_issuer(issuer: str) -> None:
    """Raise ``ValueError`` unless ``issuer`` is ``http(s)://``, a loopback host and a port."""
    parts = urlsplit(issuer)
    if parts.scheme not in {"http", "https"} or not is_loopback(parts.hostname or ""):
        raise ValueError(
            f"issuer: {issuer!r} is not on a loopback host. The development provider lets anyone in"
            " as anyone: use http://127.0.0.1:PORT or http://localhost:PORT"
        )
    if f"{parts.scheme}://{parts.netloc}" != issuer or parts.username is not None:
        raise ValueError(
            f"issuer: {issuer!r} has more than scheme, host and port. Drop the path, the trailing"
            " slash and anything else"
        )
