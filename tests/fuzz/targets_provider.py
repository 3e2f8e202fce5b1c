"""Targets: what the provider answers, through the whole of a sign-in, a visit and a logout."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from intastellar_auth.core.effects import Answer
from tests.flows.refreshing import REVOCATION
from tests.flows.stage import (
    DISCOVERY,
    END_SESSION,
    JWKS,
    PROFILE,
    TOKEN,
    USERINFO,
)
from tests.oidc.forge import answer, claims, jwk, token

from .bench import (
    PROVIDER,
    PUSHED,
    Bench,
    id_token,
    location_of,
    make_bench,
    token_document,
)
from .target import target

if TYPE_CHECKING:
    from intastellar_auth.oidc.json_object import Json

_KINDS = (
    (200, "application/json"),
    (200, "application/json"),
    (201, "application/json"),
    (200, "text/html"),
    (200, "application/jwt"),
    (200, "application/x+json"),
    (204, ""),
    (302, "text/html"),
    (400, "application/json"),
    (401, "application/json"),
    (403, "text/plain"),
    (429, "application/json"),
    (500, "application/json"),
    (503, "text/html"),
)
_INSIDE = ("localhost", "127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "evil.localhost")
_URLS = tuple(f"https://{host}/".encode() for host in _INSIDE)
_ERRORS: tuple[Json, ...] = (
    {"error": "invalid_grant", "error_description": "spent"},
    {"error": "invalid_client"},
    {"error": "server_error"},
    {},
)


def said(data: bytes) -> Answer:
    """Return the answer in ``data``: its first byte says its status and type, the rest is JSON."""
    status, media_type = _KINDS[data[0] % len(_KINDS)] if data else (200, "")
    return Answer(status, media_type, data[1:])


def written(*documents: Json) -> list[bytes]:
    """Return what ``said`` reads, for each of ``documents`` as a success, and for errors."""
    fine = [b"\x00" + json.dumps(one).encode() for one in documents]
    kinds = (b"\x02", b"\x08", b"\x09", b"\x0b", b"\x0c")
    return fine + [kind + json.dumps(one).encode() for kind in kinds for one in _ERRORS]


@cache
def provider(**values: object) -> Bench:
    """Return a bench with the settings of ``values``."""
    return make_bench(claims="name,email,picture,roles", **values)


def said_to_callback(bench: Bench, url: str, data: Answer) -> bool:
    """Let ``url`` answer ``data`` during a callback; return whether alice is signed in then."""
    good = bench.hand.said[url]
    bench.hand.say(url, data)
    try:
        session = bench.given(bench.call_back())
    finally:
        bench.hand.said[url] = good
    assert session is None or (session.sub, session.sid) == ("alice", "sid-1")
    return session is not None


@target(lambda: written(PROVIDER, {**PROVIDER, "issuer": "https://evil.example"}), *_URLS)
def discovery(data: bytes) -> None:
    """DJ-01 to DJ-05: the browser and the secrets go to no place inside."""
    bench = provider().with_unknown_provider()
    good = bench.hand.said[DISCOVERY]
    bench.hand.say(DISCOVERY, said(data))
    try:
        reply = bench.get("/auth/login")
        assert reply.status in (303, 502, 503)
        there = urlsplit(location_of(reply) or "https://accounts.example/")
        assert there.scheme == "https"
        assert there.hostname not in _INSIDE
        assert "[" not in there.netloc
        said_to_callback(bench, TOKEN, answer(token_document(bench.nonce)))
        bench.get("/auth/logout", bench.session_cookie)
    finally:
        bench.hand.said[DISCOVERY] = good


def _keys() -> list[bytes]:
    kinds = [jwk("ES256"), jwk("RS256"), jwk("EdDSA"), jwk("ES384"), jwk("ES256", "second")]
    public: list[Json] = [dict(one) for one in kinds]
    return written({"keys": public}, {"keys": public[:1]}, {"keys": []})


@target(_keys, b'{"kty":"oct","k":"AAAA"}', b'"d":"AA"', b'"use":"enc"', b'"n":"AQAB"')
def jwks(data: bytes) -> None:
    """DJ-07: no key signs in whoever is not the provider's."""
    bench = provider().with_unknown_provider()
    good = bench.hand.said[JWKS]
    bench.hand.say(JWKS, said(data))
    try:
        strangers = token(claims(nonce=bench.nonce), alg="ES256", name="stranger")
        document = token_document(bench.nonce, id_token=strangers)
        assert not said_to_callback(bench, TOKEN, answer(document))
    finally:
        bench.hand.said[JWKS] = good


def _tokens() -> list[bytes]:
    nonce = provider().nonce
    stranger = token(claims(nonce=nonce), alg="ES256", name="stranger")
    return written(
        token_document(nonce),
        token_document(nonce, id_token=stranger),
        token_document(nonce, expires_in="300", token_type="bearer"),
    )


@target(_tokens, b'"error":"x"', b'"id_token":null', b'"token_type":"mac"', b"Bearer")
def token_answer(data: bytes) -> None:
    """TK-01: whatever it is, nobody is signed in but alice."""
    for bench in (provider(), provider(keep_tokens=True)):
        said_to_callback(bench, TOKEN, said(data))


@target(
    lambda: written(
        PROFILE,
        {**PROFILE, "picture": "x" * 1900, "roles": ["a", {"b": [1]}]},
        {**PROFILE, "sid": "sid-2", "iss": "https://evil.example", "auth_time": 1},
    ),
    *(b"sub", b"iss", b"sid", b"auth_time", b"nonce", b"email_verified", b'"mallory"'),
)
def userinfo_answer(data: bytes) -> None:
    """UI-01: it says more about alice, and never that she is somebody else."""
    bench = provider()
    if said_to_callback(bench, USERINFO, said(data)):
        reply = bench.call_back()
        cookie = "; ".join(
            value.partition(";")[0] for name, value in reply.headers if name == "set-cookie"
        )
        assert json.loads(bench.get("/auth/user", cookie).body)["sub"] == "alice"


@target(
    lambda: written({"request_uri": "urn:example:2", "expires_in": 60}),
    b"urn:",
    b"&client_id=x",
    b"#",
)
def pushed_answer(data: bytes) -> None:
    """PA-02: the browser carries what the provider gave, or goes nowhere."""
    bench = provider(pushed_authorization_requests=True)
    good = bench.hand.said[PUSHED]
    bench.hand.say(PUSHED, said(data))
    try:
        reply = bench.get("/auth/login")
    finally:
        bench.hand.said[PUSHED] = good
    assert reply.status in (303, 502, 503)
    if reply.status == 303:
        names = [name for name, _ in parse_qsl(urlsplit(location_of(reply)).query)]
        assert names == ["client_id", "request_uri"]


@cache
def refreshing(mode: str) -> Bench:
    """Return a bench at which alice's access token is about to end."""
    bench = make_bench(keep_tokens=True, claims="name", session_mode=mode)
    bench.hand.clock.now += 250
    return bench


def _refreshes() -> list[bytes]:
    bench = refreshing("cookie")
    now = bench.hand.clock.now
    fresh = id_token(None, iat=now, exp=now + 300)
    others = id_token(None, iat=now, exp=now + 300, sub="mallory")
    plain: dict[str, Json] = {"access_token": "access-2", "token_type": "Bearer", "expires_in": 300}
    return written(
        plain,
        {**plain, "refresh_token": "refresh-2", "id_token": fresh, "scope": "openid"},
        {**plain, "id_token": others},
    )


@target(_refreshes, b'"refresh_token":"\\n"', b'"scope":"admin"', b'"error":"invalid_grant"')
def refresh_answer(data: bytes) -> None:
    """RF-01: alice stays alice, with no more scopes than she had; no token can end a header."""
    for mode in ("cookie", "server"):
        bench = refreshing(mode)
        good = bench.hand.said[TOKEN]
        bench.hand.say(TOKEN, said(data))
        try:
            admitted = bench.admit(bench.session_cookie.encode())
        finally:
            bench.hand.said[TOKEN] = good
        assert admitted is not None
        assert admitted.user.sub == "alice"
        assert set(admitted.auth.scopes) <= {"authenticated", "openid", "profile"}
        assert (admitted.auth.access_token or "x").isprintable()


@target(lambda: written({}))
def revocation_answer(data: bytes) -> None:
    """LO-02: a logout happens, whatever the provider makes of the tokens."""
    bench = refreshing("server")
    good = bench.hand.said[REVOCATION]
    bench.hand.say(REVOCATION, said(data))
    try:
        reply = bench.get("/auth/logout", bench.session_cookie)
        assert bench.hand.fetched(REVOCATION)
    finally:
        bench.hand.said[REVOCATION] = good
    assert location_of(reply).startswith(END_SESSION)
    assert bench.hand.play(bench.front.admit(bench.session_cookie.encode())) is None
