"""A WebSocket whose session ends, under a real server: its app ends, and the server can stop."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from intastellar_auth.core.ended import end_session
from intastellar_auth.core.session import Session
from intastellar_auth.core.site import make_site
from intastellar_auth.drive import blocking
from intastellar_auth.settings import Settings
from intastellar_auth.stores import open_store
from tests.support.server import PATIENCE, TESTS, free_port, running, until


def listen(socket: ClientConnection) -> NoReturn:
    """Hear all that is said; raises ``ConnectionClosed`` at the end of it."""
    while True:
        socket.recv(timeout=PATIENCE)


@pytest.mark.parametrize("library", ["websockets", "websockets-sansio", "wsproto"])
def test_an_app_that_only_speaks_ends_with_the_session_and_the_server_stops(
    tmp_path: Path, library: str
) -> None:
    """CK-24."""
    port = free_port()
    store = f"sqlite:///{tmp_path / 'store.sqlite'}"
    settings = {
        "issuer": "http://127.0.0.1:1",
        "client_id": "site",
        "base_url": f"http://127.0.0.1:{port}",
        "secret_keys": "a-key-of-the-tests-with-more-than-32-characters",
        "store_url": store,
        "revocation_check": "0",
    }
    site = make_site(Settings(_env_file=None, **settings))
    now = site.clock()
    session = Session("s-1", "alice", settings["issuer"], now, now)
    app = ["--factory", "tests.asgi.served_app:speaker", "--lifespan", "on"]
    command = ["-m", "uvicorn", *app, "--port", str(port)]
    environment = {f"INTASTELLAR_{name.upper()}": value for name, value in settings.items()}
    with running(
        [sys.executable, *command, "--ws", library],
        port=port,
        folder=tmp_path,
        environment={**environment, "PYTHONPATH": str(TESTS.parent)},
    ) as server:
        cookie = f"intastellar=1{site.sessions.keeper.text(session)}"
        with connect(
            f"ws://127.0.0.1:{port}/live", additional_headers={"Cookie": cookie}, proxy=None
        ) as socket:
            assert socket.recv(timeout=PATIENCE) == "tick"
            blocking.Outside(open_store(store), 1.0).run(end_session(session, 60.0))
            with pytest.raises(ConnectionClosed) as closed:
                listen(socket)
        until(lambda: "the app has ended" in server.log(), "the end of the app")
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "signed out")
        server.stop(patience=10.0)
        assert "Traceback" not in server.log()
