"""A sign-out that another site asks for: it may ask, and only the visitor says yes (LO-01)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from intastellar_auth.core.effects import Put
from intastellar_auth.core.messages import Reply

from .stage import (
    SESSION_COOKIE,
    Browser,
    Stage,
    header,
    location,
    make_stage,
    set_cookies,
    text,
)

FOREIGN: dict[str, dict[str, str | None]] = {
    "another site": {"sec-fetch-site": "cross-site"},
    "a sibling": {"sec-fetch-site": "same-site"},
    "by origin": {"sec-fetch-site": None, "origin": "https://evil.example"},
    "by a hidden origin": {"sec-fetch-site": None, "origin": "null"},
    "by referer": {"sec-fetch-site": None, "referer": "https://evil.example/page"},
    "by a strange referer": {"sec-fetch-site": None, "referer": "https://[evil"},
}
OWN: dict[str, dict[str, str | None]] = {
    "typed in": {"sec-fetch-site": "none"},
    "this site": {"sec-fetch-site": "same-origin"},
    "by origin": {"sec-fetch-site": None, "origin": "https://site.example"},
    "by referer": {"sec-fetch-site": None, "referer": "https://site.example/page"},
    "nothing said": {"sec-fetch-site": None},
}
OLD_BROWSER: dict[str, str | None] = {"sec-fetch-site": None, "origin": "null"}


@pytest.fixture
def stage() -> Stage:
    stage = make_stage()
    stage.sign_in()
    stage.hand.done.clear()
    return stage


def proof_in(reply: Reply) -> str:
    """Return the proof in the form of the page that asks."""
    found = re.search(r'name="proof" value="([^"]*)"', text(reply))
    assert found is not None
    return found[1]


def refused_kindly(stage: Stage, reply: Reply) -> bool:
    """Return whether ``reply`` is the page that asks, and nothing else happened."""
    return (
        "Do you want to sign out?" in text(reply)
        and set_cookies(reply) == {}
        and Put not in stage.hand.kinds()
        and stage.browser.signed_in
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_another_site_gets_a_page_that_asks(
    stage: Stage, headers: dict[str, str | None], method: str
) -> None:
    """LO-01, CS-09."""
    reply = stage.ask(stage.browser.request("/auth/logout?next=/bye", method, headers))
    assert refused_kindly(stage, reply)
    policy = header(reply, "content-security-policy")
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://accounts.example" in policy
    assert 'name="next" value="/bye"' in text(reply)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    ],
    ids=["script", "image", "frame"],
)
def test_a_script_of_another_site_is_told_no(
    stage: Stage, headers: dict[str, str | None], method: str
) -> None:
    """LO-01: nobody would see the page that asks, and a 200 would look like a logout."""
    reply = stage.ask(stage.browser.request("/auth/logout", method, headers))
    assert reply.status == 403
    assert json.loads(reply.body)["error"] == "logout_not_confirmed"
    assert set_cookies(reply) == {}
    assert stage.browser.signed_in


@pytest.mark.parametrize("headers", OWN.values(), ids=OWN)
def test_this_site_and_the_visitor_are_taken_at_their_word(
    stage: Stage, headers: dict[str, str | None]
) -> None:
    stage.go("/auth/logout", headers)
    assert not stage.browser.signed_in


def test_the_button_signs_out(stage: Stage) -> None:
    """LO-02: also where the browser does not say that the form is this site's own."""
    page = stage.go("/auth/logout?next=/bye", FOREIGN["another site"])
    form = f"proof={proof_in(page)}&next=/bye".encode()
    stage.ask(stage.browser.request("/auth/logout", "POST", OLD_BROWSER, form))
    assert not stage.browser.signed_in


def others_proofs(stage: Stage) -> Iterator[str]:
    """Yield what another site could get hold of."""
    yield ""
    yield "made-up"
    attacker = Stage(stage.hand, stage.settings, stage.site, Browser(), stage.grants)
    attacker.sign_in(code="code-2")
    yield proof_in(attacker.go("/auth/logout", FOREIGN["another site"]))
    attacker.browser = Browser()
    yield proof_in(attacker.go("/auth/logout", FOREIGN["another site"]))


def test_a_proof_shown_to_somebody_else_proves_nothing(stage: Stage) -> None:
    """LO-01."""
    for proof in list(others_proofs(stage)):
        stage.hand.done.clear()
        form = f"proof={proof}".encode()
        request = stage.browser.request("/auth/logout", "POST", OLD_BROWSER, form)
        assert refused_kindly(stage, stage.ask(request))


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_a_post_without_its_cookies_signs_nobody_out(
    stage: Stage, headers: dict[str, str | None]
) -> None:
    """LO-01: no Lax cookie comes with a cross-site POST, so nobody seems to be signed in.

    The proof that was shown to nobody is anybody's: whoever has it could otherwise have the
    visitor's cookies removed.
    """
    visitor = stage.browser
    for proof in list(others_proofs(stage)):
        stage.hand.done.clear()
        bare = Browser().request("/auth/logout", "POST", headers, f"proof={proof}".encode())
        reply = visitor.keep(stage.hand.finish(stage.run(bare)))
        assert refused_kindly(stage, reply)
        assert SESSION_COOKIE in visitor.cookies


def test_nobody_is_asked_by_another_site_and_answers_on_this_one() -> None:
    stage = make_stage(idp_logout=False)
    page = stage.go("/auth/logout?next=/bye", FOREIGN["another site"])
    form = f"proof={proof_in(page)}&next=/bye".encode()
    request = stage.browser.request("/auth/logout", "POST", OWN["this site"], form)
    assert location(stage.ask(request)) == "/bye"


def test_a_site_without_the_providers_endpoint_lets_the_form_lead_to_itself_alone() -> None:
    stage = make_stage(idp_logout=False)
    reply = stage.go("/auth/logout", FOREIGN["another site"])
    assert header(reply, "content-security-policy").endswith("form-action 'self'")
