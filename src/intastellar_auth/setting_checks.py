"""The checks of single settings other than URLs: from what was given to what is used.

Each returns the value or raises ``ValueError``, whose text completes the sentence "VARIABLE ..."
and says how to mend it. No text quotes the value: it may be a secret in the wrong place.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from pydantic import SecretStr

from intastellar_auth.core.claims import essential_acr
from intastellar_auth.oidc.private_key import load_private_key
from intastellar_auth.stores import redis_url

NEW_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
KEY_LENGTH = 32
"""Characters; CK-13 asks for 32 bytes or more."""

# RFC 6265 section 4.1.1: a cookie name is a token of RFC 9110 section 5.6.2.
_COOKIE_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
COOKIE_PREFIXES = ("__Host-", "__Secure-", "__Http-")
# RFC 6749 section 3.3.
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")
# RFC 8707 section 2: an absolute URI (RFC 3986 section 4.3), so one without a fragment.
_RESOURCE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
# RFC 6749 appendix A.1 and A.2: VSCHAR.
_VSCHAR = re.compile(r"[\x20-\x7e]+")
_PLACEHOLDERS = (
    *("changeme", "changethis", "changeit", "insertyour", "placeholder", "putyour"),
    *("replaceme", "replacethis", "replacewith", "yoursecret"),
)
_OURS = frozenset(
    {
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"),
        *("nonce", "code_challenge", "code_challenge_method", "request", "request_uri"),
        *("client_secret", "client_assertion", "client_assertion_type", "code_verifier"),
    }
)


def split(given: object) -> object:
    """Turn a comma-separated text into its words; leave anything else to pydantic."""
    if not isinstance(given, str):
        return given
    return tuple(word for part in given.split(",") if (word := part.strip()))


def each(check: Callable[[str], str]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """Return a check of all entries of a list, which reports all that are wrong."""

    def checked(entries: tuple[str, ...]) -> tuple[str, ...]:
        problems = []
        for number, entry in enumerate(entries, start=1):
            try:
                check(entry)
            except ValueError as error:
                problems.append(f"entry {number} {error}")
        if problems:
            raise ValueError("; ".join(problems))
        return entries

    return checked


def hidden(check: Callable[[str], str]) -> Callable[[SecretStr], SecretStr]:
    """Return a check of a secret that keeps it hidden."""
    return lambda secret: SecretStr(check(secret.get_secret_value()))


def lower(given: object) -> object:
    """Let a word be written in any case."""
    return given.lower() if isinstance(given, str) else given


def claim(text: str) -> str:
    """Check a claim's name."""
    if not text or not text.isprintable():
        raise ValueError("is empty or has a character that a claim's name cannot have")
    return text


def client_text(text: str) -> str:
    """Check a client id or secret by the characters RFC 6749 appendix A allows."""
    if not _VSCHAR.fullmatch(text):
        raise ValueError("has a line break or a character outside ASCII; copy it again")
    if text != text.strip():
        raise ValueError("has a space at its start or end; remove it")
    return text


def private_key(text: str) -> str:
    """Check that a client key can be read; it is read again where it is used."""
    load_private_key(text)
    return text


def secret_keys(keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    """Check the sealing keys one by one and together (CK-13)."""
    texts = [key.get_secret_value() for key in keys]
    if not texts:
        raise ValueError(f"is empty; make a key with {NEW_KEY}")
    each(_secret_key)(tuple(texts))
    if len(set(texts)) < len(texts):
        raise ValueError("holds the same key twice; remove one")
    return keys


def _secret_key(text: str) -> str:
    """Check one key for length, spelling and chance."""
    if not text.isprintable():
        raise ValueError("has a line break or control character; separate keys by commas")
    if len(text) < KEY_LENGTH:
        raise ValueError(f"is shorter than {KEY_LENGTH} characters; make a key with {NEW_KEY}")
    if re.sub(r"[^a-z]", "", text.lower()).startswith(_PLACEHOLDERS):
        raise ValueError(f"looks like a placeholder; make a key with {NEW_KEY}")
    return text


def scope(text: str) -> str:
    """Check ``scope`` by RFC 6749 section 3.3."""
    if not _SCOPE.fullmatch(text):
        raise ValueError("must be words separated by single spaces; write it like 'openid email'")
    return text


def authorization_params(given: object) -> object:
    """Turn JSON text or a mapping into names and texts; refuse what this package itself sends."""
    params = _json_object(given) if isinstance(given, str) else given
    if not isinstance(params, Mapping):
        raise ValueError('must be a JSON object; write it like {"prompt": "login"}')  # noqa: TRY004  # pydantic reports ValueError only
    read = {"claims": _claims, "resource": _resources}
    texts = {str(name): read.get(name, _parameter)(value) for name, value in params.items()}
    if not all(name and f"{name}{text}".isprintable() for name, text in texts.items()):
        raise ValueError("has a parameter without a name or with a control character")
    if ours := sorted(_OURS & texts.keys()):
        raise ValueError(f"must not set {', '.join(ours)}: this package sends them itself")
    max_age = texts.get("max_age", "1")
    if not re.fullmatch("[0-9]{1,10}", max_age):
        raise ValueError("has a max_age that is not a whole number of seconds")
    if "none" in texts.get("prompt", "").split() and int(max_age) == 0:
        raise ValueError("has prompt=none together with max_age=0, which can never succeed")
    return texts


def _json_object(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError('is not valid JSON; write it like {"prompt": "login"}') from None


def _parameter(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        try:
            return json.dumps(value, allow_nan=False)
        except ValueError:
            pass
    raise ValueError("has a parameter that is neither a text, a number nor true or false")


def _claims(given: object) -> str:
    """Check a ``claims`` parameter (OpenID Connect Core section 5.5); return it as compact JSON."""
    request = _json_object(given) if isinstance(given, str) else given
    if not (
        isinstance(request, Mapping)
        and request.keys() <= {"userinfo", "id_token"}
        and all(isinstance(claims, Mapping) for claims in request.values())
    ):
        raise ValueError(
            "has claims that are not an object with the objects userinfo or id_token;"
            ' write them like {"claims": {"id_token": {"email": null}}}'
        )
    wishes = [wish for claims in request.values() for wish in claims.values()]
    if not all(wish is None or isinstance(wish, Mapping) for wish in wishes):
        raise ValueError("has claims of which one is neither null nor an object")
    try:
        text = json.dumps(request, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise ValueError("has claims that JSON cannot say") from None
    essential_acr(text)
    return text


def _resources(given: object) -> str:
    """Check a ``resource`` parameter; return its URIs with spaces between, which none can have."""
    uris = [given] if isinstance(given, str) else given
    if (
        not isinstance(uris, list | tuple)
        or not uris
        or not all(isinstance(uri, str) and _RESOURCE.fullmatch(uri) for uri in uris)
    ):
        raise ValueError(
            "has a resource that is neither an absolute URI without a fragment nor a list of them"
        )
    return " ".join(uris)


def cookie_name(text: str) -> str:
    """Check a cookie name by RFC 6265 section 4.1.1 (CK-18) and its prefix's spelling (CK-02)."""
    if not _COOKIE_NAME.fullmatch(text):
        raise ValueError(
            "must be a cookie name: up to 64 letters, digits and !#$%&'*+-.^_`|~ (RFC 6265)"
        )
    for prefix in COOKIE_PREFIXES:
        if text.lower().startswith(prefix.lower()) and not text.startswith(prefix):
            raise ValueError(
                f"has a prefix that browsers and servers read differently; write {prefix}"
            )
    return text


def glob(text: str) -> str:
    """Check a pattern of paths: it must be able to match a path written plainly."""
    if not text.startswith(("/", "*")):
        raise ValueError("has a pattern that does not begin with '/' or '*'")
    if not text.isprintable() or re.search(r"//|/\.\.?(?:/|$)|[%\\;#]", text):
        raise ValueError(
            "has a pattern with '//', '/./', '/../' or one of % \\ ; #; write paths decoded"
        )
    return text


def store_url(text: str) -> str:
    """Check where shared state is kept."""
    if redis_url.is_redis(text):
        redis_url.parse(text)
        return text
    found = re.fullmatch(r"sqlite://(/[^?#\x00-\x1f]*[^/?#\x00-\x1f])", text)
    if found is not None:
        _file(unquote(found[1]))
    elif text not in ("auto", "memory://"):
        raise ValueError(
            "must be auto, memory://, sqlite:/// with an absolute path of a file, or redis://, "
            "redis+sentinel:// or redis+cluster:// (rediss for TLS)"
        )
    return text


def _file(path: str) -> None:
    """Check that a file can be at ``path``; not by making one, which the app's own user does."""
    # os.path, because pathlib raises for a folder that this user may not enter.
    if os.path.isdir(path):  # noqa: PTH112
        raise ValueError("names a folder; add a file's name, as in sqlite:///var/lib/site/store.db")
    if not os.path.isdir(os.path.dirname(path)):  # noqa: PTH112, PTH120
        raise ValueError(
            "names a file in a folder that is not there, or that this user may not enter; make it"
        )
