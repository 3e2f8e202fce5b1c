"""What the app's own guards do with a visitor who may not go on, in the frameworks for ASGI.

By the rule of the middleware's protected paths: whoever goes to a page is led to sign in and back,
and a script is told where that is. Knows a scope, and no framework.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast
from urllib.parse import quote, unquote

from intastellar_auth.access import admit, can_sign_in, problem, problem_headers, visitor
from intastellar_auth.entrance import default_entrance
from intastellar_auth.errors import AuthError, SignInNeeded
from intastellar_auth.user import AnonymousUser, Auth, User


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a visitor is answered who may not go on; ``body`` is in the shape of all our answers."""

    status: int
    headers: dict[str, str]
    body: dict[str, str]


def visitor_of(
    scope: MutableMapping[str, object], remedy: str
) -> tuple[User | AnonymousUser, Auth]:
    """Return what the middleware says of a request; raises ``RuntimeError`` as ``visitor`` does."""
    return visitor(scope.get("user"), scope.get("auth"), remedy)


def checked(
    scope: MutableMapping[str, object], scopes: tuple[str, ...], remedy: str
) -> User | Refusal:
    """Return the user who is signed in with all of ``scopes``, or what to answer instead.

    Raises ``RuntimeError`` as ``visitor`` does.
    """
    user, auth = visitor_of(scope, remedy)
    try:
        return admit(user, auth, scopes)
    except AuthError as error:
        return _refusal(scope, auth, error)


def _refusal(scope: MutableMapping[str, object], auth: Auth, error: AuthError) -> Refusal:
    entrance = auth.entrance or default_entrance(cast("str", scope.get("root_path", "")))
    here, headers = _here(scope), problem_headers(error)
    body = problem(error, entrance.url(here))
    if isinstance(error, SignInNeeded) and _goes_to_page(scope):
        return Refusal(HTTPStatus.SEE_OTHER, {**headers, "Location": entrance.path(here)}, body)
    return Refusal(error.status, headers, body)


def _goes_to_page(scope: MutableMapping[str, object]) -> bool:
    """Before a WebSocket nobody can be sent elsewhere: it has no method."""
    headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
    text = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    return can_sign_in(cast("str", scope.get("method", "")), text)


def _here(scope: MutableMapping[str, object]) -> str:
    """The path and query of this request, spelled as the browser did as far as the server says."""
    path, query = cast("str", scope["path"]), cast("bytes", scope["query_string"])
    spelled = cast("bytes", scope.get("raw_path") or b"").decode("latin-1")
    where = spelled if unquote(spelled) == path else quote(path)
    return f"{where}?{query.decode('latin-1')}" if query else where
