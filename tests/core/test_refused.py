"""What is told of a request that is not done: a sentence and a way on; the reason is in the log."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.core import refused
from intastellar_auth.core.messages import Request
from intastellar_auth.core.outcome import Failure
from intastellar_auth.errors import (
    AuthError,
    ClientRefused,
    ProviderTimeout,
    RequestRefused,
    RequestTooLarge,
    SealBroken,
    SessionTooLarge,
    SignInRefused,
    StateRefused,
    StoreUnavailable,
    TokenInvalid,
)

from .parts import site

if TYPE_CHECKING:
    from intastellar_auth.core.messages import Reply

BROWSER = Request("GET", "/auth/login", headers=(("accept", "text/html"),))
SCRIPT = Request("GET", "/auth/login", headers=(("accept", "application/json"),))
HERE = site(landing_path="/welcome")
DETAIL = 'iss is "https://evil.example"\nforged'


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="intastellar_auth")


def told(reply: Reply) -> dict[str, str]:
    """Return the JSON of ``reply``."""
    document: dict[str, str] = json.loads(reply.body)
    return document


def only(caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """Return the one record of the log."""
    (record,) = caplog.records
    return record


ERRORS = [
    (RequestRefused(DETAIL), 400, logging.WARNING),
    (StateRefused(DETAIL), 400, logging.WARNING),
    (RequestTooLarge(DETAIL), 413, logging.WARNING),
    (ClientRefused(DETAIL), 502, logging.ERROR),
    (SignInRefused(DETAIL, provider_error="x"), 403, logging.WARNING),
    (TokenInvalid(DETAIL), 502, logging.WARNING),
    (ProviderTimeout(DETAIL), 503, logging.WARNING),
    (StoreUnavailable(DETAIL), 503, logging.WARNING),
    (SessionTooLarge(DETAIL), 507, logging.ERROR),
    (SealBroken(DETAIL), 400, logging.WARNING),
]


@pytest.mark.parametrize(("error", "status", "level"), ERRORS)
def test_the_reason_is_in_the_log_and_the_sentence_on_the_page(
    error: AuthError, status: int, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    """HL-04, TM-05: under one reference."""
    reply = refused.refused(HERE, BROWSER, error, "/welcome")
    page, record = reply.body.decode(), only(caplog)
    assert reply.status == status
    assert record.levelno == level
    assert error.sentence in page
    assert "evil.example" not in page
    reference = re.search(r"<code>([A-Z2-7]{4}-[A-Z2-7]{4})</code>", page)
    assert reference is not None
    assert f'reference="{reference[1]}" code="{error.code}"' in record.getMessage()
    assert "\\nforged" in record.getMessage()


def test_a_script_is_told_the_same_as_json(caplog: pytest.LogCaptureFixture) -> None:
    document = told(refused.refused(HERE, SCRIPT, TokenInvalid(DETAIL), "/welcome"))
    assert document.keys() == {"error", "message", "reference"}
    assert document["error"] == "token_invalid"
    assert document["message"] == TokenInvalid.sentence
    assert document["reference"] in only(caplog).getMessage()


@pytest.mark.parametrize(
    ("return_to", "ends"), [("/welcome", "/welcome"), ("/a?b=c", "/a%3Fb%3Dc")]
)
def test_the_way_on_is_to_sign_in_again_for_the_same_page(return_to: str, ends: str) -> None:
    page = refused.refused(HERE, BROWSER, RequestRefused("x"), return_to).body.decode()
    assert f'href="/auth/login?next={ends}"' in page
    assert 'href="/"' in page


def test_no_two_refusals_have_one_reference(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(100):
        refused.refused(HERE, SCRIPT, RequestRefused("x"), "/welcome")
    assert len({record.getMessage() for record in caplog.records}) == 100


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_failure_that_is_in_the_log_already_is_told_again_in_the_same_words(
    cancelled: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Row P2: all identical callbacks get the same answer, with one reference."""
    failure = Failure(
        "sign_in_refused", 403, "It was <not> completed.", "ABCD-EFGH", False, cancelled
    )
    pages = [refused.failed(HERE, BROWSER, failure, "/page") for _ in range(3)]
    assert pages[0] == pages[1] == pages[2]
    assert pages[0].status == 403
    text = pages[0].body.decode()
    assert "ABCD-EFGH" in text
    assert "/auth/login?next=/page" in text
    assert ("It was &lt;not&gt; completed." in text) is not cancelled
    assert not caplog.records


@pytest.mark.parametrize("request_", [BROWSER, SCRIPT])
def test_a_sign_in_that_started_again_once_is_offered_and_not_begun(
    request_: Request, caplog: pytest.LogCaptureFixture
) -> None:
    """Row P8: a second failure is a page, or a browser without cookies would never stop."""
    reply = refused.expired(HERE, request_, "too old", "/page")
    assert reply.status == 400
    assert "location" not in dict(reply.headers)
    assert "too old" not in reply.body.decode()
    assert 'code="sign_in_expired" detail="too old"' in only(caplog).getMessage()
    assert only(caplog).levelno == logging.WARNING


@pytest.mark.parametrize("request_", [BROWSER, SCRIPT])
def test_an_answer_that_is_not_this_browser_s_is_not_given(
    request_: Request, caplog: pytest.LogCaptureFixture
) -> None:
    """Rows P6 and P7."""
    reply = refused.not_here(HERE, request_, "no receipt", "/page")
    assert reply.status == 400
    assert not {"location", "set-cookie"} & dict(reply.headers).keys()
    assert "no receipt" not in reply.body.decode()
    assert 'code="invalid_state" detail="no receipt"' in only(caplog).getMessage()
    assert only(caplog).levelno == logging.WARNING
    reference = str(vars(only(caplog))["fields"]["reference"])
    assert reference in reply.body.decode()


def test_the_pages_lead_back_to_where_the_visitor_was_going() -> None:
    for reply in (
        refused.expired(HERE, BROWSER, "x", "/a b"),
        refused.not_here(HERE, BROWSER, "x", "/a b"),
    ):
        assert 'href="/auth/login?next=/a%20b"' in reply.body.decode()


def test_whoever_cannot_follow_a_redirect_is_told_where_to_sign_in() -> None:
    """RFC 9110 section 15.5.2: a 401 names a way to authenticate."""
    reply = refused.sign_in_needed(HERE, SCRIPT, "/a?b=c")
    assert reply.status == 401
    assert dict(reply.headers)["www-authenticate"] == 'Cookie realm="https://www.example.com"'
    document = told(reply)
    assert document.pop("reference")
    assert document == {
        "error": "login_required",
        "message": "Please sign in first.",
        "login_url": "https://www.example.com/auth/login?next=/a%3Fb%3Dc",
    }


def test_a_401_is_no_event_for_a_log_that_is_not_asked_for_details(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It happens with every poll of a page that was left open."""
    refused.sign_in_needed(HERE, SCRIPT, "/")
    assert only(caplog).levelno == logging.DEBUG


def test_a_visitor_who_sees_a_401_finds_its_reference_in_any_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reply = refused.sign_in_needed(HERE, BROWSER, "/")
    assert only(caplog).levelno == logging.WARNING
    assert told(reply)["reference"] in only(caplog).getMessage()


def test_a_visitor_sees_a_page_where_a_method_is_not_had(caplog: pytest.LogCaptureFixture) -> None:
    """RFC 9110 section 15.5.6."""
    reply = refused.method_refused(HERE, BROWSER, ("GET", "POST"))
    assert reply.status == 405
    assert dict(reply.headers)["allow"] == "GET, POST"
    assert dict(reply.headers)["content-type"].startswith("text/html")
    assert "Use GET or POST here." in reply.body.decode()
    assert str(vars(only(caplog))["fields"]["reference"]) in reply.body.decode()


def test_a_method_that_a_path_does_not_have_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """RFC 9110 section 15.5.6."""
    reply = refused.method_refused(HERE, SCRIPT, ("GET", "POST"))
    assert only(caplog).levelno == logging.WARNING
    assert told(reply)["reference"] in only(caplog).getMessage()
    assert "/auth/login takes GET or POST, not GET" in only(caplog).getMessage()
    assert reply.status == 405
    assert dict(reply.headers)["allow"] == "GET, POST"
    assert told(reply)["error"] == "method_not_allowed"
    assert told(reply)["message"] == "Use GET or POST here."


def test_a_prefetch_is_refused_with_what_no_browser_shows(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Row P12."""
    reply = refused.prefetch_refused(HERE, BROWSER)
    assert only(caplog).levelno == logging.WARNING
    assert told(reply)["reference"] in only(caplog).getMessage()
    assert reply.status == 403
    assert "set-cookie" not in dict(reply.headers)
    assert told(reply).keys() == {"error", "message", "reference"}
