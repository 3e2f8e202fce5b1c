"""Where processes remember things together: claims, outcomes, ended sessions.

A store keeps opaque bytes under a key for a while. What it holds is sealed before it gets here, so
a store sees no token and no claim. It knows neither HTTP nor OpenID Connect.
"""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable
from urllib.parse import unquote

from intastellar_auth import log
from intastellar_auth.errors import SettingsError, StoreUnavailable

from . import redis_url
from .memory import MemoryStore
from .sqlite import SqliteStore

__all__ = ["AsyncStore", "MemoryStore", "SqliteStore", "Store", "open_store"]


class Store(Protocol):
    """A key-value store whose entries expire; every method may be called from any thread.

    A call that cannot be carried out raises ``StoreUnavailable``.
    """

    @property
    def instant(self) -> bool:
        """Whether a call never blocks, so that an event loop may make it without a thread."""
        ...

    @property
    def shared(self) -> bool:
        """Whether other processes see the same entries."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return the value under ``key``, ``None`` where there is none or it has expired."""
        ...

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return what ``get`` would for each of ``keys``, in their order."""
        ...

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Write ``value`` under ``key``, whether or not it is there, for ``ttl`` seconds."""
        ...

    def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Write ``value`` if ``key`` is free or expired; of all who ask at once, one is told yes.

        This is the claim: whoever gets ``True`` does the work.
        """
        ...

    def take(self, key: str) -> bytes | None:
        """Return the value under ``key`` and remove it; of all who ask at once, one gets it."""
        ...

    def delete(self, key: str) -> None:
        """Remove ``key``, if it is there."""
        ...

    def close(self) -> None:
        """Let go of files and connections; a later call opens them again."""
        ...


@runtime_checkable
class AsyncStore(Protocol):
    """What a store may offer besides: the same, without a thread, on an event loop of asyncio.

    Every method may be called on any loop. One that is cancelled may still be carried out.
    """

    async def aget(self, key: str) -> bytes | None:
        """Do what ``get`` does."""
        ...

    async def aget_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Do what ``get_many`` does."""
        ...

    async def aput(self, key: str, value: bytes, ttl: float) -> None:
        """Do what ``put`` does."""
        ...

    async def aadd(self, key: str, value: bytes, ttl: float) -> bool:
        """Do what ``add`` does."""
        ...

    async def atake(self, key: str) -> bytes | None:
        """Do what ``take`` does."""
        ...

    async def adelete(self, key: str) -> None:
        """Do what ``delete`` does."""
        ...

    async def aclose(self) -> None:
        """Let go of the running loop's connections; a later call opens them again."""
        ...


def open_store(url: str) -> Store:
    """Return the store that ``INTASTELLAR_STORE_URL`` names.

    ``url`` is ``auto``, ``memory://``, ``sqlite:///absolute/path``, or an address of Redis as in
    ``redis_url``. Nothing stays open in the returned store, so a server may load the app first and
    fork its workers afterwards. Raises ``SettingsError`` where ``url`` is none of these, or the
    package is missing that it needs.
    """
    if url == "auto":
        return _open_auto()
    if url == "memory://":
        return _unshared("INTASTELLAR_STORE_URL is memory://")
    if url.startswith("sqlite:"):
        return SqliteStore(_sqlite_path(url))
    if redis_url.is_redis(url):
        return _open_redis(url)
    # The URL may hold a password, so the message leaves it out.
    raise SettingsError(
        "INTASTELLAR_STORE_URL names no kind of store. "
        "Use auto, sqlite:///absolute/path, redis://host, rediss://host or memory://."
    )


def _sqlite_path(url: str) -> Path:
    before, _, after = url.partition("sqlite:///")
    path = unquote(after).strip("/")
    if before or not path or "?" in after or "#" in after or "\0" in path:
        raise SettingsError(
            "INTASTELLAR_STORE_URL: a SQLite store is named by an absolute path after three "
            "slashes and nothing else, as in sqlite:///var/lib/site/store.db."
        )
    return Path("/") / path


def _open_redis(url: str) -> Store:
    try:
        address = redis_url.parse(url)
    except ValueError as error:
        raise SettingsError(f"INTASTELLAR_STORE_URL {error}.") from None
    try:
        from .redis import RedisStore  # noqa: PLC0415 - only here is its package needed
    except ImportError as error:
        raise SettingsError(
            "INTASTELLAR_STORE_URL names Redis, whose Python package is missing or too old. "
            "Run, beside your copy of this package: pip install './intastellar-auth[redis]'"
        ) from error
    if address.unverified:
        because = (
            "INTASTELLAR_STORE_URL does not have the certificate of the Redis server checked: "
            "whoever is between it and this process can read its password and undo logouts"
        )
        log.event(logging.WARNING, "redis_not_verified", {"because": because})
    return RedisStore(address)


def _open_auto() -> Store:
    try:
        store = SqliteStore(_private_folder() / "store.db", prepare=_private_folder)
        store.get("")  # one call shows whether the file can be made, opened and read
        store.close()
    except (OSError, StoreUnavailable) as error:
        return _unshared(f"no private folder for a shared one ({error})")
    return store


def _unshared(reason: str) -> MemoryStore:
    advice = (
        "a repeated callback is answered once, and a logout ends a copied session, per process "
        "only: where there are several workers, set INTASTELLAR_STORE_URL to "
        "sqlite:///absolute/path or redis://host"
    )
    log.event(logging.WARNING, "store_not_shared", {"because": reason, "advice": advice})
    return MemoryStore()


def _private_folder() -> Path:
    """Make, or check, the folder that all processes of this user on this machine share.

    It is in the temporary folder. That one is there for every service user, with or without a home
    or a login session (``XDG_RUNTIME_DIR`` is not), is the same for all workers of one service, and
    is a local disk, which SQLite's WAL needs (a home may be on NFS). It may be emptied by a
    restart of the machine: a site whose logouts must outlive that names a file of its own. Sites of
    the same user share the file and do not read each other's entries: keys are random, values
    sealed. What a provider ends by user or by ``sid`` has ended for all of them that it is for.

    Anyone may write to the temporary folder, so whatever is there already may be an attacker's.
    """
    if not hasattr(os, "getuid"):
        raise PermissionError("this system has no user ids to check a folder by")
    parent = Path(tempfile.gettempdir())
    if parent.stat().st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
        # Without the sticky bit anyone could put a folder of theirs in the place of ours later.
        raise PermissionError(f"{parent} is writable for everyone and has no sticky bit")
    folder = parent / f"intastellar-auth-{os.getuid()}"
    # mkdir is atomic and follows no link, so of several processes one makes it and all check it.
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{folder} is a link")
    if found.st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to user {found.st_uid}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(f"{folder} is open to other users; remove it or make it mode 0700")
    return folder
