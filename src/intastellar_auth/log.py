"""One line an event, safe to read in a terminal.

What comes from outside is quoted and escaped (line breaks, ANSI, bidirectional marks) and cut
short, so nobody writes our log for us (HL-04). No secret, token, code or claim is ever a field.
"""

from __future__ import annotations

import json
import logging
from base64 import b32encode
from collections.abc import Callable, Mapping

from intastellar_auth.errors import AuthError

logger = logging.getLogger("intastellar_auth")

_LONGEST = 500


def new_reference(token_bytes: Callable[[int], bytes]) -> str:
    """Return what ties a visitor's page to a line of the log: short enough to read out."""
    text = b32encode(token_bytes(5)).decode("ascii")
    return f"{text[:4]}-{text[4:]}"


def event(level: int, name: str, fields: Mapping[str, object], *, traceback: bool = False) -> None:
    """Log the event ``name`` with ``fields``, at ``level`` of the standard library's logging.

    ``traceback`` adds that of the exception that is being handled.
    """
    if logger.isEnabledFor(level):
        texts = {key: _shortened(value) for key, value in fields.items()}
        line = "".join(f" {key}={json.dumps(text)}" for key, text in texts.items())
        extra = {"event": name, "fields": texts}
        logger.log(level, "event=%s%s", name, line, extra=extra, exc_info=traceback)


def refusal(error: AuthError, reference: str, *, level: int | None = None) -> None:
    """Log why a visitor sees a page with ``reference`` instead of what they asked for.

    By default at a level that is written where nobody has configured logging: who is asked about a
    reference must find it.
    """
    if level is None:
        level = logging.ERROR if error.permanent else logging.WARNING
    refused(reference, error.code, error.detail, level=level)


def refused(reference: str, code: str, detail: str, *, level: int = logging.WARNING) -> None:
    """Log a refusal that is no error of ours; as ``refusal`` does."""
    event(level, "refused", {"reference": reference, "code": code, "detail": detail})


def _shortened(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
