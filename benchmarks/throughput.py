"""Requests a second of a signed-in page, under real servers, as a ratio to the bare app.

    python benchmarks/throughput.py

Each stack runs in a server process of its own, with one worker; `wrk` (a Debian package) sends it
requests on 16 connections, from a process of its own. Each takes turns with the bare app, which is
sent the same requests, cookies and all; so whatever else the machine does falls on both alike. The
table shows the medians of the rounds. "Remembered" is one cookie that comes again and again, "anew"
forty thousand in turn, so many that a process has lost sight of each when it comes again. It needs
`wrk` and `redis-server`.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from authenticated_request import starlette_cookie
from common import SECRET, our_cookies, our_settings

from intastellar_auth import Settings
from intastellar_auth.core.session import Session
from intastellar_auth.core.site import make_site
from intastellar_auth.drive.blocking import Outside
from intastellar_auth.stores import open_store

HERE = Path(__file__).parent
SECONDS = 2
ROUNDS = 5
MANY = 40_000


@dataclass(frozen=True, slots=True)
class Stack:
    """One line of the table: the variables of its server, and the cookies that are sent to it."""

    name: str
    variables: dict[str, str]
    cookies: list[str]


def ours(store_url: str, **values: object) -> tuple[dict[str, str], Settings]:
    """Return the settings of a site, as variables and as such."""
    given = {
        "issuer": "https://provider.example",
        "client_id": "site",
        "base_url": "https://site.example",
        "secret_keys": SECRET,
        "protected_paths": "*",
        "store_url": store_url,
        "session_idle": 86_400,
        **values,
    }
    variables = {f"INTASTELLAR_{name.upper()}": str(value) for name, value in given.items()}
    return {"BENCH_STACK": "ours", **variables}, Settings(_env_file=None, **given)


def in_store(name: str, store_url: str, **values: object) -> Stack:
    """Return a stack whose one session is in the store."""
    variables, settings = ours(store_url, session_mode="server", **values)
    site, now = make_site(settings), time.time()
    session = Session("s" * 22, "alice", "https://provider.example", now, now, ("openid",))
    store = open_store(store_url)
    Outside(store, 1.0).run(site.sessions.begin(session, now))
    store.close()
    text = site.sessions.keeper.text(session)
    return Stack(name, variables, [f"theme=dark; {settings.cookie_name}=1{text}"])


def stacks(folder: Path, redis: str) -> list[Stack]:
    """Return all stacks, the bare app first."""
    sqlite = f"sqlite:///{folder / 'store.db'}"
    # Opened anew and no more: a check against the store would be what "server" measures.
    memory, settings = ours("memory://", revocation_check=3600)
    plain = ["theme=dark"]
    return [
        Stack("bare app", {"BENCH_STACK": "bare"}, plain),
        Stack("cookie, remembered", memory, our_cookies(settings, 1)),
        Stack("cookie, anew", memory, our_cookies(settings, MANY)),
        in_store("server, SQLite", sqlite),
        in_store("server, Redis", redis),
        in_store("server, Redis, REVOCATION_CHECK=0", redis, revocation_check=0),
        Stack("bare app with one Redis GET", {"BENCH_STACK": "redis", "BENCH_REDIS": redis}, plain),
        Stack("SessionMiddleware", {"BENCH_STACK": "session"}, [starlette_cookie()]),
    ]


SERVERS = {
    "uvicorn": ["-m", "uvicorn", "throughput_app:app", "--no-access-log", "--port"],
    "granian": ["-m", "granian", "--interface", "asgi", "throughput_app:app", "--port"],
}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, **variables: str) -> Iterator[None]:
    """Run a server until the block is left."""
    process = subprocess.Popen(  # noqa: S603  written here
        command,
        cwd=HERE,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            with socket.socket() as caller:
                if caller.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if time.monotonic() > deadline:
                raise TimeoutError(f"{command} does not answer")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def script(folder: Path, number: int, cookies: list[str]) -> Path:
    """Return a script for wrk that sends ``cookies`` in turn."""
    jar = folder / f"{number}.txt"
    jar.write_text("\n".join(cookies), encoding="utf-8")
    lua = folder / f"{number}.lua"
    lua.write_text(
        f"""
local requests, turn = {{}}, 0
init = function()
  for line in io.lines("{jar}") do
    requests[#requests + 1] = wrk.format("GET", "/members", {{["Cookie"] = line}})
  end
end
request = function()
  turn = turn % #requests + 1
  return requests[turn]
end
""",
        encoding="utf-8",
    )
    return lua


def wrk(port: int, lua: Path) -> float:
    """Return the requests a second; raise where an answer was no 200."""
    load = ["-t1", "-c16", f"-d{SECONDS}s", "-s", str(lua), f"http://127.0.0.1:{port}"]
    said = subprocess.run(  # noqa: S603  written here
        [str(shutil.which("wrk")), *load], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in said:
        raise RuntimeError(said)
    found = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    if found is None:
        raise RuntimeError(said)
    return float(found[1])


def main() -> None:
    """Measure and print."""
    missing = [tool for tool in ("wrk", "redis-server") if shutil.which(tool) is None]
    if missing:
        sys.exit(f"needs {' and '.join(missing)}: apt-get install wrk redis-server")
    our_settings()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, at = Path(name), free_port()
        redis = ["redis-server", "--port", str(at), "--bind", "127.0.0.1", "--save", ""]
        stack.enter_context(running(redis, at))
        logging.disable()
        print(f"{'server':<9} {'stack':<36} {'requests/s':>10} {'of bare':>8}")
        for server, words in SERVERS.items():
            # Made for each server: a cookie of five minutes ago would be rolled at every request.
            lines = stacks(folder, f"redis://127.0.0.1:{at}")
            scripts = [script(folder, number, each.cookies) for number, each in enumerate(lines)]
            with ExitStack() as servers:
                ports = [free_port() for _ in lines]
                for each, port in zip(lines, ports, strict=True):
                    command = [sys.executable, *words, str(port)]
                    servers.enter_context(running(command, port, **each.variables))
                for each, port, lua in zip(lines, ports, scripts, strict=True):
                    pairs = [(wrk(ports[0], lua), wrk(port, lua)) for _ in range(ROUNDS)]
                    rate = statistics.median(ours for _, ours in pairs)
                    ratio = statistics.median(ours / bare for bare, ours in pairs)
                    print(f"{server:<9} {each.name:<36} {rate:>10.0f} {ratio:>8.3f}", flush=True)


if __name__ == "__main__":
    main()
