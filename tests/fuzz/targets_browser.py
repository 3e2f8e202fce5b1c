"""Targets: what a browser sends."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from intastellar_auth.core import cookies
from intastellar_auth.core.messages import Request
from intastellar_auth.core.return_to import return_path
from intastellar_auth.core.seal import to_text
from intastellar_auth.core.site import make_site
from tests.flows.stage import END_SESSION, NAVIGATION, ORIGIN, SESSION_COOKIE, TOKEN, site_settings
from tests.oidc.forge import ISSUER, answer

from .bench import Bench, location_of, make_bench, no_randomness, posted
from .target import target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from intastellar_auth.core.messages import Reply
    from intastellar_auth.core.site import Site

_ASCII = "".join(map(chr, range(128)))
_AUTHORIZE = f"{ISSUER}/authorize?"
_PARAMETERS = (b"code=", b"&code=x", b"&state=", b"state", b"&iss=", b"&error=access_denied")
_PATHS = (b"/", b"//", b"\\", b"..", b"/auth/login", b"%2f", b"%5c", b"evil.example", b"\t", b"@")


@cache
def site(mode: str = "cookie") -> Bench:
    """Return the bench for ``mode``; no code is good any more."""
    bench = make_bench(session_mode=mode, claims="name")
    bench.hand.say(TOKEN, answer({"error": "invalid_grant"}, status=400))
    return bench


@cache
def posting() -> Bench:
    """Return a bench to which the provider posts."""
    bench = make_bench(response_mode="form_post")
    bench.hand.say(TOKEN, answer({"error": "invalid_grant"}, status=400))
    return bench


def _elsewhere(mode: str) -> Site:
    """Return another client of the same provider, with the same keys."""
    settings = site_settings(session_mode=mode, client_id="client-2")
    return make_site(settings, token_bytes=no_randomness)


def _value(pair: str) -> bytes:
    return pair.partition("=")[2].encode()


def _session_cookies() -> list[bytes]:
    """The living one, one that has expired, another client's, and other cookies of ours."""
    found = []
    for mode in ("cookie", "server"):
        bench = site(mode)
        assert bench.session is not None
        old = bench.session._replace(created=0.0, rolled=0.0)
        found += [_value(bench.session_cookie), _value(bench.hint_cookie)]
        found += [b"1" + bench.site.sessions.keeper.text(old).encode()]
        found += [b"1" + _elsewhere(mode).sessions.keeper.text(bench.session).encode()]
        found += [_value(bench.login_cookie)]
    return found


def _pairs() -> list[bytes]:
    """Whole headers."""
    name = SESSION_COOKIE.encode()
    values = _session_cookies()
    headers = [b"; ".join(name + b"=" + value for value in values)]
    headers += [name + b"=2" + values[0][1:60] + b"; " + name + b".1=" + values[0][60:]]
    bench = site()
    login = cookies.tagged(bench.site.attempts.prefix, "another state")
    alike = "; ".join(f"{login[:-1]}{number:x}=x" for number in range(16))
    return [*headers, f"{bench.hint_cookie}; {login}=x; a=b".encode(), alike.encode()]


@target(_session_cookies, b"1", b"2", b"3", b".", b";", SESSION_COOKIE.encode() + b"=1")
def session_cookie(data: bytes) -> None:
    """CK-07: nobody is signed in but who is."""
    _admitted_is_alice(SESSION_COOKIE.encode() + b"=" + data)


@target(_pairs, b"; ", b";", b"=", b".1=", b".2=", b"-login-", SESSION_COOKIE.encode())
def cookie_header(data: bytes) -> None:
    """CK-07, HL-01: at every path of ours, and nothing of it comes back in a header."""
    _admitted_is_alice(data)
    bench, header = site(), _header(data)
    for path in ("/auth/login", "/auth/logout", f"/auth/callback?code=x&state={bench.state}"):
        _gave_nothing(bench, bench.get(path, header))


def _admitted_is_alice(header: bytes) -> None:
    for mode in ("cookie", "server"):
        bench = site(mode)
        admitted = bench.admit(header)
        assert admitted is None or admitted.session == bench.session
        reply = bench.get("/auth/user", header.decode("latin-1"))
        assert reply.status == (401 if admitted is None else 200)


@target(lambda: [_value(site().login_cookie)[:-4], _value(site().hint_cookie)], b"; ")
def login_cookie(data: bytes) -> None:
    """P7: whoever has no login cookie of the attempt has it not finished."""
    bench = site()
    name = cookies.tagged(bench.site.attempts.prefix, bench.state)
    reply = bench.call_back(_header(name.encode() + b"=" + data))
    # One character more or less is another value; the whole of it is not among the inputs.
    _gave_nothing(bench, reply)
    assert not bench.hand.fetched(TOKEN) or _value(bench.login_cookie) in data


@target(lambda: [_value(site().hint_cookie), _value(site().session_cookie)], b"; ", b"1", b"2")
def hint_cookie(data: bytes) -> None:
    """LO-04: the provider gets the ID token that it gave, or none."""
    bench = site()
    name = bench.site.hints.name
    reply = bench.get("/auth/logout", _header(name.encode() + b"=" + data))
    hint = bench.site.hints.find(bench.hint_cookie.encode())
    target_url = location_of(reply)
    assert target_url.startswith(END_SESSION)
    assert "id_token_hint" not in target_url or f"id_token_hint={hint}" in target_url


def _queries() -> list[bytes]:
    state = site().state
    return [
        f"code=x&state={state}".encode(),
        f"error=access_denied&error_description=no&state={state}".encode(),
        f"code=x&state={state}&iss={quote(ISSUER, safe='')}&session_state=1".encode(),
    ]


@target(_queries, *_PARAMETERS)
def callback_query(data: bytes) -> None:
    """CB-11, CB-14: with the right login cookie, and a code that is not good."""
    bench = site()
    _gave_nothing(bench, bench.get(f"/auth/callback?{data.decode('latin-1')}", bench.login_cookie))


@target(
    lambda: [one.replace(site().state.encode(), posting().state.encode()) for one in _queries()]
)
def callback_form(data: bytes) -> None:
    """CB-17: the same, posted."""
    bench = posting()
    _gave_nothing(bench, bench.ask(posted(data, bench.login_cookie)))


@target(
    lambda: [b"next=/page", b"next=%2Fpage%3Fa%3Db&login_hint=alice&ui_locales=de&prompt=none"],
    *_PATHS,
    b"&next=",
    b"&prompt=none",
    b"&login_hint=",
)
def login_query(data: bytes) -> None:
    """RD-01, RQ-08: the browser goes to the provider, with one parameter of each name."""
    reply = site().get(f"/auth/login?{data.decode('latin-1')}")
    asked = location_of(reply)
    assert asked.startswith(_AUTHORIZE)
    names = [part.partition("=")[0] for part in asked.partition("?")[2].split("&")]
    assert len(names) == len(set(names))


def _logouts() -> Sequence[bytes]:
    other = to_text(site().site.proofs.seal(b"the id of another session"))
    return [b"next=/page", f"next=/&proof={other}".encode(), b"next=//evil.example"]


@target(_logouts, *_PATHS, b"&next=", b"&proof=")
def logout_query(data: bytes) -> None:
    """LO-01: another site signs nobody out, and no logout ends anywhere but here."""
    bench, query = site(), data.decode("latin-1")
    reply = bench.get(
        f"/auth/logout?{query}", bench.session_cookie, **{"sec-fetch-site": "cross-site"}
    )
    assert not any(one.startswith(f"{SESSION_COOKIE}=") for one in _set(reply))
    reply = bench.get(f"/auth/logout?{query}", bench.session_cookie)
    assert location_of(reply).startswith(END_SESSION)
    form = replace(posted(data, bench.session_cookie, "/auth/logout"), query="")
    assert location_of(bench.ask(form)).startswith(END_SESSION)


@target(lambda: [b"state=" + to_text(site().site.landings.seal(b"/page")).encode()], *_PATHS)
def landing_query(data: bytes) -> None:
    """CF-L02: back from the provider, the visitor stays on this site."""
    bench = site()
    bench.reset()
    request = Request("GET", "/", data.decode("latin-1"), tuple(NAVIGATION.items()))
    reply = bench.hand.play(bench.front.answer(request))
    assert reply is None or location_of(reply) == "/page"


@target(lambda: [f"iss={quote(ISSUER, safe='')}&sid=sid-1".encode()], b"&sid=", b"&iss=", b"sid-2")
def frontchannel_query(data: bytes) -> None:
    """FL-03: a made-up session ends nothing."""
    bench = site("server")
    reply = bench.get(f"/auth/frontchannel-logout?{data.decode('latin-1')}")
    assert reply.status in (200, 400)
    # Nobody has noted a sid here, so no end of one is written either.
    assert bench.hand.store._entries == bench.entries


@target(
    lambda: [b"/page?a=b#c", b"/a/b/../c", b"/%2e%2e/page", b"//evil.example", b"/auth/logout"],
    *_PATHS,
)
def return_to(data: bytes) -> None:
    """RD-01, RD-09: a path of this site, in every reading, and none of our own."""
    for text in (data.decode("latin-1"), data.decode("utf-8", "replace")):
        path = return_path(text, default="/the-default", own_prefix="/auth")
        encoded = quote(text, safe=_ASCII, errors="replace")
        assert path in (encoded, "/the-default")
        # As a browser does it (WHATWG URL), and as a careless server does.
        seen = path.translate({9: None, 10: None, 13: None}).replace("\\", "/")
        there = urlsplit(urljoin(f"{ORIGIN}/somewhere", seen))
        assert f"{there.scheme}://{there.netloc}" == ORIGIN, path
        assert path.isascii()
        assert path.isprintable()
        assert not f"{there.path}/".lower().startswith("/auth/"), path


def _header(data: bytes) -> str:
    return data.decode("latin-1")


def _set(reply: Reply) -> list[str]:
    return [value for name, value in reply.headers if name == "set-cookie"]


def _gave_nothing(bench: Bench, reply: Reply) -> None:
    assert bench.given(reply) is None
