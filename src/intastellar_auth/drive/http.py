"""The only HTTP client of the package, blocking and async, by httpx.

It knows limits (time, size, redirects). It does not know what a request is for, nor which failures
are safe to try again: ``call.py`` does.

What keeps secrets out of logs: httpx logs the method, the URL and the status; httpcore logs, at
``DEBUG``, also the answer's headers. Secrets of ours travel in the request's headers and body, and
tokens in the answer's body, which neither logs. Errors raised here quote no header, query or body,
and hide the exceptions that would (h11's name the header they refuse).
"""

from __future__ import annotations

import contextlib
import functools
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from email.utils import parsedate_to_datetime
from threading import Thread
from typing import cast

import anyio
import httpcore
import httpx

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.drive.call import Call
from intastellar_auth.errors import AnswerInvalid, ProviderUnreachable

MAX_ANSWER = 1 << 20
"""Bytes that the body of an answer may have."""

_AGE = re.compile("[0-9]{1,9}")
_HIGHEST_PORT = 65535
_LONGEST_ADDRESS = 200

_FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError, ImportError)
"""What a call may raise besides httpx's own: ``OSError`` from TLS, ``ValueError`` from a header or
a name that cannot be encoded, ``ImportError`` for a SOCKS proxy without its package."""


async def afetch(request: Fetch, *, timeout: float) -> Answer:  # noqa: ASYNC109 - of all steps
    """Send ``request`` and return its answer, within ``timeout`` seconds for all of it.

    Runs on asyncio and on trio. A redirect is returned like any other answer. Raises
    ``ProviderUnreachable`` where nothing was sent, ``ProviderTimeout`` where the provider may have
    received the request but no whole answer came, ``AnswerInvalid`` for a body that is encoded or
    larger than ``MAX_ANSWER``.
    """
    call = Call(_address(request.url))

    async def trace(event: str, info: Mapping[str, object]) -> None:
        if event.endswith("connect_tcp.complete"):
            # httpcore forgets the connection of a handshake that is cancelled.
            line.push_async_callback(
                cast("httpcore.AsyncNetworkStream", info["return_value"]).aclose
            )
        call.note(event, info)

    async with contextlib.AsyncExitStack() as line:
        with anyio.move_on_after(timeout), _translated(call):
            # A client for one call: it brings no cookie of another user's and no connection that
            # the provider may be closing just now, so a failure to connect is surely one. Its own
            # limits are for single steps and never come first.
            async with httpx.AsyncClient(verify=_tls(), timeout=timeout + 1) as client:
                outgoing = _outgoing(client, request, trace)
                call.begin()
                async with contextlib.aclosing(
                    await client.send(outgoing, stream=True)
                ) as response:
                    body = _Body(response, call.address)
                    with body.cut_short():
                        async for chunk in response.aiter_raw():
                            if not body.take(chunk):
                                # Without its connection the iteration ends by itself. Leaving it
                                # early would leave generators open inside of httpx.
                                await line.aclose()
                    return body.answer()
    raise call.too_late(timeout)


def fetch(request: Fetch, *, timeout: float) -> Answer:
    """Send ``request`` and return its answer, like ``afetch``, but block the calling thread.

    A blocking client limits each read by itself, so a provider that drips its headers, or a
    resolver that hangs, could hold it for as long as it likes. So the call runs in a thread of its
    own. When time is up its connection is cut, and what it has not sent by then it never sends.
    """
    call = Call(_address(request.url))
    outcome: Future[Answer] = Future()
    worker = Thread(target=_settle, args=(outcome, request, call, timeout), daemon=True)
    try:
        worker.start()
    except RuntimeError:
        raise ProviderUnreachable(
            f"{call.address}: no thread can be started for the call"
        ) from None
    try:
        return outcome.result(timeout)
    except TimeoutError:
        raise call.too_late(timeout) from None
    finally:
        call.stop()


def _settle(outcome: Future[Answer], request: Fetch, call: Call, timeout: float) -> None:
    try:
        outcome.set_result(_exchange(request, call, timeout))
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
        outcome.set_exception(error)


def _exchange(request: Fetch, call: Call, timeout: float) -> Answer:
    def trace(event: str, info: Mapping[str, object]) -> None:
        if event.endswith("connect_tcp.complete"):
            line.callback(call.hold(cast("httpcore.NetworkStream", info["return_value"])))
        call.note(event, info)

    with (
        contextlib.ExitStack() as line,
        _translated(call),
        # These limits for single steps end a thread that nobody waits for any more.
        httpx.Client(verify=_tls(), timeout=timeout + 1) as client,
    ):
        outgoing = _outgoing(client, request, trace)
        call.begin()
        with contextlib.closing(client.send(outgoing, stream=True)) as response:
            body = _Body(response, call.address)
            all(body.take(chunk) for chunk in response.iter_raw())
            return body.answer()


class _Body:
    """The body of an answer, received piece by piece and never beyond ``MAX_ANSWER`` bytes."""

    def __init__(self, response: httpx.Response, address: str) -> None:
        self._response = response
        self._address = address
        self._received = bytearray()
        self._too_large = False
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        if coding not in {"identity", ""}:
            # We asked for identity. A kilobyte of gzip can be a gigabyte of zeros (CWE-409).
            raise AnswerInvalid(f"{address}: the answer is encoded, though identity was asked for")

    def take(self, chunk: bytes) -> bool:
        """Keep ``chunk`` if it fits; return whether there may be more."""
        self._too_large = self._too_large or len(self._received) + len(chunk) > MAX_ANSWER
        if not self._too_large:
            self._received += chunk
        return not self._too_large

    @contextlib.contextmanager
    def cut_short(self) -> Iterator[None]:
        """Let a body end in an error, if it is ours: it was too large and was cut."""
        try:
            yield
        except httpx.TransportError:
            if not self._too_large:
                raise

    def answer(self) -> Answer:
        """Return the answer; raises ``AnswerInvalid`` where it did not fit."""
        if self._too_large:
            raise AnswerInvalid(f"{self._address}: the answer is larger than {MAX_ANSWER} bytes")
        headers = self._response.headers
        return Answer(
            self._response.status_code,
            headers.get("content-type", "").partition(";")[0].strip().lower(),
            bytes(self._received),
            _server_time(headers),
        )


def _server_time(headers: httpx.Headers) -> float | None:
    """RFC 9110 section 6.6.1, and RFC 9111 section 5.1: a cache says how old its answer is."""
    age = headers.get("age", "0")
    try:
        made = parsedate_to_datetime(headers.get("date", "")).timestamp()
        return made + (int(age) if _AGE.fullmatch(age) else 0)
    except (ValueError, OverflowError):
        return None


@contextlib.contextmanager
def _translated(call: Call) -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        # From None: the message of the original may quote a header with a secret in it.
        raise call.failed(error) from None


def _outgoing(
    client: httpx.Client | httpx.AsyncClient, request: Fetch, trace: Callable[..., object]
) -> httpx.Request:
    return client.build_request(
        request.method,
        request.url,
        headers=[
            *request.headers,
            ("accept-encoding", "identity"),
            ("connection", "close"),
            ("user-agent", "intastellar-auth"),
        ],
        content=request.body,
        extensions={"trace": trace},
    )


def _address(url: str) -> str:
    """Return ``url`` for the log, without its query and cut short.

    Raises ``ProviderUnreachable`` where nobody could be called.
    """
    try:
        parsed = httpx.URL(url)
        host, port = parsed.host, parsed.port
    except (httpx.InvalidURL, ValueError):  # a ValueError where IDNA knows no such name
        host, port = "", None
    if not host or parsed.scheme not in {"http", "https"}:
        raise ProviderUnreachable("an address of the provider is not an http or https URL")
    if port is not None and not 0 < port <= _HIGHEST_PORT:
        raise ProviderUnreachable(f"{host}: {port} is no port")
    path, _, _ = parsed.raw_path.partition(b"?")
    shown = f"{parsed.scheme}://{parsed.netloc.decode('ascii')}{path.decode('ascii')}"
    return shown[:_LONGEST_ADDRESS]


@functools.cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than many a call. SSL_CERT_FILE and SSL_CERT_DIR count.
    return httpx.create_ssl_context()
