"""From a code to a session: the token request, the ID token, the claims.

This is the work that ``callback.py`` has done exactly once. Whatever comes of it, success or
failure, is an ``Outcome``, so that everyone who asks gets the same answer.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec

from intastellar_auth import log
from intastellar_auth.core import cookies
from intastellar_auth.core.attempt import Attempt
from intastellar_auth.core.claims import kept_claims
from intastellar_auth.core.effects import Flow, fetch
from intastellar_auth.core.ended import note_sid
from intastellar_auth.core.once import Once, Work
from intastellar_auth.core.outcome import Failure, Outcome, encode_outcome
from intastellar_auth.core.seal import to_text
from intastellar_auth.core.session import Session
from intastellar_auth.core.site import Site
from intastellar_auth.core.tokens import Kept, keep
from intastellar_auth.errors import (
    AnswerInvalid,
    AuthError,
    CodeRefused,
    ProviderTimeout,
    ProviderUnreachable,
    SessionTooLarge,
    SignInRefused,
    StoreUnavailable,
    TokenRevoked,
    about,
)
from intastellar_auth.oidc.authorization import AuthorizationCode, read_authorization_response
from intastellar_auth.oidc.client_auth import naming_credential
from intastellar_auth.oidc.discovery import Metadata
from intastellar_auth.oidc.id_token import IdToken, read_id_token
from intastellar_auth.oidc.jose import ALGORITHMS
from intastellar_auth.oidc.jwks import KeySet
from intastellar_auth.oidc.token import Tokens, build_token_request, read_token_answer
from intastellar_auth.oidc.userinfo import (
    build_userinfo_request,
    merge_claims,
    read_userinfo_answer,
)
from intastellar_auth.user import pack_claims

# Bytes. Wherever they are kept, each process remembers those of thousands of sessions.
_MOST_CLAIMS = 65_536
# OpenID Connect Core section 3.1.2.6: what prompt=none is answered with where a visitor is needed.
_NEEDS_VISITOR = frozenset(
    {
        "login_required",
        "interaction_required",
        "consent_required",
        "account_selection_required",
    }
)


def exchange_of(site: Site, attempt: Attempt) -> Once:
    """Return the exchange of this attempt's code as work for ``once``; its times are in seconds."""
    settings = site.settings
    # The token request, and one more for keys or userinfo. Where a third takes as long, whoever
    # waits is sent to sign in once more: a code that may be spent is not asked for again.
    lease = 2.0 * settings.http_timeout + 5.0
    # A claim outlives every login cookie that could ask for the exchange again.
    closes = attempt.started + settings.login_timeout
    return Once(
        name=attempt.id,
        secret=attempt.receipt,
        lease=lease,
        window=settings.replay_window,
        lasts=max(closes - site.clock(), 0.0) + lease + settings.replay_window,
        until=closes + lease,
        clock=site.clock,
        token_bytes=site.token_bytes,
    )


def exchange(
    site: Site, metadata: Metadata, attempt: Attempt, parameters: Mapping[str, str]
) -> Flow[Work]:
    """Return what came of the authorization response in ``parameters``; never raises an error."""
    try:
        code = read_authorization_response(
            parameters,
            issuer=site.settings.issuer,
            iss_required=metadata.iss_parameter_supported,
        )
    except AuthError as error:
        return Work(encode_outcome(_failed(site, error, restart=_needs_visitor(attempt, error))))
    try:
        tokens = yield from _tokens(site, metadata, attempt, code)
    except ProviderUnreachable as error:
        # Nothing was sent: the code is as good as before, and the same callback may come again.
        return Work(encode_outcome(_failed(site, error)), happened=False)
    except AuthError as error:
        # A code that was refused, or that may have been used, is never sent again (row P9).
        lost = isinstance(error, CodeRefused | ProviderTimeout)
        return Work(encode_outcome(_failed(site, error, restart=lost)))
    try:
        claims = yield from _claims(site, metadata, attempt, tokens)
        session = _session(site, attempt, claims, tokens)
        yield from site.sessions.begin(session, site.clock())
    except StoreUnavailable as error:
        # The code is spent: another one signs the visitor in as soon as the store is back.
        return Work(encode_outcome(_failed(site, error, restart=True)))
    except AuthError as error:
        # Where processes share no store, another one may have sent the code too: row P9.
        revoked = isinstance(error, TokenRevoked)
        return Work(encode_outcome(_failed(site, error, restart=revoked)))
    yield from _note_sid(site, session)
    _log_sign_in(site, claims)
    return Work(encode_outcome(Outcome(session, tokens.id_token)))


def _tokens(
    site: Site, metadata: Metadata, attempt: Attempt, code: AuthorizationCode
) -> Flow[Tokens]:
    """RFC 6749 section 4.1.3."""
    settings, client = site.settings, site.client(metadata)
    answer = yield from fetch(
        build_token_request(
            metadata,
            client,
            code=code,
            redirect_uri=settings.redirect_uri,
            code_verifier=attempt.code_verifier,
            now=site.clock(),
            jti=to_text(site.token_bytes(16)),
            resource=settings.resource,
        )
    )
    with about(metadata.token_endpoint), naming_credential(client):
        return read_token_answer(
            answer, requested_scope=settings.scope, id_token_expected=settings.openid
        )


def _claims(
    site: Site, metadata: Metadata, attempt: Attempt, tokens: Tokens
) -> Flow[Mapping[str, object]]:
    """Who it is: the ID token's claims, with userinfo's where some that are wanted are missing."""
    wanted, endpoint = site.settings.claims, metadata.userinfo_endpoint
    if tokens.id_token is None or not site.settings.openid:
        if endpoint is None:
            raise AnswerInvalid(
                "without openid the identity comes from userinfo: "
                "set INTASTELLAR_USERINFO_ENDPOINT",
                permanent=True,
            )
        answer = yield from fetch(build_userinfo_request(endpoint, tokens.access_token))
        with about(endpoint):
            return read_userinfo_answer(answer, sub=None)
    id_token = yield from _id_token(site, metadata, attempt, tokens, tokens.id_token)
    if endpoint is None or all(name in id_token.claims for name in wanted):
        return id_token.claims
    answer = yield from fetch(build_userinfo_request(endpoint, tokens.access_token))
    with about(endpoint):
        return merge_claims(id_token.claims, read_userinfo_answer(answer, sub=id_token.sub))


def _id_token(
    site: Site, metadata: Metadata, attempt: Attempt, tokens: Tokens, text: str
) -> Flow[IdToken]:
    """OpenID Connect Core section 3.1.3.7."""
    settings = site.settings
    max_age = settings.authorization_params.get("max_age")

    def read(keys: KeySet) -> IdToken:
        return read_id_token(
            text,
            keys,
            issuer=settings.issuer_or_origin,
            client_id=settings.client_id,
            nonce=attempt.nonce,
            access_token=tokens.access_token,
            allowed_algs=_allowed_algs(metadata),
            now=site.clock(),
            leeway=settings.clock_skew,
            max_age=None if max_age is None else float(max_age),
            acr_values=site.essential_acr,
        )

    return (yield from site.provider.with_keys(read))


def _allowed_algs(metadata: Metadata) -> tuple[str, ...]:
    """What the provider says it signs with, all that we know where it says nothing."""
    return metadata.id_token_signing_algs or tuple(ALGORITHMS)


def _session(site: Site, attempt: Attempt, claims: Mapping[str, object], tokens: Tokens) -> Session:
    """A session of its own, with a new id: nothing of an earlier one lives on (CS-01)."""
    now = site.clock()
    sid, auth_time = claims.get("sid"), claims.get("auth_time")
    kept = kept_claims(site.settings.claims, claims)
    session = Session(
        id=to_text(site.token_bytes(16)),
        sub=str(claims["sub"]),
        iss=site.settings.issuer_or_origin,
        created=now,
        rolled=now,
        scopes=tokens.scope,
        claims=pack_claims(kept),
        sid=sid if isinstance(sid, str) else None,
        auth_time=float(auth_time) if isinstance(auth_time, int | float) else None,
        began=_began(attempt, claims, now),
        tokens=keep(tokens, now) if site.settings.keep_tokens else None,
    )
    if len(session.claims) > _MOST_CLAIMS:
        detail = f"{len(session.claims)} bytes of claims, at most {_MOST_CLAIMS} are kept"
        raise SessionTooLarge(f"{detail}: {_sizes(kept, None)}; shorten INTASTELLAR_CLAIMS")
    mend = "set INTASTELLAR_SESSION_MODE=server, or shorten INTASTELLAR_CLAIMS"
    try:
        weight = cookies.weight(site.sessions.set_cookies(session, b"", now))
    except SessionTooLarge as error:
        raise SessionTooLarge(f"{error.detail}: {_sizes(kept, session.tokens)}; {mend}") from None
    if weight > cookies.COMMON_LIMIT:
        # A server that does not take them refuses every page, the logout too.
        sizes = _sizes(kept, session.tokens)
        log.event(logging.WARNING, "session_large", {"bytes": weight, "detail": f"{sizes}; {mend}"})
    return session


def _began(attempt: Attempt, claims: Mapping[str, object], now: float) -> float:
    """Return the earliest that the provider can have let the user in, by the provider's clock.

    That was after we asked it to, and after ``auth_time``, which is older where the provider's own
    session was used, zero with some providers, and often missing. ``iat`` tells what the provider's
    clock says at this moment.
    """
    issued, auth_time = _seconds(claims, "iat", now), _seconds(claims, "auth_time", 0.0)
    return max(issued - (now - attempt.started), min(auth_time, issued))


def _seconds(claims: Mapping[str, object], name: str, default: float) -> float:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) else default


def _note_sid(site: Site, session: Session) -> Flow[None]:
    """The code is spent: a store that fails now costs the front-channel logout, not the sign-in."""
    try:
        yield from note_sid(session, site.sessions.lifetime)
    except StoreUnavailable as error:
        log.event(logging.WARNING, "sid_not_noted", {"detail": error.detail})


def _sizes(claims: Mapping[str, object], tokens: Kept | None) -> str:
    sizes = {f"claim {name}": len(msgspec.msgpack.encode(value)) for name, value in claims.items()}
    if tokens is not None:
        sizes["access token"] = len(tokens.access_token)
        sizes["refresh token"] = len(tokens.refresh_token or "")
    largest = sorted(sizes.items(), key=lambda item: item[1], reverse=True)[:5]
    return "largest parts: " + ", ".join(f"{name} {size} bytes" for name, size in largest)


def _needs_visitor(attempt: Attempt, error: AuthError) -> bool:
    return (
        attempt.silent
        and isinstance(error, SignInRefused)
        and error.provider_error in _NEEDS_VISITOR
    )


def _failed(site: Site, error: AuthError, *, restart: bool = False) -> Outcome:
    reference = log.new_reference(site.token_bytes)
    cancelled = isinstance(error, SignInRefused) and error.provider_error == "access_denied"
    log.refusal(error, reference)
    return Outcome(
        failure=Failure(
            code=error.code,
            status=error.status,
            sentence=error.sentence,
            reference=reference,
            restart=restart,
            cancelled=cancelled,
            permanent=error.permanent,
        )
    )


def _log_sign_in(site: Site, claims: Mapping[str, object]) -> None:
    fields = {"claims": dict(claims)} if site.settings.log_claims else {}
    log.event(logging.INFO, "signed_in", fields)
