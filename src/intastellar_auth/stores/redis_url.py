"""The addresses of a Redis store: what ``INTASTELLAR_STORE_URL`` may say, and nothing else.

::

    redis://[[user]:password@]host[:6379][/database]                 one server
    redis+sentinel://[…@]host[:26379],host…/service[/database]       whichever is the primary
    redis+cluster://[…@]host[:6379],host…                            a cluster

``rediss`` in the place of ``redis`` is TLS. An option has the name that redis-py gives it, as in
``?ssl_ca_certs=/etc/ssl/redis.pem``. An address may hold a password, so no error quotes it. This
file connects to nothing, and does without the redis package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, cast
from urllib.parse import unquote, unquote_to_bytes

_URL = re.compile(
    r"(?P<scheme>rediss?)(?:\+(?P<kind>sentinel|cluster))?://"
    r"(?:(?P<user>[^@/?#:]*):?(?P<password>(?<=:)[^@/?#]*)?@)?"
    r"(?P<hosts>[^@/?#]+)(?P<path>/[^?#]*)?(?:\?(?P<options>[^#]*))?"
)
_CHARACTERS = re.compile(r"[\x21-\x7e]*")
_HOST = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_PORTS = {"single": 6379, "cluster": 6379, "sentinel": 26379}
_HIGHEST_PORT = 65535
_DATABASE = re.compile(r"[0-9]{1,5}")
_SERVICE = re.compile(r"[A-Za-z0-9._-]+")
_TLS_OPTIONS = {
    "ssl_ca_certs": "",
    "ssl_certfile": "",
    "ssl_keyfile": "",
    "ssl_check_hostname": "true|false",
    "ssl_cert_reqs": "required|none",
}
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")

Kind = Literal["single", "sentinel", "cluster"]


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """An address, taken apart; ``repr`` leaves out what is secret.

    ``tls`` is ``None`` for a plain connection, else the options about it by redis-py's names.
    ``service`` is what a Sentinel calls the servers it watches.
    """

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    database: int = 0
    service: str = ""
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    sentinel_username: str | None = field(default=None, repr=False)
    sentinel_password: str | None = field(default=None, repr=False)
    tls: dict[str, str | bool] | None = None

    @property
    def shown(self) -> str:
        """The hosts, for the log."""
        bracketed = ((f"[{host}]" if ":" in host else host, port) for host, port in self.hosts)
        return ",".join(f"{host}:{port}" for host, port in bracketed)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be in any text."""
        return tuple(filter(None, (self.password, self.sentinel_password)))

    @property
    def unverified(self) -> bool:
        """Whether somebody else's certificate would do."""
        tls = self.tls or {}
        return tls.get("ssl_cert_reqs") == "none" or tls.get("ssl_check_hostname") is False


def is_redis(text: str) -> bool:
    """Return whether ``text`` is meant to be one of these addresses."""
    return re.match(r"(?i)rediss?[:+]", text) is not None


def parse(text: str) -> RedisUrl:
    """Take an address apart; ``ValueError`` says what is wrong with it, without quoting it."""
    found = _URL.fullmatch(text) if _CHARACTERS.fullmatch(text) else None
    if found is None:
        raise ValueError(
            "is not a Redis address; write it like rediss://:password@redis.example.com:6379/0, "
            "with any of @ / : ? # % in the password percent-encoded"
        )
    kind = cast("Kind", found["kind"] or "single")
    if found["user"] is not None and not found["password"]:
        raise ValueError("has a part before '@' without a password; write it like :password@")
    hosts = tuple(_host(each, _PORTS[kind]) for each in found["hosts"].split(","))
    if kind == "single" and len(hosts) > 1:
        raise ValueError("names several hosts; write redis+sentinel:// or redis+cluster://")
    service, database = _path(kind, (found["path"] or "").strip("/"))
    options = _options(found["options"] or "", kind, secure=found["scheme"] == "rediss")
    return RedisUrl(
        kind=kind,
        hosts=hosts,
        database=database,
        service=service,
        username=_decoded(found["user"] or "") or None,
        password=_decoded(found["password"] or "") or None,
        sentinel_username=options.pop("sentinel_username", None),
        sentinel_password=options.pop("sentinel_password", None),
        tls=_tls(options) if found["scheme"] == "rediss" else None,
    )


def _host(text: str, default: int) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    port = int(found["port"] or default) if found else 0
    if found is None or not 0 < port <= _HIGHEST_PORT:
        raise ValueError("has a host or port that is none; write it like redis.example.com:6379")
    return found["host"].strip("[]"), port


def _path(kind: Kind, path: str) -> tuple[str, int]:
    service, _, database = path.partition("/") if kind == "sentinel" else ("", "", path)
    if kind == "sentinel" and not _SERVICE.fullmatch(service):
        raise ValueError("names no service; write it like redis+sentinel://host:26379/service")
    if database and not _DATABASE.fullmatch(database):
        raise ValueError("has a database that is not a number")
    if kind == "cluster" and int(database or 0):
        raise ValueError("has a database; a cluster has only one, so remove it")
    return service, int(database or 0)


def _options(text: str, kind: Kind, *, secure: bool) -> dict[str, str]:
    known = {*(_TLS_OPTIONS if secure else ()), *(_SENTINEL_OPTIONS if kind == "sentinel" else ())}
    options: dict[str, str] = {}
    for each in filter(None, text.split("&")):
        name, _, value = each.partition("=")
        if name not in known:
            allowed = ", ".join(sorted(known)) or "none here; those about TLS need rediss://"
            raise ValueError(f"has an option that is not known: there is {allowed}")
        if name in options or not value:
            raise ValueError(f"must give {name} once, and a value to it")
        options[name] = _decoded(value)
    return options


def _tls(options: dict[str, str]) -> dict[str, str | bool]:
    for name, value in options.items():
        choices = _TLS_OPTIONS[name]
        if choices and value not in choices.split("|"):
            raise ValueError(f"must have {name}={' or '.join(choices.split('|'))}")
    checks_name = options.get("ssl_check_hostname") != "false"
    verifies = options.get("ssl_cert_reqs") != "none"
    return {**options, "ssl_check_hostname": checks_name and verifies}


def _decoded(text: str) -> str:
    try:
        unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("has a percent-encoded part that is not UTF-8") from None
    return unquote(text)
