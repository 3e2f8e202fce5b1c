"""A site that is asked one thing, and is the same again before the next.

Its clock stands still and its randomness is none, so that every attempt has the same ``state`` and
``nonce``, and an ID token can be made once for all inputs.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from intastellar_auth.core.front import Front, make_front
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.provider import Provider
from intastellar_auth.core.site import Site, make_site
from intastellar_auth.errors import ProviderUnreachable
from tests.flows.hand import Hand
from tests.flows.refreshing import REVOCATION
from tests.flows.stage import (
    DISCOVERY,
    DOCUMENT,
    JWKS,
    NAVIGATION,
    PROFILE,
    SESSION_COOKIE,
    TOKEN,
    USERINFO,
    asked_of_provider,
    site_settings,
)
from tests.oidc.forge import ISSUER, answer, claims, jwk, token

if TYPE_CHECKING:
    from intastellar_auth.core.admission import Admitted
    from intastellar_auth.core.session import Session
    from intastellar_auth.oidc.json_object import Json

PUSHED = f"{ISSUER}/par"
CODE = "code-1"
PROVIDER: dict[str, Json] = {
    **DOCUMENT,
    "revocation_endpoint": REVOCATION,
    "pushed_authorization_request_endpoint": PUSHED,
    "id_token_signing_alg_values_supported": ["ES256"],
}
FINE = {*range(500), 502, 503, 507}


def no_randomness(size: int) -> bytes:
    """Return the same bytes each time."""
    return b"\x07" * size


@dataclass(slots=True, eq=False)
class Bench:
    """One site, one provider, one browser, and the session that alice has there."""

    hand: Hand
    site: Site
    front: Front
    entries: dict[str, tuple[float, bytes]] = field(default_factory=dict)
    state: str = ""
    nonce: str = ""
    login_cookie: str = ""
    session_cookie: str = ""
    hint_cookie: str = ""
    session: Session | None = None

    def reset(self) -> None:
        """Forget what the last input did; what is known of the provider stays."""
        store, admissions = self.hand.store, self.site.admissions
        store._entries, store._expiries = dict(self.entries), []
        admissions._remembered.clear()
        admissions._ended.clear()
        self.hand.done.clear()

    def with_unknown_provider(self) -> Bench:
        """Return the same, with a process that has heard nothing of the provider yet."""
        known = self.site.provider
        provider = Provider(known.discovery_issuer, known.said, self.hand.clock)
        site = replace(self.site, provider=provider)
        return replace(self, site=site, front=make_front(site))

    def ask(self, request: Request) -> Reply:
        """Return the reply, held against what every reply must be."""
        self.reset()
        reply = self.hand.play(self.front.answer(request))
        assert reply is not None
        hold_reply(reply)
        return reply

    def get(self, target: str, cookie: str = "", **headers: str) -> Reply:
        """Navigate to ``target``."""
        path, _, query = target.partition("?")
        sent = {"cookie": cookie, **NAVIGATION, **headers}
        return self.ask(Request("GET", path, query, tuple(sent.items())))

    def call_back(self, cookie: str | None = None) -> Reply:
        """Come back with a code that is good."""
        kept = self.login_cookie if cookie is None else cookie
        return self.get(f"/auth/callback?code={CODE}&state={self.state}", kept)

    def admit(self, header: bytes) -> Admitted | None:
        """Return who a request to the app is from."""
        self.reset()
        at_once = self.site.admissions.at_once(header, self.hand.clock.now)
        return at_once or self.hand.play(self.front.admit(header))

    def given(self, reply: Reply) -> Session | None:
        """Return the session that ``reply`` gives."""
        header = "; ".join(
            value.partition(";")[0] for name, value in reply.headers if name == "set-cookie"
        )
        # The store is as the reply has left it.
        found = self.hand.play(self.site.sessions.find(header.encode(), self.hand.clock.now))
        assert found is not None or f"{SESSION_COOKIE}=1" not in header
        return found


def make_bench(**values: object) -> Bench:
    """Return a bench at which alice has signed in."""
    # A document of the provider's may name any address: nobody is there.
    hand = Hand(said=defaultdict(lambda: [ProviderUnreachable("nobody listens")]))
    site = make_site(site_settings(**values), clock=hand.clock, token_bytes=no_randomness)
    bench = Bench(hand, site, make_front(site))
    hand.say(DISCOVERY, answer(PROVIDER))
    hand.say(JWKS, answer({"keys": [jwk("ES256")]}))
    hand.say(USERINFO, answer(PROFILE))
    hand.say(REVOCATION, answer({}))
    hand.say(PUSHED, answer({"request_uri": "urn:example:1", "expires_in": 60}, status=201))
    reply = bench.get("/auth/login?next=/page")
    asked = asked_of_provider(reply)
    if "request_uri" in asked:
        asked = dict(parse_qsl((hand.fetched(PUSHED)[-1].body or b"").decode()))
    bench.state, bench.nonce = asked["state"], asked["nonce"]
    bench.login_cookie = cookie_pairs(reply)[0]
    hand.say(TOKEN, answer(token_document(bench.nonce)))
    reply = _sign_in(bench)
    bench.session = bench.given(reply)
    bench.session_cookie, bench.hint_cookie = cookie_pairs(reply)[:2]
    bench.entries = {
        key: entry
        for key, entry in hand.store._entries.items()
        if key.startswith(("session:", "tokens:"))
    }
    return bench


def _sign_in(bench: Bench) -> Reply:
    if bench.site.settings.response_mode == "query":
        return bench.call_back()
    return bench.ask(posted(f"code={CODE}&state={bench.state}".encode(), bench.login_cookie))


def posted(body: bytes, cookie: str = "", path: str = "/auth/callback") -> Request:
    """Return a form that a page makes a browser post."""
    headers = {
        "cookie": cookie,
        **NAVIGATION,
        "content-type": "application/x-www-form-urlencoded",
    }
    return Request("POST", path, "", tuple(headers.items()), body)


def token_document(nonce: str, **more: Json) -> dict[str, Json]:
    """Return a good answer of the token endpoint for alice."""
    return {
        "access_token": "access-1",
        "token_type": "Bearer",
        "expires_in": 300,
        "refresh_token": "refresh-1",
        "scope": "openid profile",
        "id_token": id_token(nonce),
        **more,
    }


def id_token(nonce: str | None, **changes: Json) -> str:
    """Return alice's ID token, with ``changes``."""
    return token(claims(**{"nonce": nonce, "sid": "sid-1", **changes}), alg="ES256")


def cookie_pairs(reply: Reply) -> list[str]:
    """Return name and value of each cookie that ``reply`` sets, in its order."""
    return [value.partition(";")[0] for name, value in reply.headers if name == "set-cookie"]


def hold_reply(reply: Reply) -> None:
    """HL-01: nothing from outside can end a header, or become a tag of a page."""
    assert reply.status in FINE, reply.status
    for name, value in reply.headers:
        assert name.isascii(), name
        assert value.isascii(), (name, value)
        assert (name + value).isprintable(), (name, value)
    html = dict(reply.headers).get("content-type", "").startswith("text/html")
    assert not (html and b"<fuzz" in reply.body)


def location_of(reply: Reply) -> str:
    """Return where ``reply`` redirects to, or nothing."""
    return dict(reply.headers).get("location", "")
