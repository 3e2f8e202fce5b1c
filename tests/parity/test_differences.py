"""Each difference that a protocol forces, shown."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
from typing import TYPE_CHECKING
from unittest.mock import AsyncMock
from urllib.parse import quote

from starlette.types import Message

from intastellar_auth import asgi, wsgi
from intastellar_auth.core.session import Session
from tests.flows.hand import Clock
from tests.wsgi.client import call, make_environ
from tests.wsgi.simulation import simulated, site_settings

from .scenario import FORM, NAVIGATION, SCRIPT
from .shells import Asgi, Sent, Wsgi, make_asgi, make_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from starlette.types import Receive, Scope, Send

    from .shells import Came

CLOCK = Clock()
SETTINGS = site_settings(idp_logout="false", protected_paths="/private/*,/ws")


def by_asgi() -> Asgi:
    return make_asgi(SETTINGS, CLOCK, secrets.token_bytes)


def by_wsgi() -> Wsgi:
    return make_wsgi(SETTINGS, CLOCK, secrets.token_bytes)


def cookie_of(shell: Asgi | Wsgi) -> str:
    """Return the cookie of alice's session, who has just signed in."""
    now = CLOCK()
    session = Session("an id", "alice", "https://id.example", now, now)
    (header,) = shell.app._site.sessions.set_cookies(session, b"", now)
    return header.partition(";")[0]


def user_of(came: Came) -> object:
    """Return whom the app saw."""
    return json.loads(came.body)["user"]


def test_the_app_finds_its_user_where_its_kind_looks() -> None:
    scopes: list[Scope] = []
    environs: list[WSGIEnvironment] = []

    async def asgi_app(scope: Scope, _receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body", "body": b""})

    def wsgi_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environs.append(environ)
        start_response("204 No Content", [])
        return []

    with simulated(asgi, CLOCK, secrets.token_bytes), simulated(wsgi, CLOCK, secrets.token_bytes):
        shells = (
            Asgi(asgi.AuthMiddleware(asgi_app, SETTINGS)),
            Wsgi(wsgi.AuthMiddleware(wsgi_app, SETTINGS)),
        )
    for shell in shells:
        shell.ask(Sent("GET", "/", (("cookie", cookie_of(shell)),), b""))

    (scope,), (environ,) = scopes, environs
    assert scope["user"] == environ["intastellar.user"]
    assert scope["auth"] == environ["intastellar.auth"]
    assert (environ["REMOTE_USER"], environ["AUTH_TYPE"]) == (scope["user"].sub, "Intastellar")


def test_the_status_has_a_phrase_in_wsgi_alone() -> None:
    statuses = {
        target: call(by_wsgi().app, make_environ(target, headers=SCRIPT)).status
        for target in ("/auth/user", "/auth/login", "/auth/callback", "/auth/logout")
    }

    assert statuses == {
        "/auth/user": "401 Unauthorized",
        "/auth/login": "401 Unauthorized",
        "/auth/callback": "400 Bad Request",
        "/auth/logout": "303 See Other",
    }
    assert by_asgi().ask(Sent("GET", "/auth/user", SCRIPT, b"")).status == 401


def test_header_names_are_lower_case_in_asgi_alone() -> None:
    names: list[str] = []

    def start(_: str, headers: list[tuple[str, str]], *__: object) -> Callable[[bytes], object]:
        names.extend(name for name, _ in headers)
        return io.BytesIO().write

    by_wsgi().app(make_environ("/auth/user", headers=SCRIPT), start)
    came = by_asgi().ask(Sent("GET", "/auth/user", SCRIPT, b""))

    assert "Cache-Control" in names
    assert [name.lower() for name in names] == [name for name, _ in came.headers]


def test_a_websocket_is_closed_in_asgi_and_answered_in_wsgi() -> None:
    shell = by_asgi()
    sent: list[Message] = []
    foreign = ((b"cookie", cookie_of(shell).encode()), (b"origin", b"https://evil.example"))

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/ws", "query_string": b"", "headers": foreign}
    asyncio.run(shell.app(scope, asyncio.Queue[Message]().get, send))
    other = by_wsgi()
    headers = {
        "upgrade": "websocket",
        "cookie": cookie_of(other),
        "origin": "https://evil.example",
    }
    got = call(other.app, make_environ("/ws", headers=headers))

    assert [message["type"] for message in sent] == ["websocket.close"]
    assert got.code == 401


def test_a_form_without_a_length_is_read_where_its_end_is_known() -> None:
    body = b"next=%2Fbye"
    headers = (*FORM, ("transfer-encoding", "chunked"))
    environ = make_environ("/auth/logout", "POST", headers)
    ended = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    unended = {"wsgi.input": io.BytesIO(body)}

    came = by_asgi().ask(Sent("POST", "/auth/logout", headers, body))

    assert dict(came.headers)["location"] == "/bye"
    assert call(by_wsgi().app, environ | ended).header("location") == "/bye"
    assert call(by_wsgi().app, environ | unended).header("location") == "/"


def test_a_form_whose_sender_hangs_up_is_dropped_in_asgi_and_refused_in_wsgi() -> None:
    """The ASGI server says so in words of its own, the WSGI server by an end or an error."""
    unheard = AsyncMock()
    coming: list[Message] = [
        {"type": "http.request", "body": b"next=%2Fb", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return coming.pop(0)

    scope = {"type": "http", "method": "POST", "path": "/auth/logout", "query_string": b""}
    asyncio.run(by_asgi().app({**scope, "headers": ()}, receive, unheard))
    environ = make_environ("/auth/logout", "POST", FORM, b"next=%2Fb")
    got = call(by_wsgi().app, environ | {"CONTENT_LENGTH": "11"})

    unheard.assert_not_called()
    assert got.code == 400


def test_an_unusual_spelling_is_kept_where_the_server_tells_it() -> None:
    spelled, plain = "/private/%7Ealice", "/private/~alice"
    login = "/auth/login?next="
    silent = make_environ(spelled)
    del silent["RAW_URI"]

    came = by_asgi().ask(Sent("GET", spelled, NAVIGATION, b""))

    assert dict(came.headers)["location"] == login + quote(spelled)
    assert call(by_wsgi().app, make_environ(spelled)).header("location") == login + quote(spelled)
    assert call(by_wsgi().app, silent).header("location") == login + plain


def test_several_cookie_lines_are_joined_by_us_in_asgi_and_by_the_server_in_wsgi() -> None:
    shell, other = by_asgi(), by_wsgi()
    lines = (("cookie", "a=b"), ("cookie", cookie_of(shell)))
    joined = {"cookie": f"a=b; {cookie_of(other)}"}

    assert user_of(shell.ask(Sent("GET", "/", lines, b""))) == "alice"
    assert user_of(other.ask(Sent("GET", "/", tuple(joined.items()), b""))) == "alice"
    assert user_of(other.ask(Sent("GET", "/", lines, b""))) is None


def test_an_underscore_in_a_name_is_a_hyphen_in_wsgi_alone() -> None:
    sent = Sent("GET", "/private/page", (*NAVIGATION, ("sec_purpose", "prefetch")), b"")

    assert by_asgi().ask(sent).status == 303
    assert by_wsgi().ask(sent).status == 401
