"""A mistake in the settings: the log says which, and no visitor is told to try again for ever."""

from __future__ import annotations

import re

import pytest

from intastellar_auth.core.effects import Answer
from intastellar_auth.core.messages import Reply
from intastellar_auth.errors import NOT_SET_UP, ProviderUnreachable
from tests.oidc.forge import ISSUER, answer
from tests.settings.making import PEM

from .hand import Said
from .stage import CODE, DISCOVERY, DOCUMENT, JWKS, TOKEN, USERINFO, make_stage, text

REFUSED = answer({"error": "invalid_client"}, status=401)


def detail(caplog: pytest.LogCaptureFixture) -> str:
    """Return the detail of the last refusal, which is an error for the operator."""
    record = caplog.records[-1]
    assert record.levelname == "ERROR"
    return str(record.__dict__["fields"]["detail"])


def buttons(reply: Reply) -> list[str]:
    """Return what can be pressed on the page, the most prominent first."""
    return re.findall(r'<a class="way[^>]*>([^<]+)</a>', text(reply))


def is_for_the_owner(reply: Reply) -> bool:
    """Return whether the page says that the site is not set up, and offers no second try first."""
    return NOT_SET_UP in text(reply) and buttons(reply) == ["Go to the home page", "Sign in again"]


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({}, "copy INTASTELLAR_CLIENT_SECRET from the registration again, and see that it says"),
        ({"client_secret": None}, "INTASTELLAR_CLIENT_SECRET is not set, so this client is public"),
        (
            {"client_secret": None, "client_private_key": PEM},
            "register what `intastellar-auth jwks` prints",
        ),
    ],
)
def test_a_refused_client_names_the_credential(
    settings: dict[str, object], advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = make_stage(**settings)
    callback = stage.begin()
    stage.hand.say(TOKEN, REFUSED)
    reply = stage.go(callback)
    assert reply.status == 502
    assert is_for_the_owner(reply)
    assert detail(caplog).startswith(f"{TOKEN}: {advice}")
    assert "INTASTELLAR_CLIENT_ID): status 401, invalid_client" in detail(caplog)
    assert text(stage.go(callback)) == text(reply)


def test_what_to_do_fits_into_the_line_however_much_the_provider_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = make_stage()
    callback = stage.begin()
    body = b'{"error": "invalid_client", "error_description": "%s"}' % (b"x" * 1000)
    stage.hand.say(TOKEN, answer(body, status=401))
    stage.go(callback)
    assert "INTASTELLAR_CLIENT_SECRET" in detail(caplog)


@pytest.mark.parametrize(
    ("issuer", "shown"),
    [
        (f"{ISSUER}/", f"set INTASTELLAR_ISSUER={ISSUER}/;"),
        ("https://evil.example/\x1b[2J", None),
        (f"https://{'a' * 300}.example", None),
        ("http://169.254.169.254", None),
        (7, None),
    ],
)
def test_another_issuer_is_shown_to_be_copied_where_it_can_be_one(
    issuer: str | int, shown: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    stage = make_stage()
    stage.hand.say(DISCOVERY, answer({**DOCUMENT, "issuer": issuer}))
    reply = stage.go("/auth/login")
    assert reply.status == 502
    assert is_for_the_owner(reply)
    assert detail(caplog).startswith(f"INTASTELLAR_ISSUER: {DISCOVERY}: the discovery document nam")
    assert (f"={issuer}" in detail(caplog)) is (shown is not None)
    assert (shown or "the slash at the end") in detail(caplog)


def test_all_who_share_a_failure_are_told_the_same() -> None:
    stage = make_stage()
    stage.hand.say(DISCOVERY, answer({**DOCUMENT, "issuer": "https://other.example"}))
    assert is_for_the_owner(stage.go("/auth/login"))
    assert is_for_the_owner(stage.go("/auth/login"))
    assert len(stage.hand.fetched(DISCOVERY)) == 1


def test_no_provider_at_the_issuer_names_the_address_that_was_asked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = make_stage()
    stage.hand.say(DISCOVERY, Answer(404, "text/html", b"Not Found"))
    assert is_for_the_owner(stage.go("/auth/login"))
    assert detail(caplog).startswith(f"INTASTELLAR_ISSUER: {DISCOVERY}: the discovery document cam")


def test_a_provider_that_cannot_be_reached_names_the_setting_and_may_be_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = make_stage()
    stage.hand.say(DISCOVERY, ProviderUnreachable("https://accounts.example: Connection refused"))
    reply = stage.go("/auth/login")
    assert reply.status == 503
    assert buttons(reply)[0] == "Sign in again"
    assert "INTASTELLAR_ISSUER: https://accounts.example: Conn" in caplog.records[-1].getMessage()


@pytest.mark.parametrize(
    ("error", "name"),
    [
        ("invalid_scope", "INTASTELLAR_SCOPE"),
        ("unauthorized_client", "INTASTELLAR_CLIENT_ID"),
        ("unsupported_response_type", "INTASTELLAR_CLIENT_ID"),
        ("invalid_target", "INTASTELLAR_AUTHORIZATION_PARAMS"),
    ],
)
def test_an_error_of_the_provider_that_comes_again_names_the_setting(
    error: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = make_stage()
    reply = stage.go(stage.begin().replace(f"code={CODE}", f"error={error}"))
    assert reply.status == 403
    assert is_for_the_owner(reply)
    assert name in detail(caplog)
    assert f"the provider refused the sign-in: {error}" in detail(caplog)


def test_any_other_error_of_the_provider_may_be_tried_again() -> None:
    stage = make_stage()
    reply = stage.go(stage.begin().replace(f"code={CODE}", "error=server_error"))
    assert buttons(reply)[0] == "Sign in again"


PUSHED = f"{ISSUER}/par"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (answer({"error": "invalid_scope"}, status=400), "INTASTELLAR_SCOPE"),
        (REFUSED, "INTASTELLAR_CLIENT_SECRET"),
    ],
)
def test_a_refused_pushed_request_names_the_setting(
    said: Said, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = make_stage(pushed_authorization_request_endpoint=f"{PUSHED}?tenant=one")
    stage.hand.say(f"{PUSHED}?tenant=one", said)
    assert is_for_the_owner(stage.go("/auth/login"))
    assert detail(caplog).startswith(f"{PUSHED}: ")
    assert name in detail(caplog)


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"iss": "https://other.example"}, "INTASTELLAR_ISSUER"), ({"aud": "x"}, "CLIENT_ID")],
)
def test_an_id_token_for_another_registration_names_the_setting(
    changes: dict[str, str], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = make_stage()
    assert is_for_the_owner(stage.sign_in(**changes))
    assert name in detail(caplog)
    assert "other.example" not in detail(caplog)


def test_a_clock_that_is_wrong_names_the_setting(caplog: pytest.LogCaptureFixture) -> None:
    stage = make_stage()
    stage.sign_in(iat=int(stage.hand.clock.now) + 1000)
    message = caplog.records[-1].getMessage()
    assert "is this machine's clock right?" in message
    assert "INTASTELLAR_CLOCK_SKEW" in message


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (JWKS, Answer(200, "text/html", b"<html>")),
        (TOKEN, Answer(200, "text/html", b"<html>")),
        (USERINFO, Answer(200, "text/html", b"<html>")),
    ],
)
def test_an_answer_that_cannot_be_used_names_the_address_that_was_asked(
    url: str, said: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    stage = make_stage()
    callback = stage.begin()
    stage.hand.say(url, said)
    assert stage.go(callback).status == 502
    assert f'detail="{url}: ' in caplog.records[-1].getMessage()


def test_a_session_that_is_too_large_offers_no_second_try_first() -> None:
    stage = make_stage(claims="name,email,groups")
    reply = stage.sign_in(groups=[f"group-{number}-{number**7:x}" for number in range(900)])
    assert reply.status == 507
    assert "tell its owner" in text(reply)
    assert buttons(reply) == ["Go to the home page", "Sign in again"]
