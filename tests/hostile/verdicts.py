"""What the words ACCEPT, REJECT, STOP and RESTART mean, as assertions."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from .asgi_call import Reply
from .browser import Browser
from .cases import Verdict
from .server import Pairs

if TYPE_CHECKING:
    from .conftest import Log

ComeBack = Callable[[Browser, Pairs], Reply]
"""How the browser brings the authorization response: by GET or by POST."""

_TAG = re.compile(r"<(style|script)[^>]*>.*?</\1>|<[^>]+>", re.DOTALL)
_REFERENCE = re.compile(r"(?i)reference\W+([\w-]{5,})")
_SESSION = re.compile(r"(__Host-)?intastellar(\.\d+)?=[^;]")


def reference(reply: Reply) -> str:
    """Return the reference that a page shows."""
    found = _REFERENCE.search(html.unescape(_TAG.sub(" ", reply.text)))
    assert found, reply.text
    return found[1]


def is_safe_page(reply: Reply, log: Log) -> None:
    """HL-06, HL-08: a page that helps the visitor, tells them nothing, and is found in the log."""
    assert 400 <= reply.status < 600, reply.status
    assert reply.get("content-type").startswith("text/html")
    assert reply.get("cache-control") == "no-store"
    assert reply.get("referrer-policy") == "no-referrer"
    assert reply.get("x-content-type-options") == "nosniff"
    policy = reply.get("content-security-policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<a " in reply.text or "<form" in reply.text, "no way on"
    for leak in ("Traceback", "Error(", 'File "', "<script", "evil.example"):
        assert leak not in reply.text, leak
    lines = [line for line in log.ours() if reference(reply) in line]
    assert lines, "the log does not know the page's reference"
    assert len(lines[0]) > len(reference(reply)) + 20, "the log does not say what happened"


def sets_no_session(reply: Reply) -> None:
    """No ``Set-Cookie`` of this answer carries a session."""
    assert not [header for header in reply.all("set-cookie") if _SESSION.match(header)]


def is_refused(browser: Browser, reply: Reply, log: Log) -> None:
    """Assert a safe page, and that nobody is signed in."""
    is_safe_page(reply, log)
    sets_no_session(reply)
    assert browser.user() is None


def is_signed_in(browser: Browser, reply: Reply, sub: str, target: str = "/private/page") -> None:
    """Assert that ``sub`` goes on to ``target``, and that the address bar is clean (CB-20)."""
    assert reply.location in (target, browser.site.base_url + target)
    assert reply.get("cache-control") == "no-store"
    assert reply.get("referrer-policy") == "no-referrer"
    user = browser.user()
    assert user is not None
    assert user["sub"] == sub
    assert browser.get(target).status == 200


def restarts_once(browser: Browser, reply: Reply, log: Log) -> None:
    """P9: back to the provider with a fresh state; when that fails as well, a page."""
    first = browser.provider.hits["token"]
    old = dict(browser.provider.last("authorize").query)
    sets_no_session(reply)
    response = browser.at_provider(reply.location)
    new = dict(browser.provider.last("authorize").query)
    assert all(old[name] != new[name] for name in ("state", "nonce", "code_challenge"))
    is_refused(browser, browser.callback(response), log)
    assert browser.provider.hits["token"] == first + 1


def judge(
    verdict: Verdict, browser: Browser, log: Log, come_back: ComeBack = Browser.callback
) -> None:
    """Sign in and hold what comes of it against ``verdict``."""
    provider = browser.provider
    begun = browser.get("/auth/login?next=/private/page")
    if verdict is Verdict.NO_START:
        is_refused(browser, begun, log)
        assert begun.status in (502, 503)
        assert provider.hits["authorize"] == 0
    elif verdict is Verdict.SAFE and begun.status >= 400:
        is_refused(browser, begun, log)
    else:
        response = browser.at_provider(begun.location)
        _judge_callback(verdict, browser, come_back(browser, response), log)
    assert provider.hits["evil"] == 0, "an address was asked that came from the provider's answer"
    assert provider.complaints == []


def _judge_callback(verdict: Verdict, browser: Browser, reply: Reply, log: Log) -> None:
    provider = browser.provider
    if verdict is Verdict.ACCEPT:
        is_signed_in(browser, reply, provider.sub)
    elif verdict is Verdict.RESTART:
        restarts_once(browser, reply, log)
    elif verdict is Verdict.STOP:
        is_refused(browser, reply, log)
        assert provider.hits["token"] == 0
    elif verdict is Verdict.REJECT:
        is_refused(browser, reply, log)
        # None where the keys could not be had: a careful client asks for them before it spends
        # the code.
        assert provider.hits["token"] <= 1
    elif reply.status >= 400:
        is_refused(browser, reply, log)
