"""A provider over real HTTP that says the same each time: nothing in it is random."""

from __future__ import annotations

import hashlib
import http.client
import json
import time
from collections import Counter
from threading import Event, Lock
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode, urlsplit

from tests.hostile.server import Answer, Asked, Server
from tests.oidc.forge import jwk, token

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENT_ID = "site"
ACCESS_TOKEN = "an-access-token-of-the-tests"
_PATIENCE = 20.0


class Provider:
    """Signs ``alice`` in without asking, and takes each code once.

    ``answers`` replaces what an endpoint says. While ``holds`` is set the token endpoint waits,
    after having said so in ``holding``, until it is cleared by ``release``.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.claims: dict[str, object] = {}
        self.answers: dict[str, Answer] = {}
        self.asked: list[Asked] = []
        self.holds = False
        self.holding = Event()
        self._released = Event()
        self._codes: dict[str, str] = {}
        self._lock = Lock()
        self._server = Server(self._respond)
        self.issuer = self._server.base

    def __enter__(self) -> Self:
        """Return itself; it is stopped when the block is left."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.release()
        self._server.stop()

    def begin(self, clock: Callable[[], float]) -> None:
        """Forget everything, and go by ``clock`` from now on; the address stays."""
        self.clock = clock
        self.claims, self.answers, self.asked, self._codes = {}, {}, [], {}

    def release(self) -> None:
        """Let the token endpoint answer, now and from now on."""
        self.holds = False
        self._released.set()

    @property
    def hits(self) -> Counter[str]:
        """How often each path was asked."""
        return Counter(asked.path for asked in self.asked)

    def url(self, endpoint: str) -> str:
        """Return the address of ``endpoint``."""
        return f"{self.issuer}/{endpoint}"

    def _respond(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
        match asked.path:
            case path if path in self.answers:
                return self.answers[path]
            case "/.well-known/openid-configuration":
                return _json(self._metadata())
            case "/jwks":
                return _json({"keys": [jwk()]})
            case "/authorize":
                return self._authorize(dict(asked.query))
            case "/token":
                return self._token(dict(asked.form))
            case "/held":
                # Whoever has no thread to wait in is told when the token endpoint holds.
                return Answer(200 if self.holding.wait(_PATIENCE) else 504)
            case "/release":
                self.release()
                return Answer(200)
        return Answer(404)

    def _metadata(self) -> dict[str, object]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": self.url("authorize"),
            "token_endpoint": self.url("token"),
            "jwks_uri": self.url("jwks"),
            "end_session_endpoint": self.url("end_session"),
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def _authorize(self, sent: dict[str, str]) -> Answer:
        code = hashlib.sha256(sent["state"].encode()).hexdigest()
        with self._lock:
            self._codes[code] = sent.get("nonce", "")
        response = urlencode({"code": code, "state": sent["state"]})
        return Answer(302, headers=(("Location", f"{sent['redirect_uri']}?{response}"),))

    def _token(self, sent: dict[str, str]) -> Answer:
        with self._lock:
            nonce = self._codes.pop(sent.get("code", ""), None)
        if nonce is None:
            return _json({"error": "invalid_grant"}, status=400)
        if self.holds:
            self.holding.set()
            self._released.wait(_PATIENCE)
        now = int(self.clock())
        claims = {
            "iss": self.issuer,
            "sub": "alice",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "name": "Alice",
            "email": "alice@site.example",
            **self.claims,
        }
        body = json.dumps(claims).encode()
        return _json(
            {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": token(body)}
        )


def approve(location: str) -> str:
    """Ask for ``location``, an authorization request; return the callback's target on the site."""
    url = urlsplit(location)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=_PATIENCE)
    try:
        connection.request("GET", f"{url.path}?{url.query}")
        answer = connection.getresponse()
        answer.read()
        back = urlsplit(answer.headers["location"])
    finally:
        connection.close()
    return f"{back.path}?{back.query}"


def _json(document: dict[str, object], status: int = 200) -> Answer:
    return Answer(status, json.dumps(document).encode())
