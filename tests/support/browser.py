"""A browser driven by hand: it follows redirects, fills in forms, and can stop before any step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

import httpx

from tests.support.forms import Form, forms
from tests.support.server import PATIENCE
from tests.support.wire import NAVIGATION

if TYPE_CHECKING:
    from http.cookiejar import Cookie
    from types import TracebackType

CALLBACK = "/auth/callback"


class Browser:
    """One browser profile: its cookies, and the pages it asks for."""

    def __init__(self) -> None:
        self._client = httpx.Client(headers=NAVIGATION, trust_env=False, timeout=PATIENCE)

    def __enter__(self) -> Self:
        """Return itself; it is closed when the block is left."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close its connections."""
        self._client.close()

    def go(self, url: str, **headers: str) -> httpx.Response:
        """Ask for ``url`` as a navigation; redirects are not followed."""
        return self._client.get(
            url, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def script(self, url: str) -> httpx.Response:
        """Ask for ``url`` as a script of the site's own pages does."""
        fetch = {"accept": "*/*", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
        return self._client.get(url, headers=fetch | {"sec-fetch-site": "same-origin"})

    def submit(self, page: httpx.Response, form: Form, **values: str) -> httpx.Response:
        """Send ``form`` of ``page`` with ``values`` filled in; redirects are not followed."""
        url = urljoin(str(page.url), form.action)
        filled = form.fields | values
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(str(page.url)))
        same = {"origin": origin, "sec-fetch-site": "same-origin"}
        return self._client.request(form.method, url, data=filled, headers=same)

    def follow(self, response: httpx.Response) -> httpx.Response:
        """Follow the redirect ``response`` to the page where it ends; a loop is an error."""
        assert response.next_request is not None, f"{response.status_code}: {response.text}"
        return self._client.send(response.next_request, follow_redirects=True)

    def until_callback(self, response: httpx.Response, user: str = "alice") -> str:
        """Go on from ``response`` through the provider as ``user``; return the callback's URL.

        The callback itself is not asked for.
        """
        if response.next_request is None:
            return self.until_callback(self._as_user(response, user), user)
        target = response.next_request.url
        if target.path == CALLBACK:
            return str(target)
        return self.until_callback(self.go(str(target)), user)

    def _as_user(self, page: httpx.Response, user: str) -> httpx.Response:
        assert page.status_code == 200, f"{page.status_code} at {page.url}: {page.text}"
        form = forms(page.text)[0]
        assert "login" in {*form.fields, *(name for name, _ in form.buttons)}, page.text
        return self.submit(page, form, login=user)

    def sign_in_until_callback(self, url: str, user: str = "alice") -> str:
        """Ask for ``url``, sign in as ``user``, and return the callback's URL, not asked for."""
        return self.until_callback(self.go(url), user)

    def sign_in(self, url: str, user: str = "alice") -> httpx.Response:
        """Ask for ``url``, sign in as ``user``, and return the page where that ends."""
        return self.follow(self.go(self.sign_in_until_callback(url, user)))

    def sign_in_and_stop(self, url: str, user: str = "alice") -> None:
        """Ask for ``url``, and sign in as ``user``; the page where that ends is not asked for.

        However long a busy machine takes, no request has found the access token due yet.
        """
        answer = self.go(self.sign_in_until_callback(url, user))
        assert answer.next_request is not None, f"{answer.status_code}: {answer.text}"

    def log_out(self, site: str) -> httpx.Response:
        """Press the site's own sign-out button; redirects are not followed."""
        same = {"origin": site, "sec-fetch-site": "same-origin"}
        response = self._client.post(f"{site}/auth/logout", headers=same)
        assert response.status_code < 400, response.text
        return response

    def cookie_header(self, url: str) -> str:
        """Return the ``Cookie`` header it would send to ``url``."""
        request = self._client.build_request("GET", url)
        return str(request.headers.get("cookie", ""))

    def cookies(self) -> list[Cookie]:
        """Return all the cookies it has."""
        return list(self._client.cookies.jar)

    def lose(self, *names: str) -> None:
        """Lose the cookies with these names, or all of them where none is named."""
        for cookie in self.cookies():
            if not names or cookie.name in names:
                self._client.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)

    def user(self, site: str) -> str | None:
        """Return the ``sub`` that ``GET /auth/user`` tells, ``None`` where nobody is signed in."""
        return sub_of(self.script(f"{site}/auth/user"))


def sub_of(response: httpx.Response) -> str | None:
    """Return the ``sub`` in an answer of ``/auth/user``, ``None`` for the 401 of nobody."""
    if response.status_code == 401:
        return None
    assert response.status_code == 200, response.text
    sub = response.json()["sub"]
    assert isinstance(sub, str)
    return sub
