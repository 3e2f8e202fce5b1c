"""A refusal, by the name that the specifications give it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Compare:
    """An address that was refused, ``None`` where there was none, and those that would do."""

    got: str | None
    registered: tuple[str, ...]


class OAuthError(Exception):
    """The request is refused.

    ``error`` is the registered name (RFC 6749 sections 4.1.2.1 and 5.2, OpenID Connect Core
    section 3.1.2.6), ``description`` helps the developer and never holds a secret, ``status`` and
    ``challenge`` (a ``WWW-Authenticate`` value) are for an answer that is not a redirect.
    ``compare`` is for a page alone: an ``error_description`` may not hold every character.
    """

    def __init__(
        self,
        error: str,
        description: str,
        *,
        status: int = 400,
        challenge: str | None = None,
        compare: Compare | None = None,
    ) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status
        self.challenge = challenge
        self.compare = compare
