"""Sites that their provider tells of logouts, and what becomes of their sessions."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.provider import Certified, Strict, certified_for
from tests.support.server import free_port, let_pass, running
from tests.support.site import Client, site
from tests.support.stage import Stage
from tests.support.wire import fire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.commands import Kind

REVOCATION_CHECK = 1
_CLIENT = Client()


@contextmanager
def told_by_strict(folder: Path, *, kind: Kind, workers: int, **settings: str) -> Iterator[Stage]:
    """Run a site whose back-channel logout address the development provider knows."""
    port, at = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "intastellar_auth", "devprovider"]
    command += ["--host", "localhost", "--port", str(at), "--client-id", _CLIENT.client_id]
    command += ["--client-secret", str(_CLIENT.secret)]
    command += ["--redirect-uri", f"{url}/auth/callback"]
    command += ["--backchannel-logout-uri", f"{url}/auth/backchannel-logout"]
    with running(command, port=at, folder=folder):
        yield from _site(
            folder, port, Strict(f"http://localhost:{at}"), settings, kind=kind, workers=workers
        )


@contextmanager
def told_by_certified(
    folder: Path, *, kind: Kind, workers: int, names_session: bool, **settings: str
) -> Iterator[Stage]:
    """Run a site whose address the certified provider knows.

    Its logout tokens name the session where it ``names_session``, else the user alone.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    registration = {
        "client_id": _CLIENT.client_id,
        "client_secret": _CLIENT.secret,
        "redirect_uris": [f"{url}/auth/callback"],
        "backchannel_logout_uri": f"{url}/auth/backchannel-logout",
        "backchannel_logout_session_required": names_session,
    }
    with certified_for(folder, registration) as provider:
        yield from _site(folder, port, provider, settings, kind=kind, workers=workers)


def _site(
    folder: Path,
    port: int,
    provider: Strict | Certified,
    settings: Mapping[str, str],
    *,
    kind: Kind,
    workers: int,
) -> Iterator[Stage]:
    with site(
        folder / "site",
        port=port,
        issuer=provider.issuer,
        client=_CLIENT,
        kind=kind,
        workers=workers,
        REVOCATION_CHECK=str(REVOCATION_CHECK),
        **settings,
    ) as here:
        yield Stage(here, provider)


def statuses(here: Stage, cookie: str) -> dict[str, int]:
    """Return what each worker answers whoever has ``cookie`` and asks who is signed in."""
    seen: dict[str, int] = {}
    workers = {str(pid) for pid in here.site.pids()}
    while seen.keys() != workers:
        for got in fire(*[f"{here.url}/auth/user"] * 20, cookie=cookie):
            assert seen.setdefault(got.worker, got.status) == got.status
    return seen


def assert_signed_in(here: Stage, cookie: str) -> None:
    """Check that every worker lets ``cookie`` in; each remembers it from now on."""
    assert set(statuses(here, cookie).values()) == {200}


def assert_signed_out_in_time(here: Stage, cookie: str) -> None:
    """Check that no worker does, ``REVOCATION_CHECK`` seconds after the provider was answered."""
    let_pass(REVOCATION_CHECK + 0.1)
    assert set(statuses(here, cookie).values()) == {401}
