"""Learn a provider's endpoints from its issuer (OpenID Connect Discovery 1.0, RFC 8414).

What comes back decides where codes and credentials are sent, so each address is held against
rules before anybody uses it. This file doesn't cache and doesn't fetch.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.errors import AnswerInvalid
from intastellar_auth.oidc.json_object import Json, optional_text, optional_texts, read_json_answer

_WHAT: Final = "the discovery document"
_MAX_URL: Final = 2048
_MAX_SHOWN: Final = 200

# RFC 3986 section 2, and nothing more: ``urlsplit`` silently drops tabs and line breaks, and
# browsers read a backslash as a slash.
_URL: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.ASCII)
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?", re.ASCII)
# What the URL standard's "ends in a number" check takes for an IPv4 address in disguise.
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*", re.ASCII)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# Both are no longer in use (RFC 4291 section 2.5.5.1, RFC 3879), and some systems still know them.
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
_SITE_LOCAL: Final = ipaddress.IPv6Network("fec0::/10")

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Metadata:
    """What we need to know of a provider; names as in RFC 8414 section 2.

    ``token_endpoint_auth_methods`` is empty only where there was no discovery;
    ``code_challenge_methods`` is ``None`` where the provider doesn't say.
    """

    issuer: str | None
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str | None
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    revocation_endpoint: str | None
    pushed_authorization_request_endpoint: str | None
    require_pushed_authorization_requests: bool
    token_endpoint_auth_methods: tuple[str, ...]
    id_token_signing_algs: tuple[str, ...]
    code_challenge_methods: tuple[str, ...] | None
    iss_parameter_supported: bool


def build_discovery_request(issuer: str) -> Fetch:
    """Return the request for the configuration of ``issuer`` (Discovery section 4.1).

    Raises ``AnswerInvalid`` where ``issuer`` can't be one.
    """
    check_issuer(issuer)
    # "Any terminating / MUST be removed before appending": one slash, also below a path.
    url = issuer.removesuffix("/") + "/.well-known/openid-configuration"
    return Fetch("GET", url, headers=(("accept", "application/json"),))


def read_discovery_answer(answer: Answer, issuer: str) -> Metadata:
    """Return what the provider says about itself; members we don't know are ignored.

    Raises ``AnswerInvalid`` where the document isn't about ``issuer``, lacks an endpoint, or names
    one that ``check_endpoint`` refuses.
    """
    if answer.status == 404:  # noqa: PLR2004  RFC 9110 section 15.5.5
        raise AnswerInvalid(
            f"{_WHAT} came with status 404: there is no provider at this address, or it publishes "
            "none; then set its endpoints one by one",
            permanent=True,
        )
    document = read_json_answer(answer, _WHAT)
    # Discovery section 4.3: "exactly match". A document that speaks for another issuer is how one
    # provider gets the codes of another (mix-up, RFC 9700 section 4.4).
    if document.get("issuer") != issuer:
        raise AnswerInvalid(
            f"{_WHAT} names another issuer{_named(document)}; both must be equal to the character, "
            "the slash at the end included",
            permanent=True,
        )
    return Metadata(
        issuer=issuer,
        authorization_endpoint=_required_endpoint(document, "authorization_endpoint", issuer),
        token_endpoint=_required_endpoint(document, "token_endpoint", issuer),
        jwks_uri=_required_endpoint(document, "jwks_uri", issuer),
        userinfo_endpoint=_endpoint(document, "userinfo_endpoint", issuer),
        end_session_endpoint=_endpoint(document, "end_session_endpoint", issuer),
        revocation_endpoint=_endpoint(document, "revocation_endpoint", issuer),
        pushed_authorization_request_endpoint=_endpoint(
            document, "pushed_authorization_request_endpoint", issuer
        ),
        require_pushed_authorization_requests=_flag(
            document, "require_pushed_authorization_requests"
        ),
        # RFC 8414 section 2: "If omitted, the default is client_secret_basic".
        token_endpoint_auth_methods=optional_texts(
            document, "token_endpoint_auth_methods_supported", _WHAT
        )
        or ("client_secret_basic",),
        # Core section 3.1.3.7 step 7: RS256 is what a provider uses that says nothing else.
        id_token_signing_algs=optional_texts(
            document, "id_token_signing_alg_values_supported", _WHAT
        )
        or ("RS256",),
        code_challenge_methods=optional_texts(document, "code_challenge_methods_supported", _WHAT),
        iss_parameter_supported=_flag(document, "authorization_response_iss_parameter_supported"),
    )


def check_issuer(issuer: str) -> None:
    """Raise ``AnswerInvalid`` where ``issuer`` has a query or can't be an endpoint's base."""
    check_endpoint(issuer, "the issuer")
    if "?" in issuer:
        raise AnswerInvalid("the issuer has a query; an issuer is scheme, host, port and path")


def check_endpoint(url: str, what: str) -> None:
    """Raise ``AnswerInvalid`` where ``url`` is no address to send a browser or a secret to.

    It must be https, or http on a loopback host; without user name, fragment (RFC 6749 section
    3.1) and characters that RFC 3986 doesn't know; and not a link-local, multicast or unspecified
    address in any spelling: that is where clouds keep their machines' credentials.
    """
    parts = _split(url, what)
    host = _host(parts, what)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise AnswerInvalid(f"{what} must begin with https://")
    if parts.username is not None or parts.password is not None:
        raise AnswerInvalid(f"{what} has a user name in it; take it out")
    if "#" in url:
        raise AnswerInvalid(f"{what} has a fragment; RFC 6749 section 3.1 forbids one")
    if not isinstance(host, str) and (
        host.is_link_local or host.is_multicast or host.is_unspecified
    ):
        raise AnswerInvalid(f"{what} is on an address that is never a provider's")


def _named(document: dict[str, Json]) -> str:
    """Return the issuer that the document names, to be copied, where it can be one at all."""
    theirs = document.get("issuer")
    try:
        if isinstance(theirs, str) and len(theirs) <= _MAX_SHOWN:
            check_issuer(theirs)
            return f": if that is your provider, set INTASTELLAR_ISSUER={theirs}"
    except AnswerInvalid:
        pass
    return ""


def _required_endpoint(document: dict[str, Json], name: str, issuer: str) -> str:
    url = _endpoint(document, name, issuer)
    if url is None:
        raise AnswerInvalid(f"{_WHAT} has no {name}")
    return url


def _endpoint(document: dict[str, Json], name: str, issuer: str) -> str | None:
    url = optional_text(document, name, _WHAT)
    if url is None:
        return None
    what = f"{_WHAT}: {name}"
    check_endpoint(url, what)
    # Another host than the issuer's is normal. Another kind of network is not: a public provider
    # must not point us at machines that only we can reach (server-side request forgery).
    ours, theirs = _split(issuer, "the issuer"), _split(url, what)
    if theirs.scheme == "http" and ours.scheme == "https":
        raise AnswerInvalid(f"{what} must begin with https://, as the issuer does")
    if _is_internal(_host(theirs, what)) and not _is_internal(_host(ours, "the issuer")):
        raise AnswerInvalid(f"{what} is on an internal address, which the issuer is not")
    return url


def _flag(document: dict[str, Json], name: str) -> bool:
    value = document.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise AnswerInvalid(f"{_WHAT}: {name} is neither true nor false")
    return value


def _split(url: str, what: str) -> SplitResult:
    if len(url) > _MAX_URL:
        raise AnswerInvalid(f"{what} is longer than {_MAX_URL} characters")
    if not _URL.fullmatch(url):
        raise AnswerInvalid(f"{what} is empty or has characters that a URL cannot have")
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed only when asked for
    except ValueError:
        raise AnswerInvalid(f"{what} is not a URL") from None
    return parts


def _host(parts: SplitResult, what: str) -> str | _Address:
    """Return the host as an address where it is one, however it is written."""
    host = parts.hostname or ""
    try:
        if "[" in parts.netloc:
            return _unwrapped(ipaddress.IPv6Address(host))
        if _NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]):
            # 2852039166, 0xa9fea9fe and 0251.0376.43518 are all 169.254.169.254 to some resolver;
            # only the form with four decimal numbers says so to everybody.
            return ipaddress.IPv4Address(host)
    except ValueError:
        raise AnswerInvalid(f"{what} has an IP address that is not in its usual form") from None
    if not _HOST_NAME.fullmatch(host):
        raise AnswerInvalid(f"{what} has no host, or one that is not a name or an IP address")
    return host.removesuffix(".")


def _unwrapped(address: ipaddress.IPv6Address) -> _Address:
    """Return the IPv4 address inside one that is made of it (RFC 4291, 6052 and 3056).

    Raises ``ValueError`` where it has a zone: that is a name of this machine's, nobody else's.
    """
    if address.scope_id is not None:
        raise ValueError("zone")
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_loopback(host: str | _Address) -> bool:
    if isinstance(host, str):
        # RFC 6761 section 6.3: the name and all below it never leave the machine.
        return host == "localhost" or host.endswith(".localhost")
    return host.is_loopback


def _is_internal(host: str | _Address) -> bool:
    if isinstance(host, str):
        return _is_loopback(host)
    return not host.is_global or host in _SITE_LOCAL
