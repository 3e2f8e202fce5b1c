"""Where settings come from besides arguments: the names in the environment, ``.env``, secret files.

Pydantic reads the values. This file finds what it would pass over in silence: misspelt names
(IM-04), and secrets that are in a file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values

from intastellar_auth.errors import SettingsError

PREFIX = "INTASTELLAR_"
SECRETS = ("client_secret", "client_private_key", "secret_keys", "store_url")
LISTS = ("secret_keys", "protected_paths", "public_paths", "claims", "client_cookies")
"""Comma-separated; an empty text is an empty list."""
_FILE = "_file"
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables: what each
# container finds of each Service, here of one whose name begins with ours. No setting ends so.
_SERVICE_LINK = re.compile(
    r"(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?"
    r"|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)?)"
)

Problem = tuple[str, str]
"""The variable, and what is wrong with it and how to mend it."""


def variable(field: str) -> str:
    """Return the name of the environment variable of a field."""
    return PREFIX + field.upper()


def surroundings(env_file: Path | str | None) -> tuple[dict[str, str], list[Problem]]:
    """Return all our variables of the environment and ``env_file``, by lower-case short name.

    The environment wins, less what Kubernetes puts there. No file is no problem; one that cannot be
    read raises ``SettingsError`` at once, since what else is wrong cannot be told without it.
    """
    found: dict[str, str | None] = {}
    problems: list[Problem] = []
    try:
        if env_file is not None and Path(env_file).is_file():
            found.update(dotenv_values(env_file, encoding="utf-8"))
    except (OSError, ValueError):
        raise SettingsError(f"{env_file} cannot be read as UTF-8 text; mend or remove it") from None
    found.update({name: value for name, value in os.environ.items() if not _is_service_link(name)})
    ours: dict[str, str] = {}
    for name, value in found.items():
        if name.upper().startswith(PREFIX):
            ours[name.upper().removeprefix(PREFIX).lower()] = value or ""
            if value is None:
                problems.append((name, "has no value; write NAME=value, or remove it"))
    return ours, problems


def _is_service_link(name: str) -> bool:
    return _SERVICE_LINK.fullmatch(name.removeprefix(PREFIX)) is not None


def unknown(given: Iterable[str], fields: Iterable[str], *, arguments: bool) -> list[Problem]:
    """Return a problem for each name that is no setting, with the nearest that is one (IM-04)."""
    known = {*fields} if arguments else {*fields, *(name + _FILE for name in SECRETS)}
    shown = str if arguments else variable
    problems = []
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            advice = f"did you mean {shown(near[0])}?" if near else "remove it"
            problems.append((ascii(shown(name)).strip("'"), f"is not a setting; {advice}"))
    return problems


def secret_files(given: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """Read each secret whose ``NAME_FILE`` is among ``given``, less line breaks at its end."""
    read: dict[str, str] = {}
    problems: list[Problem] = []
    for name in SECRETS:
        path = given.get(name + _FILE)
        if path is None:
            continue
        if name in given:
            advice = f"is set, and {variable(name)} too; keep one of them"
            problems.append((variable(name + _FILE), advice))
            continue
        try:
            read[name] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError):
            advice = (
                "names a file that cannot be read as UTF-8 text; check its path and permissions"
            )
            problems.append((variable(name + _FILE), advice))
    return read, problems
