"""Go through the demo as a browser does: sign in as alice, read each kind of page, sign out.

Usage: check_demo.py ADDRESS_OF_THE_SITE. Says what is wrong and exits with 1 where something is.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

HEADERS = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


class SignInForm(HTMLParser):
    """The first form of a page: where it goes and what it sends by itself."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a browser would send."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = given.get("action", "")
        elif tag == "input" and "name" in given:
            self.fields.setdefault(given["name"], given.get("value", ""))


def check(site: str) -> None:
    """Raise ``SystemExit`` with what is wrong with the demo at ``site``, if anything is."""
    with httpx.Client(
        headers=HEADERS, follow_redirects=True, trust_env=False, timeout=20
    ) as browser:
        _expect(browser.get(site), site, "Anybody can read this page")
        api = browser.get(f"{site}/api/me", headers={"sec-fetch-mode": "cors"})
        if api.status_code != httpx.codes.UNAUTHORIZED:
            raise SystemExit(f"/api/me: {api.status_code} for nobody, not 401")
        _expect_greeting(browser, site, "stranger")
        sign_in = browser.get(f"{site}/members")
        form = SignInForm(sign_in.text)
        signed_in = browser.post(
            urljoin(str(sign_in.url), form.action),
            data={**form.fields, "login": "alice"},
            headers={"origin": f"{sign_in.url.scheme}://{sign_in.url.netloc.decode()}"},
        )
        _expect(signed_in, f"{site}/members", "Only members can read this page")
        _expect_greeting(browser, site, "Alice Example")
        signed_out = browser.post(f"{site}/auth/logout", headers={"origin": site})
        _expect(signed_out, f"{site}/", "Sign in")


def _expect(response: httpx.Response, url: str, sentence: str) -> None:
    """Raise ``SystemExit`` unless this is the page at ``url`` that says ``sentence``."""
    if not response.is_success or sentence not in response.text:
        raise SystemExit(f"{response.url}: {response.status_code}, not the page with {sentence!r}")
    if str(response.url).rstrip("/") != url.rstrip("/"):
        raise SystemExit(f"ended at {response.url}, not at {url}")


def _expect_greeting(browser: httpx.Client, site: str, name: str) -> None:
    """Raise ``SystemExit`` unless the WebSocket behind the page "Live" greets ``name``."""
    address = site.replace("http", "ws", 1) + "/ws"
    host = urlsplit(site).hostname
    ours = (cookie for cookie in browser.cookies.jar if cookie.domain == host)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in ours)
    try:
        with connect(
            address, origin=Origin(site), additional_headers={"cookie": cookies}, proxy=None
        ) as socket:
            greeting = str(socket.recv(timeout=20))
    except (OSError, WebSocketException) as problem:
        raise SystemExit(f"{address}: {problem}") from None
    if not greeting.startswith(f"Hello {name},"):
        raise SystemExit(f"{address}: not the greeting of {name}")


check(sys.argv[1])
