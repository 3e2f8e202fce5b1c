"""Push an authorization request to the provider before the browser goes there (RFC 9126).

What the browser carries is then a reference: nobody on the way reads the request, and nobody
changes it. A refusal is an error and never a reason to send the request in the open instead.
"""

from __future__ import annotations

import re
from typing import Final

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.errors import AnswerInvalid, ClientRefused, ProviderBusy, ProviderError
from intastellar_auth.oidc.authorization import Parameters, advice_on
from intastellar_auth.oidc.client_auth import Client, build_form_request
from intastellar_auth.oidc.json_object import is_json, optional_text, read_object
from intastellar_auth.oidc.token import read_refusal

_WHAT: Final = "the pushed authorization answer"
MAX_REQUEST_URI: Final = 2048
"""Characters. RFC 9101 section 5.2 asks for 512 at most; not everybody has read it."""

# RFC 3986 section 2: a URI is visible ASCII.
_REQUEST_URI: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)


def build_pushed_authorization_request(
    endpoint: str,
    parameters: Parameters,
    client: Client,
    *,
    audience: str,
    now: float,
    jti: str,
) -> Fetch:
    """Return the request that pushes ``parameters`` (section 2.1).

    The client authenticates as it does at the token endpoint; ``audience``, ``now`` and ``jti``
    are as in ``authenticate``.
    """
    return build_form_request(endpoint, parameters, client, audience=audience, now=now, jti=jti)


def read_pushed_authorization_answer(answer: Answer) -> str:
    """Return the ``request_uri`` in ``answer`` (section 2.2).

    Status 200 is taken as well as 201, because some providers answer with it. Raises
    ``ClientRefused`` or ``ProviderError`` where the provider refuses, ``ProviderBusy`` where it is
    in trouble, and ``AnswerInvalid`` where its answer can't be used.
    """
    _raise_refusal(answer)
    if answer.status not in (200, 201):
        raise AnswerInvalid(f"{_WHAT} came with status {answer.status}, not 201")
    if not is_json(answer.media_type):
        raise AnswerInvalid(f"{_WHAT} is not labelled as JSON; check the endpoint's address")
    document = read_object(answer.body, _WHAT)
    request_uri = optional_text(document, "request_uri", _WHAT)
    if request_uri is None:
        raise AnswerInvalid(f"{_WHAT} has no request_uri")
    # It goes into the address that the browser is sent to.
    if len(request_uri) > MAX_REQUEST_URI or not _REQUEST_URI.fullmatch(request_uri):
        raise AnswerInvalid(
            f"{_WHAT}: request_uri is longer than {MAX_REQUEST_URI} characters or not visible ASCII"
        )
    expires_in = document.get("expires_in")
    if isinstance(expires_in, int | float) and expires_in <= 0:
        raise AnswerInvalid(f"{_WHAT}: expires_in says that the request has expired already")
    return request_uri


def _raise_refusal(answer: Answer) -> None:
    """Section 2.3."""
    error, said = read_refusal(answer)
    if error in ("invalid_client", "unauthorized_client"):
        raise ClientRefused(
            f"the pushed authorization endpoint refused this client (INTASTELLAR_CLIENT_ID): {said}"
        )
    if answer.status == 429 or answer.status >= 500:  # noqa: PLR2004  RFC 6585, RFC 9110
        raise ProviderBusy(f"the pushed authorization endpoint is in trouble: {said}")
    # An error with a status of success is a refusal too: some providers answer like that.
    if answer.status >= 400 or error is not None:  # noqa: PLR2004
        advice = advice_on(error)
        raise ProviderError(
            f"{advice}the pushed authorization request was refused: {said}", permanent=bool(advice)
        )
