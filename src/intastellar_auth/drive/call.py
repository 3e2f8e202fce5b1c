"""How far one call to the provider has come, and thus which error its failure is.

An authorization code must never be sent twice unless the first try surely never reached the
provider. This file knows the steps that httpcore reports, and how to cut a connection; it sends
nothing itself.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from threading import Lock

import httpcore
import httpx

from intastellar_auth.errors import ProviderError, ProviderTimeout, ProviderUnreachable


class Call:
    """How far one call has come: whether the provider can have received anything of it.

    httpcore tells each step before it is taken (https://www.encode.io/httpcore/extensions/). Only a
    step known to precede the request counts as such, so an event that is not known, or does not
    come, makes a call that must not be sent twice rather than one that may.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._nothing_sent = True
        self._stopped = False
        self._line: socket.socket | None = None
        self._lock = Lock()

    def begin(self) -> None:
        """From here on only a known step proves that nothing was sent."""
        self._nothing_sent = False

    def note(self, event: str, info: Mapping[str, object]) -> None:
        """Take note of a step; raises ``TimeoutError`` instead of sending after ``stop``."""
        if not event.endswith(".started"):
            return
        with self._lock:
            if event.endswith("connect_tcp.started"):
                self._nothing_sent = True
            elif not _precedes_request(event, info):
                if self._stopped:
                    raise TimeoutError
                self._nothing_sent = False

    def hold(self, stream: httpcore.NetworkStream) -> Callable[[], None]:
        """Keep a handle of the connection for ``stop``, through TLS and all; return its release.

        The handle is a duplicate because TLS takes the original away.
        """
        line: socket.socket = stream.get_extra_info("socket").dup()
        with self._lock:
            self._line = line
        if self._stopped:
            self.stop()

        def release() -> None:
            with self._lock:
                self._line = None
            line.close()

        return release

    def stop(self) -> None:
        """Cut the connection, if there is one, and let nothing be sent any more."""
        with self._lock, contextlib.suppress(OSError):
            self._stopped = True
            if self._line is not None:
                self._line.shutdown(socket.SHUT_RDWR)

    def too_late(self, timeout: float) -> ProviderError:
        """Stop, and return the error for a call that took longer than ``timeout`` seconds."""
        self.stop()
        return self._error(f"no answer within {timeout:g} s (INTASTELLAR_HTTP_TIMEOUT)")

    def failed(self, error: Exception) -> ProviderError:
        """Return the error for a call that ended with ``error``."""
        return self._error(_reason(error))

    def _error(self, reason: str) -> ProviderError:
        if self._nothing_sent:
            return ProviderUnreachable(f"{self.address}: {reason}; nothing was sent")
        return ProviderTimeout(f"{self.address}: {reason}; it may have acted on the request")


def _precedes_request(event: str, info: Mapping[str, object]) -> bool:
    if event.startswith(("connection.", "proxy.", "socks.")):
        return True
    # What a proxy is asked for a tunnel is not yet the request (RFC 9110 section 9.3.6).
    return getattr(info.get("request"), "method", b"") == b"CONNECT"


def _reason(error: BaseException) -> str:
    """Return what went wrong in the system's words: the message itself might quote a secret."""
    if isinstance(error, httpx.ProxyError):
        return f"the proxy answered {error}"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        # httpcore hides the cause, not the context. Where several addresses were tried, there is a
        # group, and its first failure stands for all.
        hidden = cause.__cause__ or cause.__context__
        cause = hidden.exceptions[0] if isinstance(hidden, BaseExceptionGroup) else hidden
    return type(error).__name__
