"""What ``intastellar-auth check`` finds: whether the settings fit the provider, clock and store.

It asks with the flows of a sign-in, before anybody signs in. It uses nothing up, and what it says
has no secret in it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from intastellar_auth.core.effects import Fetch
from intastellar_auth.core.site import Site, make_site
from intastellar_auth.drive.blocking import Outside
from intastellar_auth.drive.http import fetch
from intastellar_auth.errors import (
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    SettingsError,
    StoreUnavailable,
)
from intastellar_auth.oidc.discovery import Metadata, build_discovery_request
from intastellar_auth.oidc.jose import ALGORITHMS
from intastellar_auth.oidc.jwks import build_jwks_request
from intastellar_auth.settings import Settings
from intastellar_auth.stores import MemoryStore, open_store

_LONGEST: Final = 1000
_STORED_FOR: Final = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at; ``problem`` says which setting is wrong, how, and what to do."""

    about: str
    problem: str | None = None

    @property
    def line(self) -> str:
        """One line for a terminal: the provider may have written parts of it (HL-04)."""
        text = f"ok: {self.about}"
        if self.problem is not None:
            text = f"problem: {self.about}: {self.problem}"
        return "".join(
            each if " " <= each <= "~" else ascii(each)[1:-1] for each in text[:_LONGEST]
        )


def to_register(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return what the provider must know of the site, each by its name and as it must be written.

    OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 3.1, Back-Channel Logout
    section 2.2, Front-Channel Logout section 2.
    """
    own = settings.base_url + settings.path_prefix
    return (
        ("redirect URI", settings.redirect_uri),
        ("post-logout redirect URI", settings.origin + settings.post_logout_path),
        ("back-channel logout URI", f"{own}/backchannel-logout"),
        ("front-channel logout URI", f"{own}/frontchannel-logout"),
    )


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is found, one after the other, since each may take ``HTTP_TIMEOUT`` seconds."""
    site = make_site(settings)
    # What is asked of the provider needs no store, and the real one is looked at by itself.
    outside = Outside(MemoryStore(), settings.http_timeout)
    try:
        metadata = outside.run(site.provider.metadata())
    except ProviderError as error:
        yield Finding("discovery", _because(error))
    else:
        yield Finding(
            f"discovery: the issuer is {settings.issuer}"
            if settings.discovers
            else "discovery: not used, the settings name the endpoints"
        )
        if settings.openid:
            yield _keys(site, outside, metadata)
        yield _authentication(site, metadata)
        yield _clock(settings, metadata)
    yield _store(settings.store_url.get_secret_value())


def _because(error: ProviderError) -> str:
    out_of_reach = isinstance(error, ProviderUnreachable | ProviderTimeout)
    advice = "; is the address right, and can this machine reach it?" if out_of_reach else ""
    return error.detail + advice


def _keys(site: Site, outside: Outside, metadata: Metadata) -> Finding:
    """OpenID Connect Core section 10.1.1: an ID token is signed with one of these."""
    try:
        keys = outside.run(site.provider.keys())
    except ProviderError as error:
        return Finding("keys", _because(error))
    allowed = metadata.id_token_signing_algs or tuple(ALGORITHMS)
    fitting = [key for key in keys.keys if not key.algs.isdisjoint(allowed)]
    if fitting:
        return Finding(f"keys: {len(fitting)} that ID tokens can be checked with")
    skipped = f" (left out: {'; '.join(keys.skipped)})" if keys.skipped else ""
    return Finding(
        "keys",
        f"none at {metadata.jwks_uri} fits {', '.join(allowed)}{skipped}; correct "
        "INTASTELLAR_JWKS_URI where it is set, else ask the provider",
    )


def _authentication(site: Site, metadata: Metadata) -> Finding:
    """RFC 8414 section 2, ``token_endpoint_auth_methods_supported``."""
    method, supported = site.client(metadata).method, metadata.token_endpoint_auth_methods
    if not supported or method in supported:
        return Finding(f"client authentication: {method}")
    return Finding(
        "client authentication",
        f"the provider takes {', '.join(supported)}, and the settings come to {method}; set "
        "INTASTELLAR_TOKEN_ENDPOINT_AUTH_METHOD to one that it takes, with the credential that "
        "goes with it (INTASTELLAR_CLIENT_SECRET or INTASTELLAR_CLIENT_PRIVATE_KEY)",
    )


def _clock(settings: Settings, metadata: Metadata) -> Finding:
    """Core section 3.1.3.7 steps 9 and 10: an ID token's times are compared with this machine's."""
    if settings.discovers and settings.issuer is not None:
        request = build_discovery_request(settings.issuer)
    elif metadata.jwks_uri is not None:
        request = build_jwks_request(metadata.jwks_uri)
    else:
        return Finding("clock: not checked, no ID token is asked for")
    return _clock_by(request, settings)


def _clock_by(request: Fetch, settings: Settings) -> Finding:
    before = time.time()
    try:
        theirs = fetch(request, timeout=settings.http_timeout).server_time
    except ProviderError as error:
        return Finding("clock", _because(error))
    after = time.time()
    if theirs is None:
        return Finding("clock: not checked, the provider's answer has no Date")
    # A Date has whole seconds: the answer was made somewhere in the one that it names.
    ahead, behind = before - (theirs + 1), theirs - after
    if max(ahead, behind) <= settings.clock_skew:
        return Finding("clock: as the provider's")
    way = "ahead of" if ahead > 0 else "behind"
    return Finding(
        "clock",
        f"this machine's is {max(ahead, behind):.0f} seconds {way} the provider's, "
        f"more than INTASTELLAR_CLOCK_SKEW ({settings.clock_skew}); set it, "
        "and keep it right with NTP",
    )


def _store(url: str) -> Finding:
    key, value = f"check {secrets.token_hex(16)}", secrets.token_bytes(16)
    try:
        store = open_store(url)
        store.put(key, value, _STORED_FOR)
        found = store.take(key)
        store.close()
    except (SettingsError, StoreUnavailable) as error:
        return Finding("store", error.detail)
    if store.shared:
        forgot = "INTASTELLAR_STORE_URL: it forgets what was just written; it must not evict"
        return Finding("store", None if found == value else forgot)
    if url == "auto":
        return Finding(
            "store",
            "INTASTELLAR_STORE_URL is auto, and there is no private folder for it (the log says "
            "why); set it to sqlite:///absolute/path or redis://host",
        )
    return Finding("store: this process's memory, so the promise holds for one process alone")
