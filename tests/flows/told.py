"""What a provider tells a site of a logout, and what has come of it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from intastellar_auth.core.effects import Effect, Fetch
from intastellar_auth.core.messages import Reply, Request
from tests.oidc.forge_logout import SID

from .stage import Browser, Stage, make_stage

BACK, FRONT = "/auth/backchannel-logout", "/auth/frontchannel-logout"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def posted(body: bytes, headers: Mapping[str, str] = FORM, query: str = "") -> Request:
    """Return the request of a provider's server."""
    return Request("POST", BACK, query, tuple(headers.items()), body)


def form(raw: str) -> bytes:
    """Return ``raw`` as the form that a provider posts."""
    return urlencode({"logout_token": raw}).encode()


def tell(stage: Stage, raw: str) -> Reply:
    """Post ``raw`` to the site as its provider does."""
    return stage.hand.finish(stage.run(posted(form(raw))))


def framed(stage: Stage, **query: str) -> Reply:
    """Ask as the frame on the provider's page does: without a cookie."""
    headers = {"sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site"}
    request = Browser().request(f"{FRONT}?{urlencode(query)}", headers=headers)
    return stage.hand.finish(stage.run(request))


def stored(stage: Stage) -> list[Effect]:
    """Return what was asked of the store, or written to it."""
    return [one for one in stage.hand.done if not isinstance(one, Fetch)]


def lives(stage: Stage) -> bool:
    """Return whether the browser is signed in, in every process, by the next check."""
    stage.hand.clock.now += stage.settings.revocation_check
    seen = {one.go("/auth/user").status for one in (stage, stage.other_process())}
    assert len(seen) == 1
    return seen == {200}


def signed_in() -> Stage:
    """Return a stage with alice signed in, whose session at the provider is ``SID``."""
    stage = make_stage()
    stage.sign_in(sid=SID)
    stage.hand.done.clear()
    return stage
