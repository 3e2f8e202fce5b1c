"""What a site of any size asks of its store: a simulation with the middleware's own memory in it.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --rate 100000 --sessions 100000000 --processes 200

One process of the site is played with a clock of its own: requests come from sessions that are
picked at random among those in use, the process's real memory decides when the store is asked, and
each question is counted. All processes together ask as many times more as there are. Three inputs
are measured here, before the simulation: what a question costs a Redis, and what a session takes of
its memory. It needs `redis-server`.
"""

from __future__ import annotations

import argparse
import random
import secrets
import shutil
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TypeVar, cast

from common import CLAIMS, SECRET
from redis import Redis
from throughput import free_port, running

from intastellar_auth import Settings
from intastellar_auth.core.effects import Flow, GetMany, Put
from intastellar_auth.core.front import make_front
from intastellar_auth.core.session import Session
from intastellar_auth.core.site import make_site
from intastellar_auth.drive.blocking import Outside
from intastellar_auth.stores import MemoryStore, Store, open_store
from intastellar_auth.user import pack_claims

T = TypeVar("T")

REQUESTS = 60_000
QUESTIONS = 20_000


@dataclass(slots=True)
class Clock:
    """Called, it returns ``now``, in seconds."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@dataclass(slots=True)
class Counting:
    """Performs what a flow asks of the store, and counts it."""

    store: Store
    asked: Counter[str] = field(default_factory=Counter)

    def run(self, flow: Flow[T]) -> T:
        """Return what ``flow`` returns."""
        answer: object = None
        try:
            while True:
                effect = flow.send(answer)
                self.asked[type(effect).__name__] += 1
                answer = None
                if isinstance(effect, GetMany):
                    answer = self.store.get_many(effect.keys)
                elif isinstance(effect, Put):
                    self.store.put(effect.key, effect.value, effect.ttl)
                else:
                    raise TypeError(f"nothing here asks for {effect}")
        except StopIteration as stop:
            return cast("T", stop.value)


def settings(mode: str, check: int, store_url: str = "memory://") -> Settings:
    """Return the settings of a site with sessions of ``mode``."""
    return Settings(
        _env_file=None,
        issuer="https://provider.example",
        client_id="site",
        base_url="https://site.example",
        secret_keys=[SECRET],
        store_url=store_url,
        session_mode=mode,
        revocation_check=check,
    )


def session(number: int, now: float) -> Session:
    """Return a session of about 600 bytes, begun a while ago and rolled at some time since."""
    claims, rolled = pack_claims(CLAIMS), now - number % 300
    return Session(f"{number:022}", f"user-{number}", "https://p.example", now, rolled, (), claims)


def questions(mode: str, check: int, rate: float, in_use: int) -> Counter[str]:
    """Return what one process asks of the store in ``REQUESTS`` requests, ``rate`` a second.

    The first third of them, in which its memory fills, is not counted.
    """
    clock = Clock()
    site = make_site(settings(mode, check), clock=clock, token_bytes=secrets.token_bytes)
    front = make_front(site)
    outside = Counting(MemoryStore(max_entries=10 * REQUESTS, clock=clock))
    headers: dict[int, bytes] = {}
    chance = random.Random(1)  # noqa: S311  no secret comes of it
    for number in range(REQUESTS):
        clock.now += chance.expovariate(rate)
        if number == REQUESTS // 3:
            outside.asked.clear()
        who = chance.randrange(in_use)
        header = headers.get(who)
        if header is None:
            begun = session(who, clock.now)
            Counting(outside.store).run(site.sessions.begin(begun, clock.now))
            text = site.sessions.keeper.text(begun)
            header = headers[who] = f"{site.sessions.name}=1{text}".encode()
        admitted = site.admissions.at_once(header, clock.now)
        if admitted is None:
            admitted = outside.run(front.admit(header))
        if admitted is not None and clock.now >= admitted.roll_at:
            for value in outside.run(front.roll(admitted.session, header)):
                headers[who] = value.partition(";")[0].encode()
    return outside.asked


def measured(url: str, port: int) -> tuple[float, float]:
    """Return the seconds a Redis is busy for one question, and the bytes it keeps of a session."""
    store = open_store(url)
    site, client = make_site(settings("server", 30, url)), Redis(port=port)
    now = time.time()
    held = int(client.info("memory")["used_memory"])
    for number in range(1000):
        Outside(store, 1.0).run(site.sessions.begin(session(number, now), now))
    size = (int(client.info("memory")["used_memory"]) - held) / 1000
    names = [secrets.token_hex(20) for _ in range(3)]
    before = busy(client)
    for _ in range(QUESTIONS):
        store.get_many(names)
    spent = busy(client) - before
    store.close()
    client.close()
    return spent / QUESTIONS, size


def busy(client: Redis) -> float:
    """Return the seconds of a processor that the server has used so far."""
    used = client.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def main() -> None:
    """Measure, simulate and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=100_000, help="requests a second, all of it")
    parser.add_argument("--sessions", type=float, default=100_000_000, help="that are alive")
    parser.add_argument("--in-use", type=int, default=1_000_000, help="of these, at one time")
    parser.add_argument("--processes", type=int, default=200)
    asked = parser.parse_args()
    if shutil.which("redis-server") is None:
        sys.exit("needs redis-server: apt-get install redis-server")
    port = free_port()
    redis = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with ExitStack() as stack:
        stack.enter_context(running(redis, port))
        cost, size = measured(f"redis://127.0.0.1:{port}", port)
    print(f"measured: {cost * 1e6:.1f} µs of a Redis for a question, {size:.0f} bytes a session")
    print(f"{asked.rate:.0f} requests/s on {asked.processes} processes, {asked.in_use} in use\n")
    print(f"{'sessions':<8} {'check':>5} {'balancer':<9} {'questions/request':>17} ", end="")
    print(f"{'questions/s':>11} {'writes/s':>8} {'Redis busy':>10} {'memory':>8}")
    for mode in ("cookie", "server"):
        for check in (0, 30, 300):
            for balancer, share in (("any", asked.in_use), ("sticky", asked.in_use)):
                mine = share // asked.processes if balancer == "sticky" else share
                found = questions(mode, check, asked.rate / asked.processes, mine)
                each = 1.5 / REQUESTS
                reads, writes = found["GetMany"] * each, found["Put"] * each
                load = (reads + writes) * asked.rate * cost
                memory = asked.sessions * size / 1e9 if mode == "server" else 0
                print(f"{mode:<8} {check:>5} {balancer:<9} {reads:>17.3f} ", end="")
                print(f"{reads * asked.rate:>11.0f} {writes * asked.rate:>8.0f} ", end="")
                print(f"{load:>10.0%} {memory:>5.0f} GB")


if __name__ == "__main__":
    main()
