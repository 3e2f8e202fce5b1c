"""Whether a visitor may go on, and what they are told if not: the same in every framework.

Knows users and scopes. Does not know any framework; the modules named after one build on this.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from typing import TypeAlias

from intastellar_auth import log
from intastellar_auth.core.messages import Request
from intastellar_auth.core.navigation import is_navigation
from intastellar_auth.errors import AuthError, ScopeMissing, SignInNeeded
from intastellar_auth.user import AnonymousUser, Auth, User

Scopes: TypeAlias = str | Iterable[str]
"""Scopes as OAuth writes them, separated by spaces (RFC 6749 section 3.3), or one by one."""


def each_scope(scopes: Scopes) -> tuple[str, ...]:
    """Return ``scopes`` one by one.

    Asked once, when the check is made: an iterator would be used up by the first request, and let
    the second one pass.
    """
    return tuple(scopes.split() if isinstance(scopes, str) else scopes)


def visitor(user: object, auth: object, remedy: str) -> tuple[User | AnonymousUser, Auth]:
    """Return what the middleware says of a request; ``remedy`` is how this framework puts it there.

    Raises ``RuntimeError`` where it is not in front of the app, or something behind it has put
    somebody else in its user's place: that must not pass for a signed-in user.
    """
    if not isinstance(user, User | AnonymousUser) or not isinstance(auth, Auth):
        raise RuntimeError(  # noqa: TRY004 - it is the site that is wrong, not the caller's type
            f"this request did not come through intastellar_auth: wrap the app in AuthMiddleware "
            f"({remedy}), and let no other middleware behind it set the user"
        )
    return user, auth


def admit(user: User | AnonymousUser, auth: Auth, scopes: tuple[str, ...] = ()) -> User:
    """Return ``user`` who is signed in with all of ``scopes``.

    Raises ``SignInNeeded`` and ``ScopeMissing``.
    """
    if isinstance(user, AnonymousUser):
        raise SignInNeeded("nobody is signed in")
    missing = [scope for scope in scopes if scope not in auth.scopes]
    if missing:
        raise ScopeMissing(f"not granted: {' '.join(missing)}")
    return user


def problem(error: AuthError, login_url: str) -> dict[str, str]:
    """Log ``error``, and return what a script is told of it: the shape of all our answers.

    ``login_url`` is where to send a visitor who has to sign in.
    """
    reference = log.new_reference(secrets.token_bytes)
    # Scripts ask for visitors who have not signed in all the time: no event for a log.
    level = logging.DEBUG if isinstance(error, SignInNeeded) else logging.WARNING
    log.refusal(error, reference, level=level)
    told = {"error": error.code, "message": error.sentence, "reference": reference}
    return {**told, "login_url": login_url} if isinstance(error, SignInNeeded) else told


def problem_headers(error: AuthError) -> dict[str, str]:
    """Return the headers that go with ``problem``; a 401 names a scheme (RFC 9110 15.5.2)."""
    challenge = {"WWW-Authenticate": "Cookie"} if isinstance(error, SignInNeeded) else {}
    return {"Cache-Control": "no-store", **challenge}


def can_sign_in(method: str, headers: Iterable[tuple[str, str]]) -> bool:
    """Return whether a redirect to the provider helps: only a visitor who goes to a page."""
    lower = tuple((name.lower(), value) for name, value in headers)
    return method == "GET" and is_navigation(Request(method, "/", headers=lower))
