"""A line to a server that breaks at a chosen command: after it was carried out, or before."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Swallower:
    """Passes on what comes to ``port``; the next commands named ``swallow`` lose their answers."""

    server: int
    listener: socket.socket
    swallow: list[bytes] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    @property
    def port(self) -> int:
        """The port to call instead of the server's."""
        return int(self.listener.getsockname()[1])

    def lose(self, *commands: str) -> None:
        """Lose the answer to the next command of each of these names, one connection each."""
        self.swallow += [f"\r\n{name}\r\n".encode() for name in commands]

    def accept(self) -> None:
        """Serve each connection in a thread, until the listener is closed."""
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._pass_on, args=(line,))
            self.threads.append(thread)
            thread.start()

    def _pass_on(self, line: socket.socket) -> None:
        with closing(line), socket.create_connection(("127.0.0.1", self.server)) as server:
            while asked := line.recv(65536):
                server.sendall(asked)
                answered = server.recv(65536)
                for name in self.swallow:
                    if name in asked:
                        self.swallow.remove(name)
                        return
                line.sendall(answered)


@contextmanager
def swallower(server: int) -> Iterator[Swallower]:
    """Stand in front of the server on port ``server`` until the block is left."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = Swallower(server, listener)
        thread = threading.Thread(target=started.accept)
        thread.start()
        try:
            yield started
        finally:
            # Closing alone would not wake the thread that accepts.
            listener.shutdown(socket.SHUT_RDWR)
            for each in (thread, *started.threads):
                each.join()
