"""A visitor's browser: it keeps cookies, follows redirects and obeys ``SameSite``."""

from __future__ import annotations

import http.client
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from .jar import Jar

if TYPE_CHECKING:
    from .asgi_call import Reply
    from .provider import Provider
    from .server import Pairs
    from .site import Site

NAVIGATION = {
    "accept": "text/html",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": "same-origin",
}
FETCH = {"accept": "*/*", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}


class Browser:
    """One visitor of ``site``, who signs in at ``provider``."""

    def __init__(self, site: Site, provider: Provider) -> None:
        self.site = site
        self.provider = provider
        self.jar = Jar(site.base_url.startswith("https:"))

    def get(self, target: str, **headers: str) -> Reply:
        """Open ``target`` as a navigation; ``_`` in a header's name stands for a hyphen."""
        return self.request("GET", target, {**NAVIGATION, **_names(headers)})

    def post(self, target: str, form: Pairs = (), **headers: str) -> Reply:
        """Submit a form to ``target``."""
        media_type = {"content-type": "application/x-www-form-urlencoded"}
        every = {**NAVIGATION, **media_type, **_names(headers)}
        return self.request("POST", target, every, urlencode(form).encode())

    def request(
        self, method: str, target: str, headers: dict[str, str], body: bytes = b""
    ) -> Reply:
        """Send one request with this browser's cookies and keep those of the answer."""
        cross_site = headers.get("sec-fetch-site") == "cross-site" and method == "POST"
        cookies = self.jar.header(target.partition("?")[0], cross_site_post=cross_site)
        sent = {"host": self.site.host, **({"cookie": cookies} if cookies else {}), **headers}
        raw = tuple((name.encode(), value.encode("latin-1")) for name, value in sent.items())
        reply = self.site.send(
            method, quote(target, safe="/%?&=+:@!$'()*,;~#[]").encode(), raw, body
        )
        self.jar.take(reply.all("set-cookie"))
        return reply

    def start(self, next_path: str = "/private/page") -> str:
        """Start a sign-in and return the authorization request's address."""
        return self.get(f"/auth/login?next={quote(next_path, safe='')}").location

    def at_provider(self, address: str) -> Pairs:
        """Be signed in at the provider and return its authorization response."""
        _, body = _visit(address)
        return tuple((name, value) for name, value in json.loads(body))

    def callback(self, response: Pairs) -> Reply:
        """Come back from the provider with this response."""
        return self.get(f"/auth/callback?{urlencode(response)}", sec_fetch_site="cross-site")

    def callback_by_post(self, response: Pairs) -> Reply:
        """Come back from the provider by its self-submitting form."""
        headers = {"sec_fetch_site": "cross-site", "origin": self.provider.server.base}
        return self.post("/auth/callback", response, **headers)

    def sign_in(self, next_path: str = "/private/page") -> Reply:
        """Go through a whole sign-in and return what the callback answered."""
        return self.callback(self.at_provider(self.start(next_path)))

    def user(self) -> dict[str, object] | None:
        """Return what ``/auth/user`` says, ``None`` where it answers 401."""
        reply = self.request("GET", "/auth/user", FETCH)
        assert reply.get("cache-control") == "no-store"
        said: dict[str, object] = json.loads(reply.body)
        assert reply.status in (200, 401), said
        return said if reply.status == 200 else None

    def follow(self, reply: Reply) -> tuple[str, Reply]:
        """Follow redirects, through the provider too, and return the last address and answer."""
        address = self.site.base_url
        while reply.status in (302, 303):
            address = reply.location
            if address.startswith(self.provider.server.base):
                address, _ = _visit(address)
            target = address.removeprefix(self.site.base_url)
            assert re.match(r"/(?![/\\])", target), address
            reply = self.get(target)
        return address, reply


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _visit(address: str) -> tuple[str, bytes]:
    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=10)
    try:
        connection.request("GET", f"{url.path}?{url.query}")
        answer = connection.getresponse()
        return answer.getheader("Location") or "", answer.read()
    finally:
        connection.close()
