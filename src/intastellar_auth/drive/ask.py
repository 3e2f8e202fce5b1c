"""Put a flow's question to a store, in a thread that may block or on an event loop of asyncio."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from intastellar_auth.core.effects import Add, Delete, Get, GetMany, Put, Take
from intastellar_auth.stores import AsyncStore, Store

Question: TypeAlias = Get | GetMany | Put | Add | Take | Delete


def ask(store: Store, question: Question) -> object:
    """Return what ``store`` answers; raises ``StoreUnavailable``."""
    match question:
        case Get(key):
            return store.get(key)
        case GetMany(keys):
            return store.get_many(keys)
        case Put(key, value, ttl):
            store.put(key, value, ttl)
        case Add(key, value, ttl):
            return store.add(key, value, ttl)
        case Take(key):
            return store.take(key)
        case Delete(key):
            store.delete(key)
        case _:
            assert_never(question)
    return None


async def ask_async(store: AsyncStore, question: Question) -> object:
    """Do what ``ask`` does, without blocking."""
    match question:
        case Get(key):
            return await store.aget(key)
        case GetMany(keys):
            return await store.aget_many(keys)
        case Put(key, value, ttl):
            await store.aput(key, value, ttl)
        case Add(key, value, ttl):
            return await store.aadd(key, value, ttl)
        case Take(key):
            return await store.atake(key)
        case Delete(key):
            await store.adelete(key)
        case _:
            assert_never(question)
    return None
