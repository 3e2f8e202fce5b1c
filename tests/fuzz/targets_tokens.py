"""Targets: ID tokens and logout tokens, as text and, well signed, from the inside."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from jwt.utils import base64url_encode

from tests.flows.stage import TOKEN
from tests.oidc.forge import CLIENT_ID, ISSUER, NOW, answer, claims, jwk, token
from tests.oidc.forge_logout import logout_claims

from .bench import Bench, id_token, make_bench, posted, token_document
from .target import target
from .targets_provider import provider, said_to_callback

if TYPE_CHECKING:
    from intastellar_auth.core.messages import Reply
    from intastellar_auth.oidc.json_object import Json

_LOGOUT = {"alg": "ES256", "kid": "main", "typ": "logout+jwt"}
_CLAIMS = (b"azp", b"nbf", b"events", b"at_hash", b"nonce", b"auth_time", b'"client-2"')
_HEADERS = (b"crit", b"b64", b"jwk", b"typ", b"zip", b'"none"', b'"HS256"', b'"RS256"')


def _signed_in(text: str) -> bool:
    bench = provider()
    return said_to_callback(bench, TOKEN, answer(token_document(bench.nonce, id_token=text)))


@cache
def _good() -> str:
    return id_token(provider().nonce)


def _id_tokens() -> list[bytes]:
    nonce = provider().nonce
    payload = _good().split(".")[1]
    none = base64url_encode(b'{"alg":"none"}').decode()
    tokens = [
        _good(),
        f"{none}.{payload}.",
        id_token(nonce, exp=NOW - 300),
        id_token(nonce, iss="https://evil.example"),
        id_token("another"),
        token(claims(nonce=nonce), alg="ES256", name="stranger"),
        token(logout_claims(nonce=nonce), _LOGOUT, alg="ES256"),
    ]
    return [one.encode() for one in tokens]


@target(_id_tokens, b".", b"..", b"=", b"eyJhbGciOiJub25lIn0")
def id_token_text(data: bytes) -> None:
    """ID-01: what the provider has not signed signs nobody in."""
    text = data.decode("latin-1")
    assert not _signed_in(text) or text.rpartition(".")[0] == _good().rpartition(".")[0]


def _id_claims() -> list[bytes]:
    nonce = provider().nonce
    documents = [claims(nonce=nonce, sid="sid-1"), claims(nonce=nonce, sid="sid-1", auth_time=NOW)]
    documents.append(claims(nonce=nonce, sid="sid-1", azp=CLIENT_ID, aud=[CLIENT_ID], name="A"))
    return [json.dumps(one).encode() for one in documents]


@target(_id_claims, *_CLAIMS)
def id_token_claims(data: bytes) -> None:
    """ID-02 to ID-20: the signature is good, and so must be all that it says."""
    bench = provider()
    session = _session_of(bench, token(data, alg="ES256"))
    if session is None:
        return
    said = json.loads(data)
    assert (said["iss"], said["nonce"]) == (ISSUER, bench.nonce)
    assert said["aud"] in (CLIENT_ID, [CLIENT_ID])
    assert said["iat"] <= NOW + 60
    assert said["exp"] > NOW - 60
    assert session == said["sub"]


def _session_of(bench: Bench, text: str) -> str | None:
    """As ``said_to_callback``, for whoever the token is about."""
    good = bench.hand.said[TOKEN]
    bench.hand.say(TOKEN, answer(token_document(bench.nonce, id_token=text)))
    try:
        session = bench.given(bench.call_back())
    finally:
        bench.hand.said[TOKEN] = good
    return None if session is None else session.sub


def _id_headers() -> list[bytes]:
    documents: list[dict[str, Json]] = [
        {"alg": "ES256", "kid": "main"},
        {"alg": "ES256", "kid": "main", "typ": "JWT", "jku": "https://evil.example/", "x5c": []},
        {"alg": "ES256", "jwk": jwk("ES256", "stranger")},
    ]
    return [json.dumps(one).encode() for one in documents]


@target(_id_headers, *_HEADERS)
def id_token_header(data: bytes) -> None:
    """ID-06: the token chooses neither its algorithm nor its key."""
    payload = json.dumps(claims(nonce=provider().nonce, sid="sid-1")).encode()
    if _signed_in(token(payload, data, alg="ES256")):
        header = json.loads(data)
        assert header["alg"] == "ES256"
        assert not {"crit", "b64", "jwk"} & {name for name, value in header.items() if value}


@cache
def _logging_out() -> Bench:
    return make_bench(session_mode="server", claims="name")


def _told(body: bytes) -> Reply:
    bench = _logging_out()
    reply = bench.ask(posted(body, path="/auth/backchannel-logout"))
    assert reply.status in (200, 400)
    # What is not believed ends nothing and leaves nothing.
    assert reply.status == 200 or bench.hand.store._entries == bench.entries
    return reply


@cache
def _good_logout() -> str:
    return token(logout_claims(jti="jti-1", sid="sid-1"), _LOGOUT, alg="ES256")


def _logout_tokens() -> list[bytes]:
    tokens = [
        _good_logout(),
        id_token("n", jti="jti-1"),
        token(logout_claims(), _LOGOUT, alg="ES256", name="stranger"),
    ]
    return [one.encode() for one in tokens]


@target(_logout_tokens, b".", b"=", b"eyJhbGciOiJub25lIn0")
def logout_token_text(data: bytes) -> None:
    """BL-01: what the provider has not signed ends nothing."""
    text = data.decode("latin-1")
    if _told(urlencode({"logout_token": text}, errors="replace").encode()).status == 200:
        assert text.rpartition(".")[0] == _good_logout().rpartition(".")[0]


def _logout_claims() -> list[bytes]:
    documents = [
        logout_claims(jti="jti-1"),
        logout_claims(jti="jti-1", sid=None),
        logout_claims(jti="jti-1", sub=None, aud=["a", CLIENT_ID]),
    ]
    return [json.dumps(one).encode() for one in documents]


@target(_logout_claims, *_CLAIMS, b'"sid":1', b'"jti":""')
def logout_token_claims(data: bytes) -> None:
    """BL-02 to BL-09: nor does a well-signed one that is not about a logout of ours."""
    reply = _told(urlencode({"logout_token": token(data, _LOGOUT, alg="ES256")}).encode())
    if reply.status == 200:
        said = json.loads(data)
        assert said["iss"] == ISSUER
        assert CLIENT_ID in said["aud"]
        assert said.get("sub") or said.get("sid")
        assert "nonce" not in said
        assert said["exp"] > NOW - 60


@target(
    lambda: [b"logout_token=" + one for one in _logout_tokens()], b"&logout_token=", b"logout_token"
)
def logout_form(data: bytes) -> None:
    """BL-11: whatever is posted."""
    assert _told(data).status == 400 or _good_logout().rpartition(".")[0].encode() in data
