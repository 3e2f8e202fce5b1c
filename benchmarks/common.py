"""What the benchmarks share: one session, its cookies, and a table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence

from intastellar_auth import Settings
from intastellar_auth.core.session import Session
from intastellar_auth.core.site import make_site
from intastellar_auth.user import pack_claims

SECRET = "a key for a benchmark that is of no worth to anyone"

# About 600 bytes of session.
CLAIMS: dict[str, object] = {
    "name": "Alice Example",
    "email": "alice@example.com",
    "email_verified": True,
    "picture": "https://cdn.example.com/avatars/" + "0123456789abcdef" * 6 + ".png",
    "preferred_username": "alice",
    "locale": "en-GB",
    "zoneinfo": "Europe/Copenhagen",
    "roles": ["admin", "editor", "reviewer"],
    "groups": [f"team-{number:02}" for number in range(12)],
}

# What a browser sends along.
HEADERS = {
    "host": "site.example",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language": "en-GB,en;q=0.5",
    "accept-encoding": "gzip, deflate, br, zstd",
    "connection": "keep-alive",
    "referer": "https://site.example/",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "same-origin",
}


def our_settings() -> Settings:
    """Return the settings of a site with everything on."""
    return Settings(
        _env_file=None,
        issuer="https://provider.example",
        client_id="site",
        base_url="https://site.example",
        secret_keys=[SECRET],
        protected_paths=["*"],
        store_url="memory://",
    )


def our_cookies(settings: Settings, count: int) -> list[str]:
    """Return ``count`` session cookies, no two alike, behind a cookie of the app's own."""
    site, now = make_site(settings), time.time()
    session = Session(
        "s" * 22, "alice", "https://provider.example", now, now, ("openid",), pack_claims(CLAIMS)
    )
    name = settings.cookie_name
    return [f"theme=dark; {name}=1{site.sessions.keeper.text(session)}" for _ in range(count)]


def print_table(
    rounds: Mapping[str, Sequence[float]], *, over: Mapping[str, str], reference: str
) -> None:
    """Print the medians of ``rounds``, in microseconds; ``over`` names what each stands on.

    ``reference`` is the stack whose added cost is the unit of the last column.
    """
    medians = {name: statistics.median(values) for name, values in rounds.items()}
    added = {name: medians[name] - medians[bare] for name, bare in over.items()}
    print(f"{'stack':<46} {'µs a request':>12} {'added µs':>9} {f'of {reference}':>22}")
    for name, middle in medians.items():
        if name in added:
            ratio = added[name] / added[reference]
            print(f"{name:<46} {middle:>12.2f} {added[name]:>9.2f} {ratio:>22.2f}")
        else:
            print(f"{name:<46} {middle:>12.2f}")
