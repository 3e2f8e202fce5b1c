"""A site, a strict provider's answers, and a browser, for flows that are played by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import cast
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from intastellar_auth.core.dispatch import answer as answer_route
from intastellar_auth.core.dispatch import make_routes
from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.site import Site, make_site
from intastellar_auth.oidc.json_object import Json
from intastellar_auth.settings import Settings
from tests.oidc.forge import ACCESS_TOKEN, CLIENT_ID, ISSUER, answer, claims, jwk, token

from .hand import Hand, Running, make_token_bytes

ORIGIN = "https://site.example"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
JWKS, TOKEN, USERINFO = f"{ISSUER}/jwks", f"{ISSUER}/token", f"{ISSUER}/userinfo"
END_SESSION = f"{ISSUER}/logout"
SESSION_COOKIE = "__Host-intastellar"
CODE = "code-1"
NAVIGATION = {
    "accept": "text/html",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": "none",
}
DOCUMENT: dict[str, Json] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": TOKEN,
    "jwks_uri": JWKS,
    "userinfo_endpoint": USERINFO,
    "end_session_endpoint": END_SESSION,
    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    "id_token_signing_alg_values_supported": ["RS256"],
    "code_challenge_methods_supported": ["S256"],
}
PROFILE: dict[str, Json] = {"sub": "alice", "name": "Alice", "email": "alice@example.com"}


def site_settings(**values: object) -> Settings:
    """Return settings that work, with ``values`` instead or besides."""
    least: dict[str, object] = {
        "issuer": ISSUER,
        "client_id": CLIENT_ID,
        "client_secret": "the secret of this client",
        "base_url": ORIGIN,
        "secret_keys": "a key of this site that is long enough to be one",
        "store_url": "memory://",
        "claims": "name,email,email_verified",
    }
    return Settings(_env_file=None, **{**least, **values})


@dataclass(slots=True)
class Browser:
    """Keeps cookies, and says of its requests that they are navigations."""

    cookies: dict[str, str] = field(default_factory=dict)

    def request(
        self,
        target: str,
        method: str = "GET",
        headers: Mapping[str, str | None] | None = None,
        body: bytes = b"",
    ) -> Request:
        """Return a request; a header whose value is ``None`` is left out."""
        sent = {**NAVIGATION, **(headers or {})}
        if self.cookies:
            pairs = (f"{name}={value}" for name, value in self.cookies.items())
            sent = {"cookie": "; ".join(pairs), **sent}
        path, _, query = target.partition("?")
        kept = tuple((name, value) for name, value in sent.items() if value is not None)
        return Request(method, path, query, kept, body)

    def keep(self, reply: Reply) -> Reply:
        """Keep what ``reply`` sets, forget what it removes, and return it."""
        for name, value in set_cookies(reply).items():
            if "Max-Age=0" in value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value.partition(";")[0]
        return reply

    @property
    def signed_in(self) -> bool:
        """Whether there is a session cookie."""
        return SESSION_COOKIE in self.cookies


@dataclass(slots=True)
class Stage:
    """One site on one store, asked by one browser."""

    hand: Hand
    settings: Settings
    site: Site
    browser: Browser = field(default_factory=Browser)
    grants: dict[str, dict[str, Json]] = field(default_factory=dict)

    def run(self, request: Request) -> Running[Reply]:
        """Start the flow that answers ``request``, to its first effect."""
        route = make_routes(self.settings.path_prefix)[request.path]
        return self.hand.start(answer_route(self.site, route, request))

    def go(self, target: str, headers: Mapping[str, str | None] | None = None) -> Reply:
        """Let the browser navigate to ``target``."""
        return self.ask(self.browser.request(target, headers=headers))

    def ask(self, request: Request) -> Reply:
        """Answer ``request``, and let the browser keep the cookies."""
        return self.browser.keep(self.hand.finish(self.run(request)))

    def begin(self, next_path: str = "/page", code: str = CODE, **changes: Json) -> str:
        """Start a sign-in, let the user sign in at the provider, and return the callback."""
        return self.approve(self.go(f"/auth/login?{urlencode({'next': next_path})}"), code, changes)

    def approve(self, reply: Reply, code: str, changes: Mapping[str, Json]) -> str:
        """Return the callback for the provider's ``code``, good for one use."""
        asked = asked_of_provider(reply)
        self.grants[code] = claims(**{"nonce": asked["nonce"], **changes})
        return f"/auth/callback?{urlencode({'code': code, 'state': asked['state']})}"

    def sign_in(self, next_path: str = "/page", code: str = CODE, **changes: Json) -> Reply:
        """Sign in from beginning to end."""
        return self.go(self.begin(next_path, code, **changes))

    def redeem(self, request: Fetch) -> Answer:
        """Answer a token request; a code that comes twice is a mistake of the product."""
        code = dict(parse_qsl((request.body or b"").decode())).get("code", "")
        return token_answer(self.grants.pop(code))

    def other_process(self) -> Stage:
        """Return another process of this site: same store, same browser, no shared memory."""
        return replace(self, site=_site(self.settings, self.hand))


def make_stage(**values: object) -> Stage:
    """Return a stage whose settings are ``values`` where they are not the usual ones."""
    settings, hand = site_settings(**values), Hand()
    stage = Stage(hand, settings, _site(settings, hand))
    hand.say(DISCOVERY, answer(DOCUMENT))
    hand.say(JWKS, answer({"keys": [jwk()]}))
    hand.say(TOKEN, stage.redeem)
    hand.say(USERINFO, answer(PROFILE))
    return stage


_token_bytes = make_token_bytes()


def _site(settings: Settings, hand: Hand) -> Site:
    return make_site(settings, clock=hand.clock, token_bytes=_token_bytes)


def token_answer(granted: Mapping[str, Json], **more: Json) -> Answer:
    """Return a token endpoint's answer with an ID token of the claims in ``granted``."""
    document = {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": token(granted)}
    return answer({**document, **more})


def asked_of_provider(reply: Reply) -> dict[str, str]:
    """Return the parameters with which ``reply`` sends the browser to sign in."""
    target = location(reply)
    assert target.startswith(f"{ISSUER}/authorize?"), target
    return dict(parse_qsl(urlsplit(target).query, strict_parsing=True))


def location(reply: Reply) -> str:
    """Return where ``reply`` redirects to."""
    assert reply.status == 303, (reply.status, reply.body)
    return header(reply, "location")


def header(reply: Reply, name: str) -> str:
    """Return the one header ``name`` of ``reply``."""
    (value,) = (value for key, value in reply.headers if key == name)
    return value


def set_cookies(reply: Reply) -> dict[str, str]:
    """Return what ``reply`` sets: names, and the rest of each ``Set-Cookie``."""
    return dict(_set_cookies(reply))


def _set_cookies(reply: Reply) -> Iterator[tuple[str, str]]:
    for key, value in reply.headers:
        if key == "set-cookie":
            name, _, rest = value.partition("=")
            yield name, rest


def query(url: str) -> dict[str, str]:
    """Return the parameters of ``url``, each of which comes once."""
    parsed = parse_qs(urlsplit(url).query, strict_parsing=True)
    return {name: cast("tuple[str]", tuple(values))[0] for name, values in parsed.items()}


def text(reply: Reply) -> str:
    """Return the body of ``reply``."""
    return reply.body.decode()
