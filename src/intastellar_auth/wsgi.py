"""``AuthMiddleware`` for WSGI: an environ comes in; out goes a reply, or the app with its user.

::

    app.wsgi_app = AuthMiddleware(app.wsgi_app)     # Flask
    application = AuthMiddleware(application)       # any other WSGI app

No event loop, and nothing that a fork must not copy: gunicorn's ``sync``, ``gthread`` and
``gevent`` workers, with ``--preload`` or without, waitress and ``wsgiref`` all run it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from intastellar_auth.core.admission import Admitted
from intastellar_auth.core.front import MAX_BODY, make_front
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.replies import rules_caches
from intastellar_auth.core.site import make_site
from intastellar_auth.drive.blocking import Outside
from intastellar_auth.environ import put_user
from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.settings import Settings
from intastellar_auth.stores import open_store
from intastellar_auth.user import ANONYMOUS

if TYPE_CHECKING:
    # The standard library has these names for type checkers only.
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

_VARY = ("Vary", "Cookie")
# More than any length that is read has.
_DIGITS = 18


class AuthMiddleware:
    """Signs users in, in front of ``app``.

    ``settings=None`` reads the environment: see ``Settings``. Raises ``SettingsError`` with all
    that is wrong with it. Nothing is asked of the provider before the first sign-in.
    """

    def __init__(self, app: WSGIApplication, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        self._app = app
        self._site = site = make_site(settings)
        self._front = make_front(site)
        store = open_store(settings.store_url.get_secret_value())
        self._outside = Outside(store, settings.http_timeout)
        self._at_once, self._clock = site.admissions.at_once, site.clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a path of ours, or call the app with its user in ``environ``."""
        path = _decoded(environ.get("PATH_INFO", "")) or "/"
        if self._front.may_answer(path, environ.get("QUERY_STRING", "")):
            reads = self._front.reads_body(path, environ["REQUEST_METHOD"])
            body = _read_body(environ) if reads else b""
            if body is None:
                cut_off = self._front.cut_off(_request(environ, path))
                return _send(cut_off, environ, start_response)
            reply = self._outside.run(self._front.answer(_request(environ, path, body)))
            if reply is not None:
                return _send(reply, environ, start_response)
        header: bytes = environ.get("HTTP_COOKIE", "").encode("latin-1")
        admitted = self._at_once(header, self._clock()) if header else None
        unsure: StoreUnavailable | None = None
        if admitted is None and header:
            try:
                admitted = self._outside.run(self._front.admit(header))
            except StoreUnavailable as error:
                unsure = error
        foreign = "HTTP_UPGRADE" in environ and self._is_foreign_websocket(environ)
        if foreign:
            # A page of another site may open one with our visitor's cookies (CK-24).
            admitted = None
        if admitted is not None:
            put_user(environ, admitted.user, admitted.auth)
        elif self._site.rules.needs_user(path):
            reply = self._front.refuse(_request(environ, path), _spelled(environ), unsure)
            return _send(reply, environ, start_response)
        else:
            told = unsure is None and not foreign
            put_user(environ, ANONYMOUS, self._site.nobody if told else self._site.unsure)
        return self._app(environ, self._going_out(start_response, admitted, header))

    def _is_foreign_websocket(self, environ: WSGIEnvironment) -> bool:
        origin: str | None = environ.get("HTTP_ORIGIN")
        elsewhere = origin is not None and origin != self._site.settings.origin
        return elsewhere and "websocket" in environ["HTTP_UPGRADE"].lower()

    def _going_out(
        self, start_response: StartResponse, admitted: Admitted | None, header: bytes
    ) -> StartResponse:
        """Return ``start_response`` that says what the answer depends on, and carries a roll."""
        due = admitted is not None and self._clock() >= admitted.roll_at
        rolling = admitted.session if admitted is not None and due else None

        def varying(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: ExcInfo | None = None,
            /,
        ) -> Callable[[bytes], object]:
            # CVE-2023-30861: without it a cache gives one visitor's page to another.
            headers = [*headers, _VARY]
            if rolling is not None:
                set_cookies = self._outside.run(self._front.roll(rolling, header))
                if set_cookies:
                    # A cache that keeps this answer hands the session to strangers
                    # (CVE-2025-48947).
                    headers = [item for item in headers if not rules_caches(item[0])]
                    headers.append(("Cache-Control", "no-store"))
                    headers += [("Set-Cookie", value) for value in set_cookies]
            # Servers differ in whether a third argument may be None.
            more = () if exc_info is None else (exc_info,)
            return start_response(status, headers, *more)

        return varying


def _decoded(text: str) -> str:
    """PEP 3333 carries bytes as latin-1; a path is UTF-8 (RFC 3986 section 2.5)."""
    return text.encode("latin-1").decode("utf-8", "replace")


def _spelled(environ: WSGIEnvironment) -> str:
    """The path as the browser spelled it, where the server says: gunicorn and uWSGI do."""
    raw: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    script = quote(_decoded(environ.get("SCRIPT_NAME", "")))
    return raw.partition("?")[0].removeprefix(script)


def _request(environ: WSGIEnvironment, path: str, body: bytes = b"") -> Request:
    headers = [
        (name.removeprefix("HTTP_").replace("_", "-").lower(), value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or name == "CONTENT_TYPE"
    ]
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=environ.get("QUERY_STRING", ""),
        headers=tuple(headers),
        body=body,
    )


def _read_body(environ: WSGIEnvironment) -> bytes | None:
    """The body, or as much of it as shows that it is too large; ``None`` where it is cut off.

    Without a length only a server that ends the stream by itself may be read from (PEP 3333).
    """
    length: str = environ.get("CONTENT_LENGTH") or ""
    is_known = length.isascii() and length.isdigit()
    if is_known:
        # Not every server looks at it, and int() refuses thousands of digits.
        wanted = min(int(length[:_DIGITS]), MAX_BODY + 1)
    else:
        wanted = MAX_BODY + 1 if environ.get("wsgi.input_terminated") else 0
    body = b""
    try:
        while len(body) < wanted and (part := environ["wsgi.input"].read(wanted - len(body))):
            body += part
    except OSError:
        # What gunicorn, gevent and mod_wsgi raise where the visitor has gone.
        return None
    # Others just end the stream. Half a code in half a form would use a sign-in up.
    return None if is_known and len(body) < wanted else body


def _send(reply: Reply, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    headers = [(name.title(), value) for name, value in reply.headers]
    if reply.status != HTTPStatus.NO_CONTENT:
        # RFC 9110 section 8.6: a 204 has none.
        headers.append(("Content-Length", str(len(reply.body))))
    start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [reply.body]
