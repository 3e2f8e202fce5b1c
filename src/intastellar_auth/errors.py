"""Every error the package raises, in one tree.

    AuthError
    ├── SettingsError              the site's owner has a setting to mend; raised at start-up only
    ├── RequestRefused       400   the browser sent something we do not act on
    │   ├── StateRefused     400   its state is missing, forged, or not this browser's
    │   ├── AttemptExpired   400   it took too long, or its cookies did not come back
    │   ├── LogoutRefused    400   a logout token is not to be believed
    │   ├── LogoutNotConfirmed 403  another site's script asked to sign the visitor out
    │   └── RequestTooLarge  413   it posted more than any form of ours
    ├── SignInNeeded         401   nobody is signed in
    ├── ScopeMissing         403   somebody is, without a scope that is needed
    ├── SignInRefused        403   the provider answered the authorization request with an error
    ├── ProviderError        502   the provider did not do what the specification requires
    │   ├── ProviderUnreachable 503  nothing was sent: trying again is safe
    │   ├── ProviderTimeout  503   it may have received the request: trying again is not
    │   ├── AnswerInvalid    502   its answer is malformed
    │   │   └── TokenInvalid 502   the ID token fails a check
    │   ├── CodeRefused      502   the token endpoint would not take the code
    │   ├── TokenRevoked     502   userinfo would not take the access token that the code gave
    │   ├── RefreshRefused   502   the token endpoint would not take the refresh token
    │   ├── ProviderBusy     503   it says that it did nothing: trying again is safe
    │   └── ClientRefused    502   the token endpoint would not take our credentials
    ├── StoreUnavailable     503   the store did not answer
    ├── SessionTooLarge      507   the session does not fit into cookies
    └── SealBroken                 a sealed value does not open; never leaves the package

``code`` is stable and goes into JSON answers, ``sentence`` is for the visitor, ``detail`` is for
the log alone: it may quote the provider (escaped by the logger), never a secret, a code or a token.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Final

NOT_SET_UP: Final = "The sign-in of this site is not set up correctly. Please tell its owner."
"""What a visitor is told who could try again for ever."""

_LONGEST_NAME: Final = 200


class AuthError(Exception):
    """The root. ``detail`` is for the operator's log and is never shown to a visitor.

    One that is ``permanent`` comes again until the site's owner has changed something, and says so.
    """

    code: ClassVar[str] = "server_error"
    status: ClassVar[int] = 500
    sentence: str = "Something went wrong while signing you in."
    permanent: bool = False

    def __init__(self, detail: str, *, permanent: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        if permanent:
            self.permanent, self.sentence = True, NOT_SET_UP


@contextmanager
def about(what: str) -> Iterator[None]:
    """Put ``what`` it is about, a setting or an address, before an error's detail.

    An address may be the provider's: it goes without its query, which can hold anything, and is cut
    short, since what to do about it must fit into the log.
    """
    try:
        yield
    except AuthError as error:
        bare = what.partition("?")[0]
        short = bare if len(bare) <= _LONGEST_NAME else f"{bare[:_LONGEST_NAME]}…"
        error.detail = f"{short}: {error.detail}"
        error.args = (error.detail,)
        raise


class SettingsError(AuthError):
    """One or more settings are missing or wrong; ``detail`` names each and how to mend it."""

    code = "settings_error"


class RequestRefused(AuthError):
    """The request has a part that is malformed, repeated, too large, or in the wrong place."""

    code = "invalid_request"
    status = 400
    sentence = "This sign-in link is not complete. Please start again."


class StateRefused(RequestRefused):
    """``state`` is missing, forged, or belongs to another browser (RFC 6749 section 10.12)."""

    code = "invalid_state"
    sentence = "This sign-in was started somewhere else, or has ended. Please start again here."


class AttemptExpired(RequestRefused):
    """The attempt is over, or its login cookie is gone, and it has started again once already."""

    code = "sign_in_expired"
    sentence = "This sign-in has expired. Please start again."


class LogoutRefused(RequestRefused):
    """The logout token is missing, not to be believed, or was used before.

    OpenID Connect Back-Channel Logout section 2.8.
    """

    sentence = "This logout token cannot be used."


class LogoutNotConfirmed(RequestRefused):
    """A script or a frame of another site asked to sign the visitor out."""

    code = "logout_not_confirmed"
    status = 403
    sentence = "Only you can sign yourself out, from a page of this site."


class RequestTooLarge(RequestRefused):
    """The body is larger than any form that a path of ours takes."""

    code = "content_too_large"
    status = 413


class SignInNeeded(AuthError):
    """Nobody is signed in."""

    code = "login_required"
    status = 401
    sentence = "Please sign in first."


class ScopeMissing(AuthError):
    """Somebody is signed in, without a scope that is needed (RFC 6750 section 3.1)."""

    code = "insufficient_scope"
    status = 403
    sentence = "Your sign-in does not allow this."


class SignInRefused(AuthError):
    """The provider sent the browser back with an error (RFC 6749 section 4.1.2.1).

    ``provider_error`` is its ``error``; what it said about it is in ``detail``.
    """

    code = "sign_in_refused"
    status = 403
    sentence = "The sign-in was not completed."

    def __init__(self, detail: str, *, provider_error: str, permanent: bool = False) -> None:
        super().__init__(detail, permanent=permanent)
        self.provider_error = provider_error


class ProviderError(AuthError):
    """The provider failed, or did something the specification does not allow."""

    code = "provider_error"
    status = 502
    sentence = "The sign-in service gave an answer we cannot use. Please try again in a moment."


class ProviderUnreachable(ProviderError):
    """The request surely never reached the provider: sending it again is safe."""

    code = "provider_unreachable"
    status = 503
    sentence = "The sign-in service cannot be reached right now. Please try again in a moment."


class ProviderTimeout(ProviderError):
    """No whole answer within ``HTTP_TIMEOUT``; the provider may have acted on the request."""

    code = "provider_timeout"
    status = 503
    sentence = "The sign-in service took too long to answer. Please try again in a moment."


class AnswerInvalid(ProviderError):
    """The answer is too large, a redirect, the wrong type, or lacks what it must have."""


class TokenInvalid(AnswerInvalid):
    """The ID token fails a step of OpenID Connect Core section 3.1.3.7."""

    code = "token_invalid"


class CodeRefused(ProviderError):
    """The token endpoint refused the code: spent, expired, or not ours (RFC 6749 section 5.2)."""

    code = "code_refused"


class TokenRevoked(ProviderError):
    """The provider does not take the access token that it has just given (RFC 6750 section 3.1).

    Somebody has used its code once more, and it was revoked (RFC 6749 section 4.1.2).
    """

    code = "token_revoked"


class RefreshRefused(ProviderError):
    """The token endpoint refused the refresh token: spent, expired, revoked, or not ours."""

    code = "refresh_refused"


class ProviderBusy(ProviderError):
    """The provider answered 429 or 5xx: it did nothing, and may be asked again."""

    code = "provider_busy"
    status = 503
    sentence = "The sign-in service is busy. Please try again in a moment."


class ClientRefused(ProviderError):
    """The token endpoint refused this client: ``CLIENT_ID`` or its credentials are wrong."""

    code = "client_refused"
    sentence = NOT_SET_UP
    permanent = True


class StoreUnavailable(AuthError):
    """The store did not answer. No code was spent: the same request may be sent again."""

    code = "store_unavailable"
    status = 503
    sentence = "Sign-in is not available right now. Please try again in a moment."


class SessionTooLarge(AuthError):
    """The sealed session needs more than three cookies, or its claims are more than are kept."""

    code = "session_too_large"
    status = 507
    sentence = (
        "Your account carries more information than this site can keep. Please tell its owner."
    )
    permanent = True


class SealBroken(AuthError):
    """A sealed value was altered, is for another purpose, or its key is gone."""

    code = "seal_broken"
    status = 400
