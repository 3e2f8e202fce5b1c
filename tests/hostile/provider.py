"""A provider that behaves until a misbehaviour is switched on, and writes down what it is asked.

Each part of what it says goes through one function of its ``Script``; a misbehaviour replaces one
of them. What a client must never do (spend a code twice, send a secret twice, put an access token
into a query, ...) is kept in ``complaints``; the test that expects none finds it empty.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote_plus, urlencode

from .jose import Json, b64, default_jwks, jws, main_key
from .server import Answer, Asked, Pairs, Server

if TYPE_CHECKING:
    import ssl

Misbehaviour = Callable[["Provider"], None]
"""Switches one misbehaviour on."""

CLIENT_ID = "site-client"
CLIENT_SECRET = "s3cret:with%odd+signs"


Said = TypeVar("Said")


def _same(said: Said) -> Said:
    return said


@dataclass(slots=True)
class Script:
    """What each part becomes before it is sent; by default it stays what it is."""

    metadata: Callable[[Json], Json] = _same
    jwks: Callable[[list[Json]], list[Json]] = _same
    response: Callable[[Pairs], Pairs] = _same
    claims: Callable[[Json], Json] = _same
    id_token: Callable[[Json], object] = lambda claims: jws(claims, main_key())
    token: Callable[[Json], Json] = _same
    userinfo: Callable[[Json], Json] = _same
    post_logout: Callable[[Pairs], Pairs] = _same
    answers: dict[str, Callable[[Answer], Answer]] = field(default_factory=dict)
    checks_pkce: bool = True


class Provider:
    """An OpenID provider over HTTP. ``sub`` is whoever signs in next, without being asked."""

    def __init__(self, path: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.script = Script()
        self.sub = "alice"
        self.asked: list[tuple[str, Asked]] = []
        self.complaints: list[str] = []
        self.secrets: set[str] = {CLIENT_SECRET}
        self._codes: dict[str, dict[str, str]] = {}
        self._owners: dict[str, str] = {}
        self._lock = threading.Lock()
        self.server = Server(self._respond, tls)
        self.issuer = self.server.base + path
        self._path = path.rstrip("/")

    def __enter__(self) -> Provider:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.server.stop()

    @property
    def hits(self) -> Counter[str]:
        """How often each endpoint was asked."""
        return Counter(name for name, _ in self.asked)

    def last(self, endpoint: str) -> Asked:
        """Return the last request to ``endpoint``."""
        return [asked for name, asked in self.asked if name == endpoint][-1]

    def url(self, endpoint: str) -> str:
        """Return the address of ``endpoint``."""
        return f"{self.server.base}/{endpoint}"

    def complain(self, wrong: bool, what: str) -> None:
        """Write ``what`` down if it is ``wrong``."""
        if wrong:
            self.complaints.append(what)

    def _respond(self, asked: Asked) -> Answer:
        name = asked.path.removeprefix("/")
        if asked.path == f"{self._path}/.well-known/openid-configuration":
            name = "discovery"
        with self._lock:
            self.asked.append((name, asked))
            endpoint = getattr(self, f"_{name}", None)
            answer = endpoint(asked) if endpoint else Answer(404)
            return self.script.answers.get(name, _same)(answer)

    def _discovery(self, _asked: Asked) -> Answer:
        metadata: Json = {
            "issuer": self.issuer,
            "authorization_endpoint": self.url("authorize") + "?tenant=one",
            "token_endpoint": self.url("token"),
            "jwks_uri": self.url("jwks"),
            "userinfo_endpoint": self.url("userinfo"),
            "end_session_endpoint": self.url("end_session"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["none", "RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "frobnication_supported": {"deep": [1, None]},
        }
        return Answer(200, json.dumps(self.script.metadata(metadata)).encode())

    def _jwks(self, _asked: Asked) -> Answer:
        return Answer(200, json.dumps({"keys": self.script.jwks(default_jwks())}).encode())

    def _authorize(self, asked: Asked) -> Answer:
        """CF-S02, RQ-01, RQ-09."""
        sent = dict(asked.query)
        self.complain(len(sent) != len(asked.query), "a parameter twice")
        self.complain(sent.get("tenant") != "one", "the endpoint's own query is lost")
        self.complain(sent.get("client_id") != CLIENT_ID, "client_id")
        self.complain(sent.get("response_type") != "code", "response_type")
        self.complain("openid" not in sent.get("scope", "").split(), "scope")
        self.complain(sent.get("code_challenge_method") != "S256", "code_challenge_method")
        self.complain(len(sent.get("code_challenge", "")) != 43, "code_challenge")
        self.complain(not sent.get("nonce") or not sent.get("state"), "nonce or state")
        self.complain("#" in sent["redirect_uri"], "redirect_uri")
        code = self.issue(sent)
        response = self.script.response(
            (("code", code), ("state", sent["state"]), ("iss", self.issuer))
        )
        # The response is in the body as well: the test's browser takes it from there, so that it
        # can be as long as an attacker's, who is not held to what fits into a header.
        location = f"{sent['redirect_uri']}?{urlencode(response)}"[:8_000]
        posts = sent.get("response_mode") == "form_post"
        headers = () if posts else (("Location", location),)
        return Answer(200 if posts else 302, json.dumps(response).encode(), headers)

    def issue(self, request: dict[str, str]) -> str:
        """Return a fresh code for the authorization request with these parameters."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = {**request, "sub": self.sub}
        self.secrets.add(code)
        return code

    def _token(self, asked: Asked) -> Answer:
        """CF-S03, CF-S04, CF-B14, TK-01, TK-02."""
        sent = dict(asked.form)
        request = self._codes.pop(sent.get("code", ""), None)
        verifier = sent.get("code_verifier", "")
        self.secrets.add(verifier)
        scheme, _, basic = asked.headers.get("authorization", "").partition(" ")
        user, _, password = base64.b64decode(basic).decode().partition(":")
        client = (unquote_plus(user), unquote_plus(password))
        challenge = b64(hashlib.sha256(verifier.encode()).digest())
        self.complain(asked.method != "POST" or bool(asked.query), "not a POST of a form")
        self.complain(len(sent) != len(asked.form), "a field twice")
        self.complain(scheme != "Basic" or client != (CLIENT_ID, CLIENT_SECRET), "client_secret")
        self.complain("client_secret" in sent, "two client authentications")
        self.complain("cookie" in asked.headers, "a cookie at the token endpoint")
        if request is None:
            self.complaints.append("a code twice, or one that was never issued")
            return Answer(400, b'{"error": "invalid_grant"}')
        self.complain(sent.get("redirect_uri") != request["redirect_uri"], "redirect_uri")
        if challenge != request["code_challenge"] and self.script.checks_pkce:
            self.complaints.append("code_verifier")
            return Answer(400, b'{"error": "invalid_grant"}')
        return self._tokens(request)

    def _tokens(self, request: dict[str, str]) -> Answer:
        now = int(time.time())
        claims: Json = {
            "iss": self.issuer,
            "sub": request["sub"],
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": request["nonce"],
            "email": f"{request['sub']}@site.example",
            "hobby": {"frobnication": [None, {}]},
        }
        access_token = secrets.token_urlsafe(24)
        self._owners[access_token] = request["sub"]
        token = self.script.token(
            {
                "access_token": access_token,
                "token_type": "Bearer",
                "expires_in": 3600,
                "refresh_token": secrets.token_urlsafe(24),
                "id_token": self.script.id_token(self.script.claims(claims)),
            }
        )
        for name in ("access_token", "refresh_token", "id_token"):
            self._remember_secret(token.get(name))
        return Answer(200, json.dumps(token).encode())

    def _remember_secret(self, value: object) -> None:
        if isinstance(value, str) and len(value) > 16:
            self.secrets.add(value)

    def _userinfo(self, asked: Asked) -> Answer:
        """CF-B15, CF-D10, UI-11."""
        self.complain(bool(asked.query) or bool(asked.body), "a token outside the header")
        self.complain("cookie" in asked.headers, "a cookie at the userinfo endpoint")
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        owner = self._owners.get(token)
        if scheme != "Bearer" or owner is None:
            return Answer(401, b"{}")
        userinfo: Json = {"sub": owner, "name": owner.title(), "shoe_size": {"eu": 43}}
        return Answer(200, json.dumps(self.script.userinfo(userinfo)).encode())

    def _end_session(self, asked: Asked) -> Answer:
        sent = dict(asked.query)
        back = self.script.post_logout(tuple(pair for pair in asked.query if pair[0] == "state"))
        query = f"?{urlencode(back)}" if back else ""
        return Answer(302, headers=(("Location", sent["post_logout_redirect_uri"] + query),))
