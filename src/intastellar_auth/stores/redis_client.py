"""How a client of redis-py is made from an address, and what its errors say to the operator.

A client never tries a command again by itself: the store knows which may be said twice. Every wait
is bounded. This file knows nothing of what is stored, of processes, or of event loops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import redis
import redis.asyncio
from redis import sentinel
from redis.asyncio import cluster as asyncio_cluster
from redis.asyncio import retry as asyncio_retry
from redis.asyncio import sentinel as asyncio_sentinel
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry

from intastellar_auth.stores.redis_commands import AsyncClient, Client
from intastellar_auth.stores.redis_url import RedisUrl

TIMEOUT = 2.0
"""Seconds that connecting may take, and each answer."""

CONNECTIONS = 16
"""Connections of one client at most."""

FAILURES = (redis.RedisError, redis.exceptions.RedisClusterException, OSError, UnicodeError)
"""What a command may raise; a ``UnicodeError`` comes from a host whose name cannot be one."""

# redis-py gives these no types.
_Node: Callable[..., Any] = ClusterNode
_Sentinel: Callable[..., Any] = sentinel.Sentinel
_AsyncSentinel: Callable[..., Any] = asyncio_sentinel.Sentinel

_NO_PRIMARY = "no Sentinel that can be reached names a primary for this service"

_ADVICE: tuple[tuple[type[Exception], str], ...] = (
    (sentinel.MasterNotFoundError, _NO_PRIMARY),
    (asyncio_sentinel.MasterNotFoundError, _NO_PRIMARY),
    (redis.exceptions.BusyLoadingError, "it has just started and is loading its data"),
    (
        redis.exceptions.NoPermissionError,
        "its user needs GET, SET, GETDEL and DEL on the keys intastellar-auth:*",
    ),
    (redis.AuthenticationError, "check the user name and password in INTASTELLAR_STORE_URL"),
    (
        redis.exceptions.AuthenticationWrongNumberOfArgsError,
        "it has no password, or knows no user names; mend INTASTELLAR_STORE_URL",
    ),
    (redis.exceptions.OutOfMemoryError, "its memory is full; raise its maxmemory"),
    (redis.ReadOnlyError, "it is a replica; name the primary, or use redis+sentinel://"),
    (redis.exceptions.MasterDownError, "it is a replica without its primary"),
    (redis.exceptions.MovedError, "it belongs to a cluster; use redis+cluster://"),
    (redis.exceptions.AskError, "it belongs to a cluster; use redis+cluster://"),
    # Last, since some of those above are of this kind.
    (redis.exceptions.ConnectionError, "is it running, and can this machine reach it?"),
)


def connect(url: RedisUrl) -> Client:
    """Return a blocking client; only a cluster, or a Sentinel, is asked something already."""
    options = _options(url, Retry(NoBackoff(), 0))
    if url.kind == "cluster":
        nodes = [_Node(host, port) for host, port in url.hosts]
        return RedisCluster(startup_nodes=nodes, **options)
    host, port = _primary(url, options) if url.kind == "sentinel" else url.hosts[0]
    return redis.Redis(host=host, port=port, db=url.database, **options)


async def connect_async(url: RedisUrl) -> AsyncClient:
    """Return a client for the running event loop of asyncio; otherwise like ``connect``."""
    options = _options(url, asyncio_retry.Retry(NoBackoff(), 0))
    if url.kind == "cluster":
        nodes = [asyncio_cluster.ClusterNode(host, port) for host, port in url.hosts]
        return asyncio_cluster.RedisCluster(startup_nodes=nodes, **options)
    host, port = await _primary_async(url, options) if url.kind == "sentinel" else url.hosts[0]
    return redis.asyncio.Redis(host=host, port=port, db=url.database, **options)


async def disconnect(client: AsyncClient) -> None:
    """Close all connections of ``client``, in whatever state an error has left it."""
    await client.aclose()
    if isinstance(client, asyncio_cluster.RedisCluster):
        # After an error redis-py marks it as not yet started, and then closes nothing.
        await client.nodes_manager.aclose()
        await client.nodes_manager.aclose("startup_nodes")


def explain(url: RedisUrl, error: Exception) -> str:
    """Return what went wrong, for the log: in the words of redis-py, and what to do about it.

    A server, or a proxy in front of it, may quote what it was sent, the password included. Then its
    words are left out.
    """
    words = str(error).partition(", with args")[0].strip() or type(error).__name__
    if any(secret in words for secret in url.secrets):
        words = type(error).__name__
    advice = next((text for kind, text in _ADVICE if isinstance(error, kind)), None)
    if words.lower().startswith("unknown command"):
        advice = "it must be Redis 6.2, Valkey 7.2, or newer"
    told = f"the Redis store at {url.shown} (INTASTELLAR_STORE_URL): {words}"
    return told + (f" ({advice})" if advice else "")


# The primary is looked up anew for each client, and the client given up when it fails. redis-py's
# own client for a Sentinel leaves an answer unread where a greenlet is killed over it, and the next
# command of that connection would take it for its own.


def _primary(url: RedisUrl, options: dict[str, Any]) -> tuple[str, int]:
    watchers = _Sentinel(url.hosts, sentinel_kwargs=_for_sentinels(url, options))
    try:
        host, port = watchers.discover_master(url.service)
        return host, port
    finally:
        for watcher in watchers.sentinels:
            watcher.close()


async def _primary_async(url: RedisUrl, options: dict[str, Any]) -> tuple[str, int]:
    watchers = _AsyncSentinel(url.hosts, sentinel_kwargs=_for_sentinels(url, options))
    try:
        host, port = await watchers.discover_master(url.service)
        return host, port
    finally:
        await asyncio.gather(*(watcher.aclose() for watcher in watchers.sentinels))


def _options(url: RedisUrl, retry: Retry | asyncio_retry.Retry) -> dict[str, Any]:
    return {
        "username": url.username,
        "password": url.password,
        "socket_timeout": TIMEOUT,
        "socket_connect_timeout": TIMEOUT,
        "socket_keepalive": True,
        "max_connections": CONNECTIONS,
        "protocol": 2,  # what every Redis, Valkey and proxy speaks
        "retry": retry,
        **({} if url.tls is None else {"ssl": True, **url.tls}),
    }


def _for_sentinels(url: RedisUrl, options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "username": url.sentinel_username, "password": url.sentinel_password}
