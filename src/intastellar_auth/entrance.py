"""Where the visitors of a site sign in: what a refusal by the app has to know of its settings.

The middleware hands it on with the ``Auth`` of nobody, so that a guard of any framework finds it
without settings of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urljoin

DEFAULT_LOGIN_PATH: Final = "/auth/login"
"""Where a sign-in starts, relative to where the app is mounted, unless a setting says otherwise."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where a sign-in starts: ``login_path`` as the browser sees it, or a URL.

    ``origin`` and ``base_path`` are those of ``BASE_URL``; both are empty where nobody has said.
    """

    origin: str
    base_path: str
    login_path: str

    def path(self, here: str) -> str:
        """Return where a sign-in starts that ends at ``here``.

        ``here`` is a path with its query. A proxy may have taken the base path off: it is put back.
        """
        plain = here.partition("?")[0]
        known = f"{plain}/".startswith(f"{self.base_path}/")
        return login_address(self.login_path, here if known else self.base_path + here)

    def url(self, here: str) -> str:
        """Return the same as a URL, for scripts; a path where the origin is not known."""
        return urljoin(self.origin, self.path(here))


def login_address(login_path: str, return_to: str) -> str:
    """Return where a sign-in that ends at ``return_to`` starts."""
    return f"{login_path}?next={quote(return_to, safe='/')}"


def default_entrance(mounted_at: str) -> Entrance:
    """Return what holds for an app mounted at ``mounted_at`` that the middleware told nothing."""
    mounted_at = mounted_at.rstrip("/")
    return Entrance("", mounted_at, mounted_at + DEFAULT_LOGIN_PATH)
