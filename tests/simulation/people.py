"""What users do: they ask for pages, wait or do not, click twice, go back, sign out, and try again.

Where an answer leads, their browsers follow. Whatever they do, a tab's user wants one page at a
time, and never gets to see another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Final
from urllib.parse import quote

from tests.flows.stage import END_SESSION, ORIGIN

from .browser import LOGIN_COOKIE, Browser, Tab
from .fleet import Fleet
from .provider import AUTHORIZE
from .visit import Visit

_LINK: Final = '<a class="way first" href="'
_SAME_ORIGIN: Final = {"sec-fetch-site": "same-origin"}
_SCRIPT: Final = {"accept": "*/*", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
_AHEAD: Final = (
    {"sec-purpose": "prefetch"},
    {"sec-purpose": "prefetch;prerender"},
    {":method": "HEAD"},
)


@dataclass(slots=True)
class People:
    """The users of all browsers of ``fleet``. ``pages`` counts those that were asked for."""

    fleet: Fleet
    pages: int = 0
    _visiting: dict[int, tuple[Browser, Tab]] = field(default_factory=dict)

    def act(self, browser: Browser, tab: Tab) -> None:
        """Let the user of ``tab`` do something."""
        match tab.where:
            case "loading":
                self._choose((self.double_click, 2), (self.stop, 1))(browser, tab)
            case "at the provider":
                self._choose(
                    (self.approve, 16), (self.approve_twice, 2), (self.deny, 1), (self.leave, 1)
                )(browser, tab)
            case "on a page":
                self._choose(
                    (self.reload, 6),
                    (self.leave, 5),
                    (self.burst, 3),
                    (self.go_back, 3),
                    (self.sign_out, 2),
                    (self.look_ahead, 1),
                    (self.paste_elsewhere, 1),
                )(browser, tab)
            case "told":
                self._choose((self.click, 8), (self.reload, 3), (self.go_back, 1), (self.leave, 1))(
                    browser, tab
                )
            case "lost":
                self._choose((self.reload, 6), (self.go_back, 1), (self.leave, 1))(browser, tab)
            case _:
                self.leave(browser, tab)

    def try_on(self, browser: Browser, tab: Tab) -> None:
        """Let the user of ``tab`` do what leads on, and nothing else; on a page, see it again."""
        match tab.where:
            case "at the provider":
                self.approve(browser, tab)
            case "told":
                self.click(browser, tab)
            case "lost":
                self.reload(browser, tab)
            case _ if tab.wants.startswith("/members/"):
                self._want(browser, tab, tab.wants)
            case _:
                self.leave(browser, tab)

    def leave(self, browser: Browser, tab: Tab) -> None:
        """Ask for another page, whatever came of the last."""
        self.pages += 1
        self._want(browser, tab, f"/members/{self.pages}")

    def reload(self, browser: Browser, tab: Tab) -> None:
        """Ask for the same again."""
        self._go(browser, tab, tab.at)

    def go_back(self, browser: Browser, tab: Tab) -> None:
        """Go back to something of long ago: a page, a callback, the provider's own page."""
        at = self.fleet.world.chance.choice(tab.history[-8:])
        self._want(browser, tab, at)

    def double_click(self, browser: Browser, tab: Tab) -> None:
        """Send the same request again while it is under way; the first answer leads nowhere."""
        self._go(browser, tab, tab.at)

    def stop(self, browser: Browser, tab: Tab) -> None:  # noqa: ARG002  as all that users do
        """Give up on what loads."""
        assert tab.visit is not None
        self.fleet.hang_up(tab.visit)

    def approve(self, browser: Browser, tab: Tab) -> None:
        """Sign in at the provider."""
        self._go(browser, tab, self.fleet.provider.approve(tab.at, browser.user))

    def approve_twice(self, browser: Browser, tab: Tab) -> None:
        """Sign in with a browser that has loaded the provider's redirect ahead (row P4)."""
        self._send(browser, None, self.fleet.provider.approve(tab.at, browser.user), {})
        self.approve(browser, tab)

    def deny(self, browser: Browser, tab: Tab) -> None:
        """Say no at the provider."""
        self._go(browser, tab, self.fleet.provider.deny(tab.at))

    def click(self, browser: Browser, tab: Tab) -> None:
        """Take the way on that a page of ours offers."""
        self._want(browser, tab, tab.link)

    def burst(self, browser: Browser, tab: Tab) -> None:
        """Be on a page that asks for many things at once (row P14)."""
        for number in range(3):
            self._send(browser, None, f"/members/part/{number}", _SCRIPT)
        self._send(browser, None, "/auth/user", _SCRIPT)
        self._send(browser, None, "/?state=of-the-app", _SCRIPT)
        self.reload(browser, tab)

    def sign_out(self, browser: Browser, tab: Tab) -> None:
        """Sign out, in one tab of several."""
        tab.wants = "/"
        self._go(browser, tab, "/auth/logout", _SAME_ORIGIN)

    def look_ahead(self, browser: Browser, tab: Tab) -> None:
        """Hover over something that the browser then loads ahead (row P12)."""
        chance = self.fleet.world.chance
        ours = [at for at in tab.history if at.startswith("/auth/")] or [
            "/auth/login?next=/members/"
        ]
        self._send(browser, None, chance.choice(ours), chance.choice(_AHEAD))

    def paste_elsewhere(self, browser: Browser, tab: Tab) -> None:
        """Open an address of this tab in another browser (row P7)."""
        chance = self.fleet.world.chance
        other = chance.choice(self.fleet.browsers)
        callbacks = [at for at in tab.history if at.startswith("/auth/callback")]
        if callbacks and other is not browser:
            self._want(other, chance.choice(other.tabs), chance.choice(callbacks))

    def lose_cookies(self, browser: Browser) -> None:
        """Lose the login cookies, or all of them."""
        part = self.fleet.world.chance.choice((LOGIN_COOKIE, ""))
        self.fleet.world.note(browser.name, "loses its cookies", part)
        browser.jar.drop(part)

    def steal(self, browser: Browser) -> None:
        """Copy the cookies of a browser, or use those that were copied long ago."""
        if not browser.copied:
            browser.copied = list(browser.jar.kept.values())
        else:
            self.fleet.send(browser, None, "/members/of-others", _SCRIPT, copied=browser.copied)
            browser.copied = self.fleet.world.chance.choice(([], browser.copied))

    def read(self) -> None:
        """Follow every answer that has arrived, and notice those that will not."""
        while self.fleet.arrived:
            visit = self.fleet.arrived.pop()
            if visit.tab is not None and visit.tab.visit is visit:
                self._follow(visit, visit.tab)
        while self.fleet.lost:
            visit = self.fleet.lost.pop()
            if visit.tab is not None and visit.tab.visit is visit:
                visit.tab.where, visit.tab.visit = "lost", None

    def _choose(
        self, *ways: tuple[Callable[[Browser, Tab], None], int]
    ) -> Callable[[Browser, Tab], None]:
        (way,) = self.fleet.world.chance.choices(
            [way for way, _ in ways], [weight for _, weight in ways]
        )
        return way

    def _want(self, browser: Browser, tab: Tab, url: str) -> None:
        """Go somewhere else, and want the page that this was once for."""
        tab.wants = self.fleet.promises.target_of(url)
        self._go(browser, tab, url)

    def _follow(self, visit: Visit, tab: Tab) -> None:
        browser, reply = visit.browser, visit.reply
        assert browser is not None
        assert reply is not None
        tab.visit = None
        if visit.location:
            self._go(browser, tab, visit.location)
        elif reply.body:
            tab.where, page = "told", reply.body.decode()
            _, _, rest = page.partition(_LINK)
            tab.link = unescape(rest.partition('"')[0])
            login = f"/auth/login?next={quote(tab.wants, safe='/')}"
            if self._must_know(visit):
                self.fleet.world.hold("P8", tab.link == login, f"{visit.name} leads to {tab.link}")
        else:
            tab.where = "on a page"

    def _must_know(self, visit: Visit) -> bool:
        """Return whether the page for ``visit`` must still know where its user wanted to be."""
        return self.fleet.promises.is_readable(visit)

    def _go(
        self, browser: Browser, tab: Tab, url: str, headers: dict[str, str] | None = None
    ) -> None:
        world, promises = self.fleet.world, self.fleet.promises
        if url.startswith(END_SESSION):
            url = self.fleet.provider.end_session(url)
        tab.at = at = url.removeprefix(ORIGIN)
        tab.history.append(at)
        if tab.wants.startswith("/members/"):
            there = promises.target_of(at)
            world.hold("P11", there == tab.wants, f"{tab.name} wants {tab.wants}, and gets {there}")
        if at.startswith(AUTHORIZE):
            tab.where, tab.visit = "at the provider", None
        else:
            tab.where = "loading"
            tab.visit = None
            tab.visit = self._send(browser, tab, at, headers or {})

    def _send(self, browser: Browser, tab: Tab | None, url: str, headers: dict[str, str]) -> Visit:
        return self.fleet.send(browser, tab, url.removeprefix(ORIGIN), headers)
