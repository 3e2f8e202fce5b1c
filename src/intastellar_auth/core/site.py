"""What a flow is given: the site's settings made ready, a clock, and a source of randomness.

Everything decidable is decided here, once, at start-up: keys are derived, paths put together, rules
compiled. A simulation gives its own clock and randomness.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from intastellar_auth import log
from intastellar_auth.core.admission import Admissions, make_admissions
from intastellar_auth.core.attempt import Attempts
from intastellar_auth.core.claims import essential_acr
from intastellar_auth.core.cookies import CookieAttributes
from intastellar_auth.core.hint import Hints
from intastellar_auth.core.in_cookie import InCookie
from intastellar_auth.core.in_store import InStore, make_signer
from intastellar_auth.core.paths import PathRules
from intastellar_auth.core.provider import Provider
from intastellar_auth.core.return_to import return_path
from intastellar_auth.core.seal import Sealer, make_sealer
from intastellar_auth.core.session import Keeper, Sessions, roll_after
from intastellar_auth.entrance import Entrance
from intastellar_auth.oidc.client_auth import Client, choose_method
from intastellar_auth.oidc.discovery import Metadata
from intastellar_auth.oidc.private_key import SigningKey, load_private_key
from intastellar_auth.settings import Settings
from intastellar_auth.user import Auth


@dataclass(frozen=True, slots=True)
class Site:
    """One site: shared by all its requests, changed by none."""

    settings: Settings
    clock: Callable[[], float]
    token_bytes: Callable[[int], bytes]
    provider: Provider
    sessions: Sessions
    attempts: Attempts
    hints: Hints
    landings: Sealer
    proofs: Sealer
    admissions: Admissions
    rules: PathRules
    nobody: Auth
    unsure: Auth
    prefix: str
    landing: str
    after_logout: str
    private_key: SigningKey | None
    essential_acr: tuple[str, ...]

    def client(self, metadata: Metadata) -> Client:
        """Return how we make ourselves known at the token endpoint that ``metadata`` names."""
        settings, private_key = self.settings, self.private_key
        secret = settings.client_secret
        return Client(
            client_id=settings.client_id,
            method=choose_method(
                has_secret=secret is not None,
                has_private_key=private_key is not None,
                supported=metadata.token_endpoint_auth_methods,
                wanted=settings.token_endpoint_auth_method,
            ),
            secret=None if secret is None else secret.get_secret_value(),
            private_key=private_key,
        )

    def return_path(self, candidate: str | None, default: str) -> str:
        """Return ``candidate`` if it is a path on this site, else ``default``."""
        return return_path(candidate, default=default, own_prefix=self.prefix)

    @property
    def home(self) -> str:
        """The site's front page, where every page of ours leads back to."""
        return self.settings.base_path + "/"

    def app_path(self, path: str) -> str:
        """Return the app's own path for ``path`` as the browser sees it, decoded, without query."""
        decoded, base = unquote(path.partition("?")[0].partition("#")[0]), self.settings.base_path
        return (decoded[len(base) :] or "/") if f"{decoded}/".startswith(f"{base}/") else decoded

    def login_url(self, return_to: str) -> str:
        """Return where a sign-in that ends at ``return_to`` starts."""
        return f"{self.prefix}/login?next={quote(return_to, safe='/')}"


def make_site(
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
    token_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Site:
    """Return the site that ``settings`` describe."""
    name = settings.cookie_name
    bare = name.removeprefix("__Host-").removeprefix("__Secure-")
    path_bound = f"__Secure-{bare}" if settings.secure else bare
    prefix = settings.base_path + settings.path_prefix
    keys = [secret.get_secret_value().encode() for secret in settings.secret_keys]
    key = settings.client_private_key

    def sealer(purpose: str, cookie: str = "") -> Sealer:
        binding = [purpose, cookie, settings.issuer_or_origin, settings.client_id]
        return make_sealer(keys, binding, token_bytes)

    session_cookie = CookieAttributes(
        domain=settings.cookie_domain,
        secure=settings.secure,
        same_site=settings.cookie_samesite,
    )
    # The provider's form_post is a cross-site POST, with which Lax cookies do not travel (CK-22);
    # browsers take SameSite=None only with Secure, and Secure also over http from loopback.
    posted = settings.response_mode == "form_post"
    login_cookie = CookieAttributes(
        secure=settings.secure or posted, same_site="none" if posted else "lax"
    )
    login_prefix = f"__Host-{bare}-login-" if settings.secure else f"{bare}-login-"
    sessions = Sessions(
        name=name,
        attributes=session_cookie,
        keeper=_keeper(settings, sealer, keys),
        lifetime=settings.session_lifetime,
        idle=settings.session_idle,
        roll_after=roll_after(settings.session_idle),
    )
    nobody = Auth(entrance=Entrance(settings.origin, settings.base_path, f"{prefix}/login"))
    if settings.log_claims:
        log.event(logging.WARNING, "claims_are_logged", {"because_of": "INTASTELLAR_LOG_CLAIMS"})
    return Site(
        settings=settings,
        clock=clock,
        token_bytes=token_bytes,
        provider=Provider(
            settings.issuer if settings.discovers else None, _endpoints(settings), clock
        ),
        sessions=sessions,
        admissions=make_admissions(
            sessions, settings.revocation_check, settings.store_grace, clock
        ),
        attempts=Attempts(
            prefix=login_prefix,
            attributes=login_cookie,
            cookie_sealer=sealer("login", login_prefix),
            state_sealer=sealer("state"),
            token_bytes=token_bytes,
            timeout=settings.login_timeout,
            window=settings.replay_window,
        ),
        hints=Hints(
            name=f"{path_bound}-hint",
            attributes=replace(session_cookie, path=f"{prefix}/logout", domain=None),
            sealer=sealer("hint", path_bound),
            max_age=settings.session_lifetime,
        ),
        landings=sealer("landing"),
        proofs=sealer("proof"),
        rules=PathRules.of(settings.protected_paths, settings.public_paths),
        nobody=nobody,
        unsure=replace(nobody, unsure=True),
        prefix=prefix,
        landing=settings.landing_path,
        after_logout=settings.post_logout_path,
        private_key=None if key is None else load_private_key(key.get_secret_value()),
        essential_acr=essential_acr(settings.authorization_params.get("claims")),
    )


def _keeper(settings: Settings, sealer: Callable[[str, str], Sealer], keys: list[bytes]) -> Keeper:
    """``SESSION_MODE``."""
    name = settings.cookie_name
    if settings.session_mode == "cookie":
        return InCookie(sealer("session", name))
    binding = ["session id", name, settings.issuer_or_origin, settings.client_id]
    return InStore(make_signer(keys, binding), sealer("session entry", name))


_ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "end_session_endpoint",
    "revocation_endpoint",
    "pushed_authorization_request_endpoint",
)


def _endpoints(settings: Settings) -> Callable[[Metadata | None], Metadata]:
    """What the settings say stands over what discovery finds."""
    values = {name: getattr(settings, name) for name in _ENDPOINTS}
    said = {name: value for name, value in values.items() if value is not None}
    unannounced = Metadata(
        issuer=settings.issuer,
        authorization_endpoint="",
        token_endpoint="",
        jwks_uri=None,
        userinfo_endpoint=None,
        end_session_endpoint=None,
        revocation_endpoint=None,
        pushed_authorization_request_endpoint=None,
        require_pushed_authorization_requests=False,
        token_endpoint_auth_methods=(),
        id_token_signing_algs=(),
        code_challenge_methods=None,
        iss_parameter_supported=False,
    )
    return lambda found: replace(found or unannounced, **said)
