"""A browser's cookie jar, as far as a site can tell the difference (RFC 6265bis)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cookie:
    """One ``Set-Cookie``; ``attributes`` by their lower-case names."""

    name: str
    value: str
    attributes: dict[str, str]

    @property
    def deletes(self) -> bool:
        """Whether it removes the cookie."""
        return int(self.attributes.get("max-age", "1")) <= 0

    @property
    def path(self) -> str:
        """Where the cookie is sent."""
        return self.attributes.get("path", "/")

    @property
    def same_site(self) -> str:
        """The ``SameSite`` attribute; browsers take none for ``lax``."""
        return self.attributes.get("samesite", "lax").lower()


def parse(header: str) -> Cookie:
    """Read one ``Set-Cookie`` value."""
    pair, *attributes = header.split(";")
    name, _, value = pair.partition("=")
    named = (attribute.strip().partition("=") for attribute in attributes)
    return Cookie(name.strip(), value.strip(), {key.lower(): said for key, _, said in named})


@dataclass(slots=True)
class Jar:
    """The cookies one browser keeps for one site. ``seen`` holds every value it was ever given."""

    https: bool
    cookies: dict[tuple[str, str], Cookie] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def take(self, headers: list[str]) -> None:
        """Keep, replace or drop what these ``Set-Cookie`` values say, as a browser would."""
        for cookie in map(parse, headers):
            self._refuse_what_browsers_refuse(cookie)
            domain = cookie.attributes.get("domain", "")
            if cookie.deletes:
                self.cookies.pop((cookie.name, cookie.path + domain), None)
            else:
                self.seen.add(cookie.value)
                self.cookies[cookie.name, cookie.path + domain] = cookie

    def _refuse_what_browsers_refuse(self, cookie: Cookie) -> None:
        secure = "secure" in cookie.attributes
        assert self.https or not secure, f"{cookie.name} is Secure over http"
        if cookie.name.startswith("__Host-"):
            assert secure, cookie.name
            assert cookie.path == "/", cookie.name
            assert "domain" not in cookie.attributes, cookie.name
        if cookie.name.startswith("__Secure-"):
            assert secure, cookie.name
        if cookie.same_site == "none":
            assert secure, f"{cookie.name} is SameSite=None without Secure"
        whole = len(cookie.name) + len(cookie.value)
        assert whole + sum(len(k) + len(v) + 3 for k, v in cookie.attributes.items()) <= 4096

    def header(self, path: str, *, cross_site_post: bool = False) -> str:
        """Return the ``Cookie`` header for a request to ``path``."""
        sent = [
            f"{cookie.name}={cookie.value}"
            for cookie in self.cookies.values()
            if path.startswith(cookie.path) and not (cross_site_post and cookie.same_site != "none")
        ]
        return "; ".join(sent)

    def named(self, name: str) -> str:
        """Return the value of the cookie ``name``."""
        return next(cookie.value for (key, _), cookie in self.cookies.items() if key == name)
