"""Requests, replies, effects and outcomes: plain values, of which none shows a secret."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import FrozenInstanceError, fields

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core import effects
from intastellar_auth.core.effects import (
    Add,
    Answer,
    Delete,
    Effect,
    Fetch,
    Flow,
    Get,
    GetMany,
    Pause,
    Put,
    Take,
    Unbroken,
)
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.outcome import Failure, Outcome, decode_outcome, encode_outcome
from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.oidc.authorization import AuthorizationCode
from intastellar_auth.oidc.client_auth import Client
from intastellar_auth.oidc.token import Tokens

from .parts import session

REQUEST = Fetch(
    "POST",
    "https://id.example.com/token?secret=in-the-query",
    headers=(("authorization", "Basic c2VjcmV0"),),
    body=b"code=a-code&code_verifier=a-verifier",
)
ANSWER = Answer(200, "application/json", b'{"access_token": "a-token"}')


def test_a_header_is_found_by_its_name() -> None:
    request = Request("GET", "/", headers=(("accept", "a"), ("x", "1"), ("x", "2")))
    assert request.header("accept") == "a"
    assert request.header("Accept") is None
    assert request.header("origin") is None


def test_a_header_that_came_twice_is_neither_of_its_values() -> None:
    """RFC 9110 section 5.3: a check against a known value must fail."""
    assert Request("GET", "/", headers=(("x", "1"), ("x", "2"))).header("x") == "1, 2"


def test_cookies_that_were_split_are_one_header_again() -> None:
    """RFC 9113 section 8.2.3."""
    split = Request("GET", "/", headers=(("cookie", "a=b"), ("x", "y"), ("cookie", "c=d; e=f")))
    assert split.cookie_header == "a=b; c=d; e=f"
    assert Request("GET", "/").cookie_header == ""


@pytest.mark.parametrize("value", [Request("GET", "/"), Reply(200), REQUEST, Get("key")])
def test_a_message_cannot_be_changed(value: Request | Reply | Fetch | Get) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, None)


INNER = effects.delete("inner")

# Each helper, the effect that it asks for, and what it is sent and so returns.
ASKED: list[tuple[Callable[[], Flow[object]], Effect, object]] = [
    (lambda: effects.fetch(REQUEST), REQUEST, ANSWER),
    (lambda: effects.get("k"), Get("k"), b"value"),
    (lambda: effects.get("k"), Get("k"), None),
    (lambda: effects.get_many("k", "l"), GetMany(("k", "l")), [b"value", None]),
    (lambda: effects.put("k", b"v", 9.0), Put("k", b"v", 9.0), None),
    (lambda: effects.add("k", b"v", 9.0), Add("k", b"v", 9.0), True),
    (lambda: effects.add("k", b"v", 9.0), Add("k", b"v", 9.0), False),
    (lambda: effects.take("k"), Take("k"), b"value"),
    (lambda: effects.delete("k"), Delete("k"), None),
    (lambda: effects.pause(0.5), Pause(0.5), None),
    (lambda: effects.unbroken(INNER), Unbroken(INNER), "done"),
]


@pytest.mark.parametrize(("helper", "effect", "answer"), ASKED)
def test_a_helper_asks_for_one_effect_and_returns_its_answer(
    helper: Callable[[], Flow[object]], effect: Effect, answer: object
) -> None:
    flow = helper()
    assert next(flow) == effect
    with pytest.raises(StopIteration) as returned:
        flow.send(answer)
    assert returned.value.value is answer


@pytest.mark.parametrize(("helper", "effect", "answer"), ASKED)
def test_a_helper_lets_the_outside_s_error_through(
    helper: Callable[[], Flow[object]], effect: Effect, answer: object
) -> None:
    """CS-11: neither it nor its answer is taken for a value."""
    flow = helper()
    assert next(flow) == effect
    with pytest.raises(StoreUnavailable):
        flow.throw(StoreUnavailable(f"no {answer!r}"))


def test_a_flow_does_nothing_before_it_is_driven() -> None:
    flow = effects.get("k")
    assert isinstance(flow, Generator)
    flow.close()
    assert list(flow) == []


SECRET = "not-to-be-shown"


@pytest.mark.parametrize(
    "value",
    [
        Fetch("GET", f"https://id.example.com/?token={SECRET}"),
        Fetch("POST", "https://id.example.com/", (("authorization", SECRET),), SECRET.encode()),
        Answer(200, "application/json", SECRET.encode()),
        Outcome(session(claims={"email": SECRET}), id_token=SECRET),
        session(claims={"email": SECRET}),
        Tokens(SECRET, SECRET, SECRET, ("openid",), 60.0),
        AuthorizationCode(SECRET),
        Client("my-site", "client_secret_post", SECRET),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_value_shows_a_secret(value: object) -> None:
    """TM-05, HL-04."""
    assert SECRET not in repr(value)
    assert SECRET not in f"{value}"


def test_a_request_to_the_provider_shows_where_it_goes_and_an_answer_how_long_it_is() -> None:
    assert repr(REQUEST) == "Fetch('POST', 'https://id.example.com/token')"
    assert repr(ANSWER) == "Answer(200, 'application/json', 27 bytes)"


failures = st.builds(
    Failure,
    code=st.text(),
    status=st.integers(400, 599),
    sentence=st.text(),
    reference=st.text(),
    restart=st.booleans(),
    cancelled=st.booleans(),
)
outcomes = st.builds(
    Outcome,
    session=st.none() | st.builds(session, claims=st.dictionaries(st.text(), st.text())),
    id_token=st.none() | st.text(),
    failure=st.none() | failures,
)


@given(outcomes)
def test_an_outcome_comes_back_from_its_record_as_it_was(outcome: Outcome) -> None:
    """Rows P2 and P3: everyone who asks gets the same."""
    assert decode_outcome(encode_outcome(outcome)) == outcome


NOT_UTF8 = b"\x81\xa8id_token\xa1\xff"


@pytest.mark.parametrize(
    "record", [b"", b"\xc1", b"\x90", NOT_UTF8, msgspec.msgpack.encode({"session": 1})]
)
def test_what_is_no_record_is_not_taken_for_a_session(record: bytes) -> None:
    """CS-11 (CVE-2026-73421): another version may have written it."""
    assert decode_outcome(record) is None


def test_an_outcome_that_says_nothing_is_no_session() -> None:
    """CS-11."""
    assert decode_outcome(msgspec.msgpack.encode({})) == Outcome(None, None, None)
