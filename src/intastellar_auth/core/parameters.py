"""The parameters of a request to a path of ours, where a stranger may have written them."""

from __future__ import annotations

from intastellar_auth.core.messages import Request
from intastellar_auth.errors import RequestRefused
from intastellar_auth.oidc.authorization import single_parameters


def parameters(request: Request) -> dict[str, str]:
    """Return what the query says, and the form if one was posted; the form wins.

    What cannot be read, or comes twice, counts as not said: the visitor still gets what the path is
    for, at its default.
    """
    given = _read(request.query)
    return given | _read(request.body.decode("latin-1")) if request.method == "POST" else given


def form_of(request: Request) -> str:
    """Return the form that was posted, still encoded; raises ``RequestRefused`` if none was."""
    media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise RequestRefused("what was posted is not a form")
    try:
        return request.body.decode("ascii")
    except UnicodeDecodeError:
        raise RequestRefused("what was posted is not percent-encoded") from None


def _read(encoded: str) -> dict[str, str]:
    try:
        return single_parameters(encoded)
    except RequestRefused:
        return {}
