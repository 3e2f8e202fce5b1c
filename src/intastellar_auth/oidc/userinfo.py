"""Ask who the user is (OpenID Connect Core section 5.3).

Not signed, so it may add to what the ID token says and never change who it is about.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final

from intastellar_auth.core.effects import Answer, Fetch
from intastellar_auth.errors import AnswerInvalid, ProviderError, TokenRevoked
from intastellar_auth.oidc.id_token import check_sub
from intastellar_auth.oidc.json_object import Json, read_json_answer

_WHAT: Final = "the userinfo answer"

PROTECTED_CLAIMS: Final = frozenset(
    {
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "nonce",
        "azp",
        "at_hash",
        "auth_time",
        "acr",
        "amr",
        "sid",
        "events",
    }
)
"""Claims about the sign-in itself; only a signed token may say them."""


def build_userinfo_request(endpoint: str, access_token: str) -> Fetch:
    """Return the request for the claims that ``access_token`` gives access to.

    The token goes into a header, never into the address: addresses are logged (RFC 6750 section
    5.3).
    """
    return Fetch(
        "GET",
        endpoint,
        headers=(("accept", "application/json"), ("authorization", f"Bearer {access_token}")),
    )


def read_userinfo_answer(answer: Answer, *, sub: str | None) -> dict[str, Json]:
    """Return the claims in ``answer``.

    ``sub`` is the ID token's; ``None`` where the registration has no ID token. Raises
    ``AnswerInvalid`` where the answer is about somebody else (Core section 5.3.2) or not JSON,
    ``TokenRevoked`` where the access token is good no more, and ``ProviderError`` where the
    provider refuses or fails otherwise.
    """
    if answer.status == 401:  # noqa: PLR2004  RFC 6750 section 3.1
        raise TokenRevoked("the userinfo endpoint did not take the access token (status 401)")
    if answer.status >= 400:  # noqa: PLR2004  RFC 9110 section 15.5
        raise ProviderError(f"the userinfo endpoint answered with status {answer.status}")
    if answer.media_type == "application/jwt":
        raise AnswerInvalid(
            f"{_WHAT} is signed; register this client for userinfo as plain JSON "
            "(no userinfo_signed_response_alg)"
        )
    claims = read_json_answer(answer, _WHAT)
    theirs = check_sub(claims, _WHAT, AnswerInvalid)
    # Token substitution: an access token of another user's must not lend us their name.
    if sub is not None and not hmac.compare_digest(theirs.encode(), sub.encode()):
        raise AnswerInvalid(f"{_WHAT} is about another user than the ID token (sub)")
    return claims


def merge_claims(
    id_claims: Mapping[str, Json], userinfo_claims: Mapping[str, Json]
) -> dict[str, Json]:
    """Return ``id_claims`` with what userinfo adds or says anew, ``PROTECTED_CLAIMS`` excepted.

    A claim that userinfo has as ``null`` counts as absent.
    """
    added = {
        name: value
        for name, value in userinfo_claims.items()
        if name not in PROTECTED_CLAIMS and value is not None
    }
    return {**id_claims, **added}
