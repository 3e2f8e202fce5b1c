"""Every setting, its check, and its default: all from the environment, or as arguments.

A rule that needs several settings stands at the last of them in the order of the class, and sees
those before it that are right by themselves. So one start reports everything that is wrong.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from intastellar_auth import setting_checks as check
from intastellar_auth import setting_rules as rule
from intastellar_auth import setting_sources as source
from intastellar_auth import setting_urls as url
from intastellar_auth.errors import SettingsError

Endpoint = Annotated[str, AfterValidator(url.provider_url)]
Secret = Annotated[SecretStr, AfterValidator(check.hidden(check.client_text))]
Key = Annotated[SecretStr, AfterValidator(check.hidden(check.private_key))]
Words = Annotated[tuple[str, ...], BeforeValidator(check.split)]
Globs = Annotated[Words, AfterValidator(check.each(check.glob))]
Keys = Annotated[
    tuple[SecretStr, ...], BeforeValidator(check.split), AfterValidator(check.secret_keys)
]
SitePath = Annotated[str, AfterValidator(rule.site_path)]
_YEAR = 34_560_000  # 400 days: browsers keep no cookie for longer (RFC 6265bis section 5.5)


class Settings(BaseSettings):
    """What a site's owner can set; ``Settings()`` reads the environment and ``.env``.

    An argument has the variable's name in lower case without the prefix, and wins over the
    environment. All problems are raised together as one ``SettingsError``.
    """

    model_config = SettingsConfigDict(
        env_prefix=source.PREFIX,
        enable_decoding=False,
        extra="ignore",  # names are checked by ``source.unknown``, which knows the nearest
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    issuer: Annotated[str, AfterValidator(url.issuer)] | None = Field(
        None, description="Issuer, exactly as the provider writes it; discovery supplies the rest."
    )
    authorization_endpoint: Endpoint | None = Field(
        None, description="Where the browser signs in. Overrides discovery, like all endpoints."
    )
    token_endpoint: Endpoint | None = Field(None, description="Where a code is redeemed.")
    jwks_uri: Endpoint | None = Field(None, description="The keys that ID tokens are signed with.")
    userinfo_endpoint: Endpoint | None = Field(
        None, description="Where claims are asked for; required without `openid` and `ISSUER`."
    )
    end_session_endpoint: Endpoint | None = Field(
        None, description="Where a logout ends the provider's own session."
    )
    revocation_endpoint: Endpoint | None = Field(
        None, description="Where tokens are revoked; unused while no tokens are kept."
    )
    pushed_authorization_request_endpoint: Endpoint | None = Field(
        None, description="Where authorization requests are pushed (RFC 9126); used where set."
    )
    pushed_authorization_requests: Annotated[bool, AfterValidator(rule.pushed_requests)] = Field(
        False, description="Whether to push them where the provider does not require it."
    )
    client_id: Annotated[str, AfterValidator(check.client_text)] = Field(
        description="The client identifier from the registration."
    )
    client_secret: Secret | None = Field(
        None, description="The client secret; without it and a private key the client is public."
    )
    client_private_key: Key | None = Field(
        None, description="PEM, JWK or JWK Set for `private_key_jwt`; the first key signs."
    )
    token_endpoint_auth_method: Annotated[
        Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"] | None,
        AfterValidator(rule.client_authentication),
    ] = Field(
        None,
        description="`client_secret_basic`, `client_secret_post`, `private_key_jwt` or `none`; "
        "chosen from the credentials and discovery where it is not set.",
    )
    scope: Annotated[str, AfterValidator(check.scope), AfterValidator(rule.registration)] = Field(
        "openid profile email",
        description="Scopes to ask for, separated by spaces; without `openid` there is no ID token "
        "and userinfo says who the user is.",
    )
    response_mode: Literal["query", "form_post"] = Field(
        "query", description="How the answer comes back: `query`, or `form_post`."
    )
    authorization_params: Annotated[dict[str, str], BeforeValidator(check.authorization_params)] = (
        Field(
            {},
            description="JSON object of extra authorization parameters, such as `prompt`, "
            "`acr_values` (a wish; an essential `acr` in `claims` is a condition), `max_age`, "
            "`claims` (an object) or `resource` (a text, or a list).",
        )
    )
    base_url: Annotated[str, AfterValidator(url.base_url)] = Field(
        description="The site's public URL, https unless the host is loopback; redirect URIs are "
        "built from it alone, never from request headers."
    )
    path_prefix: Annotated[
        str, AfterValidator(url.path_prefix), AfterValidator(rule.added_once)
    ] = Field("/auth", description="Where login, callback and logout are.")
    secret_keys: Keys = Field(
        description="One or more keys, separated by commas, newest first, of 32 characters or "
        "more; the first seals, all open."
    )
    protected_paths: Globs = Field(
        (),
        description="Globs, separated by commas, of paths that need a signed-in user; `*` for all; "
        "`/admin/*` includes `/admin`.",
    )
    public_paths: Annotated[Globs, AfterValidator(rule.public_paths)] = Field(
        (), description="Globs of paths that do not, among the protected ones."
    )
    landing_path: SitePath = Field(
        default_factory=rule.default_site_path,
        description="Where a sign-in without `next` ends, as the browser sees it.",
    )
    post_logout_path: SitePath = Field(
        default_factory=rule.default_site_path,
        description="Where a logout ends, as the browser sees it; should be a public page. "
        "Register it at the provider, as the origin of `BASE_URL` + this path.",
    )
    session_mode: Literal["cookie", "server"] = Field(
        "cookie",
        description="`cookie`: the whole session, sealed in the cookie. "
        "`server`: a signed id in the cookie, the rest in the store.",
    )
    session_lifetime: int = Field(
        604_800, ge=1, le=_YEAR, description="Seconds a session lasts from sign-in at most."
    )
    session_idle: Annotated[int, AfterValidator(rule.session_idle)] = Field(
        default_factory=rule.default_session_idle,
        ge=1,
        le=_YEAR,
        description="Seconds without a request after which a session ends; not more than "
        "`SESSION_LIFETIME`.",
    )
    cookie_domain: Annotated[str, AfterValidator(rule.cookie_domain)] | None = Field(
        None, description="Domain to share the session with; the host alone where it is not set."
    )
    cookie_name: Annotated[
        str, AfterValidator(check.cookie_name), AfterValidator(rule.cookie_prefix)
    ] = Field(
        default_factory=rule.default_cookie_name,
        description="Name of the session cookie; by default `__Secure-intastellar` with "
        "`COOKIE_DOMAIN`, and `intastellar` on plain http.",
    )
    cookie_samesite: Annotated[
        Literal["lax", "strict", "none"],
        BeforeValidator(check.lower),
        AfterValidator(rule.cookie_samesite),
    ] = Field("lax", description="`lax`, `strict`, or `none` (https only).")
    claims: Annotated[Words, AfterValidator(check.each(check.claim))] = Field(
        (
            *("name", "email", "email_verified", "picture", "preferred_username", "locale"),
            *("zoneinfo", "roles", "groups"),
        ),
        description="Claims kept in the session; `sub`, `iss`, `sid` and `auth_time` always are.",
    )
    keep_tokens: bool = Field(
        False,
        description="Keep access and refresh tokens for the app, and refresh them before they end.",
    )
    session_needs_tokens: bool = Field(
        False, description="Whether a session ends when its refresh token is refused."
    )
    store_url: Annotated[SecretStr, AfterValidator(check.hidden(check.store_url))] = Field(
        SecretStr("auto"),
        description="Where processes share state: `auto` (SQLite in a private folder of the user, "
        "for all processes of this machine), `sqlite:///absolute/path`, `memory://`, or for all "
        "machines `redis://host`, `redis+sentinel://host/service`, `redis+cluster://host` "
        "(`rediss` for TLS; see `docs/operating.md`).",
    )
    replay_window: int = Field(
        120, ge=1, le=3600, description="Seconds for which a finished callback answers again."
    )
    login_timeout: int = Field(
        1800, ge=1, le=86_400, description="Seconds a started sign-in may take."
    )
    revocation_check: int = Field(
        30,
        ge=0,
        le=86_400,
        description="Seconds, per process, for which a session is trusted before it is held "
        "against the list of ended sessions again.",
    )
    store_grace: int = Field(
        900,
        ge=0,
        le=86_400,
        description="Seconds for which a session is trusted beyond `REVOCATION_CHECK` while the "
        "store does not answer.",
    )
    idp_logout: bool = Field(
        True, description="Whether a logout goes through the provider's end-session endpoint."
    )
    client_cookies: Annotated[Words, AfterValidator(check.each(check.cookie_name))] = Field(
        ("inta_account", "inta_acc"),
        description="Cookies of the browser SDK that a logout clears as well.",
    )
    clock_skew: int = Field(
        60, ge=0, le=300, description="Leeway in seconds for `exp`, `iat`, `nbf` and `auth_time`."
    )
    http_timeout: float = Field(
        10, ge=1, le=120, description="Seconds for one call to the provider."
    )
    log_claims: bool = Field(False, description="Whether claims may appear in the log.")

    def __init__(self, *, _env_file: Path | str | None = ".env", **values: object) -> None:
        fields = type(self).model_fields
        given, problems = source.surroundings(_env_file)
        secrets, unread = source.secret_files(given)
        problems += unread
        problems += source.unknown(given, fields, arguments=False)
        problems += source.unknown(values, fields, arguments=True)
        known = {name: value for name, value in values.items() if name in fields}
        arguments: dict[str, Any] = {**secrets, **known}
        try:
            super().__init__(_env_file=_env_file, **arguments)
        except ValidationError as error:
            descriptions = {name: field.description or "" for name, field in fields.items()}
            problems += rule.explained(error, descriptions, [name for name, _ in problems])
        if problems:
            # Outside the handler: pydantic's error holds what was given, and must not be chained.
            raise SettingsError(rule.report(problems))

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: the bytes would hold the secrets (TM-05)."""
        raise TypeError("Settings hold secrets and cannot be pickled; make them in each process")

    @field_validator("*", mode="before")
    @classmethod
    def _not_empty(cls, value: object, info: ValidationInfo) -> object:
        """Tell an empty value, often a variable of the deployment that is not set, from none."""
        if value == "" and info.field_name not in source.LISTS:
            raise ValueError("is empty; give it a value, or remove it")
        return value

    @cached_property
    def base_path(self) -> str:
        """The path of ``BASE_URL``, empty where the site has a host of its own."""
        return url.parse_url(self.base_url).path

    @cached_property
    def origin(self) -> str:
        """The site's origin as a browser sends it in ``Origin``."""
        return url.parse_url(self.base_url).origin

    @cached_property
    def redirect_uri(self) -> str:
        """The redirect URI to register, compared character for character by the provider."""
        return f"{self.base_url}{self.path_prefix}/callback"

    @property
    def secure(self) -> bool:
        """Whether the site is https, and its cookies ``Secure``."""
        return self.base_url.startswith("https://")

    @cached_property
    def openid(self) -> bool:
        """Whether an ID token is asked for (OpenID Connect Core section 3.1.2.1)."""
        return "openid" in self.scope.split()

    @cached_property
    def resource(self) -> tuple[str, ...]:
        """Where the access token will be used (RFC 8707), from ``AUTHORIZATION_PARAMS``."""
        return tuple(self.authorization_params.get("resource", "").split())

    @cached_property
    def discovers(self) -> bool:
        """Whether something that a sign-in needs is left to discovery."""
        identity = self.jwks_uri if self.openid else self.userinfo_endpoint
        needed = [self.authorization_endpoint, self.token_endpoint, identity]
        if self.pushed_authorization_requests:
            needed.append(self.pushed_authorization_request_endpoint)
        return self.issuer is not None and None in needed

    @cached_property
    def issuer_or_origin(self) -> str:
        """The stable ``iss`` of users: the issuer, else where the authorization endpoint is."""
        return self.issuer or url.parse_url(self.authorization_endpoint or "").origin
