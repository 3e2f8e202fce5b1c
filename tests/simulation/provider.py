"""The provider: as strict as the strictest, and never wrong itself.

A code is good for one use and a refresh token too. Whoever uses one twice loses all that came of
it, and the simulation ends there: nothing that the fleet does may come to that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final
from urllib.parse import urlencode

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.oidc.authorization import code_challenge
from intastellar_auth.oidc.json_object import Json
from intastellar_auth.oidc.logout_token import EVENT
from tests.flows.stage import DISCOVERY, DOCUMENT, JWKS, TOKEN, USERINFO
from tests.oidc.forge import ISSUER, answer, claims, jwk, token

from .query import parameters, parameters_of

AUTHORIZE: Final = f"{ISSUER}/authorize"
REVOCATION: Final = f"{ISSUER}/revoke"
ALG: Final = "EdDSA"
CODE_LIFETIME: Final = 120.0
TOKEN_LIFETIME: Final = 300.0
_DOCUMENT: Final = DOCUMENT | {
    "revocation_endpoint": REVOCATION,
    "id_token_signing_alg_values_supported": [ALG],
    "authorization_response_iss_parameter_supported": True,
}


@dataclass(slots=True)
class Grant:
    """One consent of one user, and what has come of it. ``asked`` is the authorization request."""

    user: str
    sid: str
    asked: Mapping[str, str]
    code: str
    given: float
    code_used: bool = False
    revoked: bool = False
    refresh_token: str | None = None


@dataclass(slots=True)
class Provider:
    """Holds grants by what stands for them. ``hold`` ends the simulation where a row is broken."""

    clock: Callable[[], float]
    hold: Callable[..., None]
    userinfo: bool
    key: int = 1
    codes: dict[str, Grant] = field(default_factory=dict)
    refresh_tokens: dict[str, Grant] = field(default_factory=dict)
    access_tokens: dict[str, tuple[Grant, float]] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def approve(self, url: str, user: str) -> str:
        """Let ``user`` sign in at the authorization request ``url``; return the callback."""
        asked, number = parameters_of(url), next(self._numbers)
        code = f"code-{number}"
        self.codes[code] = Grant(user, f"sid-{number}", asked, code, self.clock())
        return _response(asked, code=code)

    def deny(self, url: str) -> str:
        """Let the user say no at the authorization request ``url``; return the callback."""
        return _response(parameters_of(url), error="access_denied")

    def end_session(self, url: str) -> str:
        """Sign the user out here; return where the browser goes on."""
        asked = parameters_of(url)
        return f"{asked['post_logout_redirect_uri']}?{urlencode({'state': asked['state']})}"

    def logout_token(self, grant: Grant) -> str:
        """Return the token that ends the session of ``grant`` at the site."""
        changes: dict[str, Json] = {"sub": grant.user, "sid": grant.sid, "nonce": None}
        more: dict[str, Json] = {"jti": f"jti-{next(self._numbers)}", "events": {EVENT: {}}}
        return self._signed(changes | more)

    def act(self, request: Fetch) -> Answer:
        """Do what ``request`` asks for, and return what is answered to it."""
        form = parameters((request.body or b"").decode())
        match request.url:
            case _ if request.url == DISCOVERY:
                return answer(_DOCUMENT)
            case _ if request.url == JWKS:
                # The next key is known before it is used, and an old one stays for a while.
                return answer({"keys": [jwk(ALG, f"key-{at}") for at in range(self.key + 2)]})
            case _ if request.url == USERINFO:
                return self._userinfo(request)
            case _ if request.url == REVOCATION:
                return self._revoke(form["token"])
            case _ if form["grant_type"] == "refresh_token":
                return self._refresh(form["refresh_token"])
        assert request.url == TOKEN, request
        return self._redeem(form)

    def _redeem(self, form: Mapping[str, str]) -> Answer:
        grant = self.codes[form["code"]]
        self.hold("P9", not grant.code_used, f"{grant.code} came twice: what it gave is revoked")
        grant.code_used = True
        assert code_challenge(form["code_verifier"]) == grant.asked["code_challenge"]
        if self.clock() >= grant.given + CODE_LIFETIME:
            return answer({"error": "invalid_grant"}, status=400)
        return self._issued(grant, id_token=self._id_token(grant, grant.asked["nonce"]))

    def _refresh(self, refresh_token: str) -> Answer:
        grant = self.refresh_tokens[refresh_token]
        fresh = grant.refresh_token == refresh_token
        self.hold("P14", fresh, f"{refresh_token} came twice: what it gave is revoked")
        if grant.revoked:
            return answer({"error": "invalid_grant"}, status=400)
        return self._issued(grant, id_token=self._id_token(grant, None))

    def _issued(self, grant: Grant, **more: Json) -> Answer:
        number = next(self._numbers)
        grant.refresh_token, access_token = f"refresh-{number}", f"access-{number}"
        self.refresh_tokens[grant.refresh_token] = grant
        self.access_tokens[access_token] = grant, self.clock() + TOKEN_LIFETIME
        document: dict[str, Json] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME,
            "refresh_token": grant.refresh_token,
        }
        return answer(document | more)

    def _revoke(self, text: str) -> Answer:
        by_access = {token: grant for token, (grant, _) in self.access_tokens.items()}
        (by_access | self.refresh_tokens)[text].revoked = True
        return answer({})

    def _userinfo(self, request: Fetch) -> Answer:
        bearer = dict(request.headers)["authorization"].removeprefix("Bearer ")
        return answer({"sub": self.access_tokens[bearer][0].user, "email": "user@example.com"})

    def _id_token(self, grant: Grant, nonce: str | None) -> str:
        email = None if self.userinfo else "user@example.com"
        changes: dict[str, Json] = {"sub": grant.user, "sid": grant.sid, "nonce": nonce}
        more: dict[str, Json] = {"email": email, "name": "A user", "auth_time": grant.given}
        return self._signed(changes | more)

    def _signed(self, changes: dict[str, Json]) -> str:
        now = self.clock()
        times: dict[str, Json] = {"iat": now, "exp": now + 300}
        return token(claims(**(times | changes)), alg=ALG, name=f"key-{self.key}")


def _response(asked: Mapping[str, str], **more: str) -> str:
    """OpenID Connect Core section 3.1.2.5, with the ``iss`` of RFC 9207."""
    parameters = {**more, "state": asked["state"], "iss": ISSUER}
    return f"{asked['redirect_uri']}?{urlencode(parameters)}"
