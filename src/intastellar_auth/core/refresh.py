"""Tokens, exchanged for new ones exactly once (RFC 6749 section 6, RFC 9700 section 4.14).

A refresh token that rotates is good for one use, and whoever uses it twice loses all that came of
it. Many requests find at once that it is time. So a refresh is work for ``once.py``, like that of a
callback, and its outcome opens with nothing but the tokens that it replaces. It is kept for as long
as a cookie with those can be alive: an old cookie is never a reason to use an old refresh token, it
leads to the newest one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import msgspec

from intastellar_auth import log
from intastellar_auth.core.claims import kept_claims
from intastellar_auth.core.effects import Flow, fetch
from intastellar_auth.core.ended import has_ended
from intastellar_auth.core.once import No, Once, Work, once, recall
from intastellar_auth.core.revocation import revoke
from intastellar_auth.core.seal import to_text
from intastellar_auth.core.session import Session
from intastellar_auth.core.site import Site
from intastellar_auth.core.tokens import Kept, keep
from intastellar_auth.errors import (
    AuthError,
    ClientRefused,
    ProviderBusy,
    ProviderUnreachable,
    RefreshRefused,
    StoreUnavailable,
)
from intastellar_auth.oidc.discovery import Metadata
from intastellar_auth.oidc.id_token import IdToken
from intastellar_auth.oidc.jose import ALGORITHMS
from intastellar_auth.oidc.jwks import KeySet
from intastellar_auth.oidc.refresh import build_refresh_request, read_refresh_answer
from intastellar_auth.oidc.refreshed_id_token import read_refreshed_id_token
from intastellar_auth.oidc.token import Tokens
from intastellar_auth.user import pack_claims, unpack_claims

# A provider that is in trouble is asked again after this many seconds.
_ASK_AGAIN = 10.0
# A cookie can be several refreshes old, and each leads to the next; one that is older still gets
# further with each request. A provider whose tokens end before they arrive is not asked for ever.
_MOST_STEPS = 8


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The tokens to go on with, ``None`` where they have come to their end."""

    tokens: Kept | None = field(repr=False)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Outcome).decode


def refreshed(site: Site, session: Session) -> Flow[Session]:
    """Return ``session`` with tokens that are not due, as far as they can be had (row P14).

    A provider that cannot be asked costs nothing until the access token ends. Without tokens in
    what is returned there is no way to any.
    """
    for _ in range(_MOST_STEPS):
        tokens = session.tokens
        if tokens is None or not tokens.is_due(site.clock()):
            break
        if site.clock() >= site.sessions.ends_at(session):
            # It has ended while this process stood still, and with it what is known of its tokens.
            return session._replace(tokens=None)
        session = session.with_tokens((yield from _next(site, session, tokens)))
    return session


def newest(site: Site, session: Session) -> Flow[Session]:
    """Return ``session`` with the newest tokens that anyone has had for it; nothing is refreshed.

    What a slow request brought along may be long replaced (row P13). Raises ``StoreUnavailable``.
    """
    for _ in range(_MOST_STEPS):
        tokens = session.tokens
        if tokens is None or tokens.refresh_token is None:
            break
        found = yield from recall(_refresh_of(site, session, tokens))
        if isinstance(found, No):
            break
        session = session.with_tokens(_read(found, tokens))
    return session


def _next(site: Site, session: Session, tokens: Kept) -> Flow[Kept | None]:
    """Return what ``tokens`` were, are now, or will later be exchanged for."""
    what = _refresh_of(site, session, tokens)
    try:
        if site.clock() >= what.until:
            found = yield from recall(what)
        else:
            # What can fail without the token is done before it is claimed: nothing is lost by it.
            metadata = yield from site.provider.metadata()
            if site.settings.openid:
                yield from site.provider.keys()
            found = yield from once(what, lambda: _work(site, metadata, what, session, tokens))
    except AuthError as error:
        _log(error, "later")
        return tokens.later(site.clock() + _ASK_AGAIN)
    if isinstance(found, No):
        log.event(logging.WARNING, "refresh_lost", {"because": found.value})
        in_cookie = site.sessions.keeper.carries_tokens
        return tokens.spent() if in_cookie else (yield from _left(site, session, tokens))
    return _read(found, tokens)


def _left(site: Site, session: Session, tokens: Kept) -> Flow[Kept | None]:
    """Return what the store has where whoever claimed the refresh died over it.

    It may be the new tokens, if it came so far. If not, the old refresh token is taken from there:
    a session in use outlives the claim, and the token must not be used when that ends.
    """
    left = tokens.spent()
    try:
        found = yield from site.sessions.keeper.check(session)
        if found is None or found.tokens is None or not found.tokens.is_due(site.clock()):
            return None if found is None else found.tokens
        yield from site.sessions.keep_tokens(session._replace(tokens=left), site.clock())
    except StoreUnavailable as error:
        _log(error, "not kept")
    return left


def _work(site: Site, metadata: Metadata, what: Once, session: Session, tokens: Kept) -> Flow[Work]:
    """Use the refresh token; never raises an error."""
    try:
        answer = yield from fetch(
            build_refresh_request(
                metadata,
                site.client(metadata),
                refresh_token=str(tokens.refresh_token),
                now=site.clock(),
                jti=to_text(site.token_bytes(16)),
                resource=site.settings.resource,
            )
        )
        fresh = read_refresh_answer(answer, granted_scope=tokens.scope)
    except (ProviderUnreachable, ProviderBusy, ClientRefused) as error:
        _log(error, "later")
        # It surely was not used.
        later = tokens.later(site.clock() + _ASK_AGAIN)
        return Work(_encode(_Outcome(later)), happened=False)
    except RefreshRefused as error:
        # Somebody else may have been first whose claim the store has lost.
        found = yield from _recalled(what)
        if found is not None:
            return Work(found)
        _log(error, "ended")
        kept = None
    except AuthError as error:
        # It may have been used, and is not used again.
        _log(error, "lost")
        kept = tokens.spent()
    else:
        kept = yield from _believed(site, metadata, session, tokens, fresh)
    try:
        yield from site.sessions.keep_tokens(session._replace(tokens=kept), site.clock())
    except StoreUnavailable as error:
        _log(error, "not kept")
    return Work(_encode(_Outcome(kept)))


def _believed(
    site: Site, metadata: Metadata, session: Session, tokens: Kept, fresh: Tokens
) -> Flow[Kept | None]:
    """Return what is kept of ``fresh``; nothing of what may be somebody else's."""
    try:
        claims = yield from _claims(site, metadata, session, fresh)
    except AuthError as error:
        _log(error, "ended")
        return None
    return (yield from _unless_ended(site, session, keep(fresh, site.clock(), tokens, claims)))


def _claims(site: Site, metadata: Metadata, session: Session, fresh: Tokens) -> Flow[bytes | None]:
    """The session's claims by the ID token that came along, if one did (Core section 12.2).

    A role that it no longer lists is gone, and so is a claim that it says is empty (RF-10). One of
    which it says nothing stays: it may be from userinfo.
    """
    id_token, settings = fresh.id_token, site.settings
    if id_token is None or not settings.openid:
        return None

    def read(keys: KeySet) -> IdToken:
        return read_refreshed_id_token(
            id_token,
            keys,
            issuer=settings.issuer_or_origin,
            client_id=settings.client_id,
            access_token=fresh.access_token,
            allowed_algs=metadata.id_token_signing_algs or tuple(ALGORITHMS),
            now=site.clock(),
            leeway=settings.clock_skew,
            sub=session.sub,
            auth_time=session.auth_time,
        )

    told = yield from site.provider.with_keys(read)
    known = unpack_claims(session.claims)
    stays = {name: value for name, value in known.items() if name not in told.claims}
    return pack_claims({**stays, **kept_claims(settings.claims, told.claims)})


def _unless_ended(site: Site, session: Session, kept: Kept) -> Flow[Kept | None]:
    """A logout during the refresh has revoked the old token: the new one goes the same way."""
    try:
        ended = yield from has_ended(session)
    except StoreUnavailable:
        return kept
    if not ended:
        return kept
    yield from revoke(site, kept)
    return None


def _recalled(what: Once) -> Flow[bytes | None]:
    try:
        found = yield from recall(what)
    except StoreUnavailable:
        return None
    return None if isinstance(found, No) else found


def _read(outcome: bytes, tokens: Kept) -> Kept | None:
    """What another version has recorded cannot be read, and the token is used all the same."""
    try:
        return _decode(outcome).tokens
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return tokens.spent()


def _refresh_of(site: Site, session: Session, tokens: Kept) -> Once:
    """How long each thing about the refresh of ``tokens`` lasts, in seconds.

    All three are in its name: some providers give the same token once more, or both.
    """
    these = msgspec.msgpack.encode((tokens.refresh_token, tokens.access_token, tokens.ends_at))
    # The token request, and one more for keys; a slow provider may need all of it.
    lease = 2.0 * site.settings.http_timeout + 5.0
    # No cookie lives longer without a request, and a request brings it the newest tokens.
    idle, last_day = site.sessions.idle, site.sessions.lasts_until(session)
    window = max(min(idle, last_day - site.clock()), site.settings.replay_window)
    return Once(
        name=b"refresh " + these,
        secret=these,
        lease=lease,
        window=window,
        # And a roll that overlapped the refresh may have given the old tokens another such time.
        lasts=window + 2 * lease,
        # The first claim that there can have been is still there. Later nobody knows: a process
        # can stand still, and where store or provider fail a session goes on with old tokens.
        until=min(tokens.due_from + idle, last_day) + lease,
        clock=site.clock,
        token_bytes=site.token_bytes,
    )


def _log(error: AuthError, then: str) -> None:
    level = logging.ERROR if isinstance(error, ClientRefused) else logging.WARNING
    fields = {"code": error.code, "detail": error.detail, "tokens": then}
    log.event(level, "tokens_not_refreshed", fields)
