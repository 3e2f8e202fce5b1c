"""A provider that forgives nothing: what comes to it twice is written down as broken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from intastellar_auth.errors import ProviderTimeout, ProviderUnreachable
from tests.flows.refreshing import REVOCATION
from tests.flows.stage import DISCOVERY, DOCUMENT, JWKS, TOKEN
from tests.oidc.forge import answer, claims, jwk, token

if TYPE_CHECKING:
    from intastellar_auth.core.effects import Answer, Fetch
    from intastellar_auth.oidc.json_object import Json
    from tests.flows.hand import Hand

TOKEN_LIFETIME = 300.0
FAULTS = ("refuses", "times out", "cannot be reached")


@dataclass(slots=True, eq=False)
class Grant:
    """What a code is worth, once; ``at`` is when it was asked for, ``live`` its refresh token."""

    user: str
    sid: str
    nonce: str
    at: float | None = None
    live: str | None = None
    revoked: bool = False


@dataclass(slots=True)
class StrictProvider:
    """The provider's endpoints; ``fault`` is what happens to the next code."""

    hand: Hand
    fault: str | None = None
    grants: dict[str, Grant] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    refreshes: dict[str, Grant] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    ends: dict[str, float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    sids: int = 0

    def __post_init__(self) -> None:
        document: dict[str, Json] = {
            **DOCUMENT,
            "revocation_endpoint": REVOCATION,
            "id_token_signing_alg_values_supported": ["ES256"],
        }
        self.hand.say(DISCOVERY, answer(document))
        self.hand.say(JWKS, answer({"keys": [jwk("ES256")]}))
        self.hand.say(TOKEN, self.answer_token)
        self.hand.say(REVOCATION, self.answer_revocation)

    def new_sid(self) -> str:
        """Return the name of a new session at the provider."""
        self.sids += 1
        return f"sid-{self.sids}"

    def grant(self, user: str, sid: str, nonce: str) -> str:
        """Return a code for ``user``, who has signed in."""
        code = f"code-{len(self.grants)}"
        self.grants[code] = Grant(user, sid, nonce)
        return code

    def answer_token(self, request: Fetch) -> Answer:
        """Answer a token request (RFC 6749 section 3.2)."""
        form = dict(parse_qsl((request.body or b"").decode()))
        if form["grant_type"] == "refresh_token":
            return self._refreshed(form["refresh_token"])
        return self._redeemed(form["code"])

    def answer_revocation(self, request: Fetch) -> Answer:
        """Revoke a refresh token and all that comes of it (RFC 7009 section 2.1)."""
        form = dict(parse_qsl((request.body or b"").decode()))
        self.refreshes[form["token"]].revoked = True
        return answer({})

    def _redeemed(self, code: str) -> Answer:
        fault, self.fault = self.fault, None
        if fault == "cannot be reached":
            raise ProviderUnreachable("nobody listens")
        grant, now = self.grants[code], self.hand.clock.now
        self.broken += [f"{code} was sent twice"] * (code in self.sent)
        self.sent[code] += 1
        grant.at = now
        if fault == "times out":
            raise ProviderTimeout("no answer")
        if fault == "refuses":
            return answer({"error": "invalid_grant"}, status=400)
        identity = claims(
            sub=grant.user,
            name=grant.user.title(),
            sid=grant.sid,
            nonce=grant.nonce,
            iat=now,
            exp=now + 300,
        )
        return self._issued(grant, id_token=token(identity, alg="ES256"))

    def _refreshed(self, refresh_token: str) -> Answer:
        grant = self.refreshes[refresh_token]
        self.broken += [f"{refresh_token} was used twice"] * (refresh_token in self.spent)
        self.spent.add(refresh_token)
        refused = answer({"error": "invalid_grant"}, status=400)
        return refused if grant.revoked else self._issued(grant)

    def _issued(self, grant: Grant, **more: str) -> Answer:
        number = len(self.refreshes)
        access_token, grant.live = f"access-{number}", f"refresh-{number}"
        self.refreshes[grant.live] = grant
        self.ends[access_token] = self.hand.clock.now + TOKEN_LIFETIME
        return answer(
            {
                "access_token": access_token,
                "refresh_token": grant.live,
                "token_type": "Bearer",
                "expires_in": TOKEN_LIFETIME,
                **more,
            }
        )
