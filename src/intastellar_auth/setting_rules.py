"""The rules that span several settings, and how all problems become one text.

A rule sees in ``info.data`` the settings before it in the class that are right by themselves. What
is not among them has been reported already, so a rule that needs it has nothing to add.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from pydantic import ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from intastellar_auth.core.return_to import return_path
from intastellar_auth.setting_checks import COOKIE_PREFIXES
from intastellar_auth.setting_sources import Problem, variable
from intastellar_auth.setting_urls import Url, parse_url

Known: TypeAlias = Mapping[str, object]


def wrong(field: str, text: str) -> PydanticCustomError:
    """Return an error about ``field``, wherever it was noticed."""
    return PydanticCustomError("rule", "{text}", {"field": field, "text": text})


def site(known: Known) -> Url | None:
    """Return the parsed ``BASE_URL``, ``None`` where it is missing or wrong."""
    base_url = known.get("base_url")
    return parse_url(base_url) if isinstance(base_url, str) else None


def is_secure(known: Known) -> bool:
    """Return whether the site is https; a wrong ``BASE_URL`` must not cause errors elsewhere."""
    url = site(known)
    return url is None or url.scheme == "https"


def registration(scope: str, info: ValidationInfo) -> str:
    """Check that the provider is named well enough to sign in with ``scope``."""
    known = info.data
    if "issuer" not in known or known["issuer"] is not None:
        return scope
    if "openid" in scope.split():
        raise wrong(
            "issuer",
            "is missing, and the ID token that SCOPE asks for cannot be checked without it; set it,"
            " or remove openid from SCOPE and set AUTHORIZATION_ENDPOINT, TOKEN_ENDPOINT and"
            " USERINFO_ENDPOINT",
        )
    endpoints = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")
    missing = [name.upper() for name in endpoints if known.get(name, "") is None]
    if missing:
        raise wrong("issuer", f"is missing; set it, or set {' and '.join(missing)}")
    return scope


def pushed_requests(wanted: bool, info: ValidationInfo) -> bool:
    """Check that something can tell where authorization requests are pushed."""
    named = ("issuer", "pushed_authorization_request_endpoint")
    if wanted and all(info.data.get(name, "") is None for name in named):
        raise ValueError(
            "is true, and nothing tells where to push to;"
            " set PUSHED_AUTHORIZATION_REQUEST_ENDPOINT or ISSUER"
        )
    return wanted


def client_authentication(method: str | None, info: ValidationInfo) -> str | None:
    """Check that the client has exactly the credential its authentication method uses."""
    known = info.data
    if "client_secret" not in known or "client_private_key" not in known:
        return method
    secret = known["client_secret"] is not None
    key = known["client_private_key"] is not None
    if secret and key:
        text = "is set, and CLIENT_PRIVATE_KEY too; keep the one that the provider has registered"
        raise wrong("client_secret", text)
    if method is None:
        return method
    needs_secret, needs_key = method.startswith("client_secret_"), method == "private_key_jwt"
    if needs_secret and not secret:
        raise ValueError(f"is {method}, which needs CLIENT_SECRET; set it or choose another method")
    if needs_key and not key:
        raise ValueError(f"is {method}, which needs CLIENT_PRIVATE_KEY; set it")
    if (secret and not needs_secret) or (key and not needs_key):
        given = "CLIENT_SECRET" if secret else "CLIENT_PRIVATE_KEY"
        raise ValueError(f"is {method}, which does not use {given}; remove one of the two")
    return method


def public_paths(globs: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """Check that there is something to be public within: alone the list would protect nothing."""
    if globs and info.data.get("protected_paths") == ():
        raise ValueError(
            "has no meaning without PROTECTED_PATHS; set that to * to protect the rest"
        )
    return globs


def added_once(prefix: str, info: ValidationInfo) -> str:
    """Check that ``BASE_URL`` does not end in what is put behind it."""
    url = site(info.data)
    path = url.path if url else ""
    if path.endswith((prefix, "/callback")):
        text = "ends in PATH_PREFIX or /callback, which are put behind it; remove that part"
        raise wrong("base_url", text)
    return prefix


def default_site_path(known: Known) -> str:
    """Return the site's first page."""
    url = site(known)
    return f"{url.path if url else ''}/"


def site_path(path: str, info: ValidationInfo) -> str:
    """Check a fixed place to go to by the rule of ``next`` (RD-01 to RD-14)."""
    url = site(info.data)
    own_prefix = f"{url.path if url else ''}{info.data.get('path_prefix', '/auth')}"
    if return_path(path, default="", own_prefix=own_prefix) != path:
        raise ValueError(f"must be a path on this site, percent-encoded, outside {own_prefix}")
    return path


def default_session_idle(known: Known) -> int:
    """Return a day, or the whole lifetime where that is shorter."""
    lifetime = known.get("session_lifetime")
    return min(86_400, lifetime) if isinstance(lifetime, int) else 86_400


def session_idle(seconds: int, info: ValidationInfo) -> int:
    """Check that a session can become idle before it ends."""
    if seconds > info.data.get("session_lifetime", seconds):
        raise ValueError("must not be longer than SESSION_LIFETIME; lower it or raise the other")
    return seconds


def cookie_domain(text: str, info: ValidationInfo) -> str:
    """Check that the site's host may set cookies for this domain; return it in lower case."""
    domain = text.lower().removeprefix(".")
    url = site(info.data)
    if "." not in domain or (url is not None and url.is_address):
        raise ValueError("cannot be a bare name or go with an IP address; remove it")
    if url is not None and url.host != domain and not url.host.endswith(f".{domain}"):
        raise ValueError("must be the host of BASE_URL or a parent domain of it")
    return domain


def default_cookie_name(known: Known) -> str:
    """Return the session cookie's name with the strictest prefix that a browser would keep."""
    if not is_secure(known):
        return "intastellar"
    return "__Secure-intastellar" if known.get("cookie_domain") else "__Host-intastellar"


def cookie_prefix(name: str, info: ValidationInfo) -> str:
    """Check that a browser would keep a cookie of this name (CK-03, RFC 6265bis section 4.1.3)."""
    if name.startswith(COOKIE_PREFIXES) and not is_secure(info.data):
        raise ValueError("has a prefix that needs an https BASE_URL; remove the setting")
    if name.startswith("__Host-") and info.data.get("cookie_domain"):
        raise ValueError("begins with __Host-, which forbids COOKIE_DOMAIN; remove one of the two")
    return name


def cookie_samesite(value: str, info: ValidationInfo) -> str:
    """Check that browsers keep the cookie: ``SameSite=None`` needs ``Secure``."""
    if value == "none" and not is_secure(info.data):
        raise ValueError("is none, which needs an https BASE_URL; use lax")
    return value


def explained(
    error: ValidationError, descriptions: Mapping[str, str], reported: Iterable[str]
) -> Iterator[Problem]:
    """Yield each problem that pydantic found, in words that do not show what was given.

    A setting whose variable or file is in ``reported`` is not called missing as well.
    """
    excused = {name.removesuffix("_FILE") for name in reported}
    for item in error.errors(include_url=False, include_input=False):
        field, context = str(item["loc"][0]), item.get("ctx", {})
        name = variable(field)
        match item["type"]:
            case "default_factory_not_called":
                pass  # a consequence of another problem
            case "missing":
                if name not in excused:
                    yield name, f"is missing; set it. {descriptions[field]}"
            case "value_error":
                yield name, str(context["error"])
            case "bool_parsing" | "bool_type":
                yield name, f"must be true or false. {descriptions[field]}"
            case "rule":
                yield variable(context["field"]), context["text"]
            case _:
                text = item["msg"].replace("Input should be", "must be")
                yield name, f"{text}. {descriptions[field]}"


def report(problems: Iterable[Problem]) -> str:
    """Return one line per problem under a heading."""
    lines = dict.fromkeys(f"{name}: {' '.join(text.split())}" for name, text in problems)
    heading = "1 setting is wrong:" if len(lines) == 1 else f"{len(lines)} settings are wrong:"
    return "\n".join([heading, *lines])
