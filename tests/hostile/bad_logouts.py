"""Logout tokens, and what is posted in their place, that must not sign anybody out."""

from __future__ import annotations

import gzip
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from .cases import without
from .jose import Json, compact, default_jwks, ec_key, hs256, jws, main_key, rsa_key
from .provider import CLIENT_ID, CLIENT_SECRET, Provider

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENT = "http://schemas.openid.net/event/backchannel-logout"
SID = "the-session-at-the-provider"
FORM = {"content-type": "application/x-www-form-urlencoded"}
HEADER: Json = {"alg": "RS256", "kid": "main", "typ": "logout+jwt"}

Forge = Callable[[Provider], str]
"""Makes a token in the provider's name."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Something posted, with its requirement rows and the status that must come of it."""

    ids: str
    name: str
    body: Callable[[Provider], bytes]
    status: int = 400
    headers: Mapping[str, str] = field(default_factory=lambda: FORM)


def good(provider: Provider, **changes: object) -> Json:
    """Return the claims of a good token for alice's session, with ``changes``."""
    now = int(time.time())
    claims: Json = {
        "iss": provider.issuer,
        "sub": "alice",
        "aud": CLIENT_ID,
        "iat": now,
        "exp": now + 120,
        "jti": uuid.uuid4().hex,
        "sid": SID,
        "events": {EVENT: {}},
    }
    return {**claims, **changes}


def signed(provider: Provider, **changes: object) -> str:
    """Return a well-signed token whose claims have ``changes``."""
    return jws(good(provider, **changes), main_key(), HEADER)


def form(token: str) -> bytes:
    """Return ``token`` as a provider posts it."""
    return urlencode({"logout_token": token}).encode()


def _said(ids: str, name: str, forge: Forge) -> Posted:
    return Posted(ids, name, lambda provider: form(forge(provider)))


def _claim(ids: str, name: str, value: object, called: str = "") -> Posted:
    return _said(ids, f"{name}_{called or value!r}", lambda p: signed(p, **{name: value}))


def _no_claim(ids: str, *names: str) -> Posted:
    return _said(
        ids,
        f"no_{'_'.join(names)}",
        lambda p: jws(without(good(p), *names), main_key(), HEADER),
    )


def _head(ids: str, name: str, **members: object) -> Posted:
    return _said(ids, name, lambda p: jws(good(p), main_key(), {**HEADER, **members}))


def _id_token(provider: Provider) -> str:
    """A sign-in's own token, as good as any."""
    return jws(
        {**without(good(provider), "events", "jti"), "nonce": "n", "auth_time": 1}, main_key()
    )


def _by(kid: str, **members: object) -> Forge:
    """Sign with a key of the attacker's under a header that says otherwise."""
    return lambda p: jws(good(p), rsa_key("attacker"), {**HEADER, "kid": kid, **members})


def _unsigned(alg: object) -> Forge:
    return lambda p: compact({"alg": alg, "typ": "logout+jwt"}, good(p), b"")


def _points_home(member: str) -> Forge:
    return lambda p: jws(
        good(p), rsa_key("attacker"), {**HEADER, "kid": "attacker", member: p.url("evil")}
    )


def _as_json(provider: Provider) -> bytes:
    return json.dumps({"logout_token": signed(provider)}).encode()


def _as_parts(provider: Provider) -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="logout_token"\r\n\r\n'
    return head + signed(provider).encode() + b"\r\n--x--\r\n"


NO_EVENTS: tuple[object, ...] = (
    *("x", [EVENT], {}, None),
    *({EVENT: None}, {EVENT: True}, {EVENT: "x"}, {EVENT: []}),
)
PUBLIC_KEY = json.dumps(default_jwks()[-1]).encode()

CASES = (
    *(_said("CF-K02 BL-09", f"alg_{alg!r}", _unsigned(alg)) for alg in ("none", "nOnE", "", None)),
    _no_claim("CF-K03 BL-07", "events"),
    _claim("CF-K04 BL-08", "nonce", "n"),
    _claim("CF-K04 BL-08", "nonce", None),
    _said("CF-K05 BL-09", "wrong_alg", lambda p: jws(good(p), ec_key("main"))),
    _claim("CF-K06 BL-06", "aud", "another-client"),
    _claim("CF-K06 BL-06", "aud", ["another-client"]),
    _claim("CF-K07 BL-07", "events", {"http://schemas.openid.net/event/foo": {}}, "another"),
    _claim("CF-K08 BL-06", "iss", "https://evil.example"),
    _no_claim("BL-03", "sub", "sid"),
    _claim("BL-04", "sub", "bob"),
    *(_no_claim("BL-06", name) for name in ("iss", "aud", "iat", "exp", "jti")),
    *(_claim("BL-07", "events", events) for events in NO_EVENTS),
    _said("BL-09", "mac_by_the_public_key", lambda p: hs256(good(p), PUBLIC_KEY)),
    _said("BL-09", "mac_by_the_secret", lambda p: hs256(good(p), CLIENT_SECRET.encode())),
    _said("BL-09", "signed_by_another", _by("main")),
    _said("BL-09", "unknown_kid", _by("attacker")),
    _said("BL-09", "brings_its_key", _by("main", jwk=rsa_key("attacker").jwk(kid="main"))),
    _said("BL-09", "jku", _points_home("jku")),
    _said("BL-09", "x5u", _points_home("x5u")),
    _head("BL-09", "crit", crit=["x"], x=1),
    _head("BL-09", "b64", b64=False, crit=["b64"]),
    _said("BL-10", "an_id_token", _id_token),
    *(_head("BL-11", f"typ_{typ}", typ=typ) for typ in ("at+jwt", "dpop+jwt", "", None)),
    _claim("BL-13", "iat", 1_000_000_000),
    _claim("BL-13", "exp", 1_000_000_000),
    _claim("BL-13", "exp", 253_370_764_800),
    Posted("BL-15", "json", _as_json, headers={"content-type": "application/json"}),
    Posted(
        "BL-15", "parts", _as_parts, headers={"content-type": "multipart/form-data; boundary=x"}
    ),
    Posted("BL-15", "no_type", lambda p: form(signed(p)), headers={}),
    Posted("BL-15", "twice", lambda p: form(signed(p)) + b"&" + form(signed(p))),
    Posted("BL-15", "nothing", lambda _: b""),
    Posted("BL-15", "empty", lambda _: b"logout_token="),
    Posted("BL-15", "another_field", lambda p: urlencode({"token": signed(p)}).encode()),
    Posted(
        "BL-15",
        "gzip",
        lambda p: gzip.compress(form(signed(p))),
        headers={**FORM, "content-encoding": "gzip"},
    ),
    Posted("BL-15", "a_megabyte", lambda p: form(signed(p, x="x" * 1_000_000)), 413),
    _claim("BL-15", "x", "x" * 20_000, "more than 16 kB"),
    Posted("BL-17", "garbage", lambda _: b"logout_token=%00%ff.."),
)
