"""Logouts that the provider starts: by a token to our server, or by a frame in the browser.

OpenID Connect Back-Channel Logout 1.0 and Front-Channel Logout 1.0. Both end sessions in the store;
each process sees it within ``REVOCATION_CHECK`` seconds.
"""

from __future__ import annotations

import hashlib
import logging

import msgspec

from intastellar_auth import log
from intastellar_auth.core import replies
from intastellar_auth.core.effects import Flow, get, put
from intastellar_auth.core.ended import end_sid, end_sub, owner, owner_of_sid
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.parameters import form_of
from intastellar_auth.core.site import Site
from intastellar_auth.errors import LogoutRefused, RequestRefused, TokenInvalid
from intastellar_auth.oidc.authorization import single_parameters
from intastellar_auth.oidc.id_token import read_header
from intastellar_auth.oidc.jose import ALGORITHMS
from intastellar_auth.oidc.jwks import KeySet
from intastellar_auth.oidc.logout_token import MAX_AGE, TYPES, LogoutToken, read_logout_token


def backchannel_logout(site: Site, request: Request) -> Flow[Reply]:
    """``POST /auth/backchannel-logout``: from the provider's server, so cookies mean nothing here.

    200 for a token that was acted on, 400 for any other (section 2.8). A store that is down is a
    503: the provider must not believe that anything has ended.
    """
    try:
        token = yield from _believed(site, _posted(request))
    except (RequestRefused, TokenInvalid) as error:
        raise LogoutRefused(error.detail) from None
    jti = _jti(site, token)
    # Step 8 of section 2.6, for all processes.
    if (yield from get(jti)) is not None:
        raise LogoutRefused("the logout token came before (jti)")
    yield from _end(site, token)
    # Only now: a token that met with a store that was down may be sent again. Two at once both get
    # here, and end the same sessions.
    yield from put(jti, b"", MAX_AGE + 2 * site.settings.clock_skew)
    log.event(logging.INFO, "signed_out_by_provider", {"channel": "back"})
    # Not 204: section 2.8 asks for 200, and some providers know no other.
    return replies.data({})


def frontchannel_logout(site: Site, request: Request) -> Flow[Reply]:
    """``GET /auth/frontchannel-logout?iss=…&sid=…``: a frame on the provider's page asks for it.

    Browsers keep our cookies from such a frame, so ``sid`` alone says which session. Whoever knows
    one can end it and no more (FL-03); a made-up one ends nothing.
    """
    given, issuer = single_parameters(request.query), site.settings.issuer
    sid = given.get("sid")
    if issuer is not None and given.get("iss") == issuer and sid is not None:
        yield from _end_known(site, issuer, sid)
    return replies.framed(issuer)


def _posted(request: Request) -> str:
    """Section 2.5: the token is a field of a form. The query could end up in somebody's log."""
    text = single_parameters(form_of(request)).get("logout_token")
    if text is None:
        raise RequestRefused("there is no logout_token")
    return text


def _believed(site: Site, text: str) -> Flow[LogoutToken]:
    # Before the keys are asked for: a flood of garbage costs the provider nothing (BL-17).
    read_header(text, types=TYPES)
    metadata = yield from site.provider.metadata()

    def read(keys: KeySet) -> LogoutToken:
        return read_logout_token(
            text,
            keys,
            issuer=site.settings.issuer_or_origin,
            client_id=site.settings.client_id,
            allowed_algs=metadata.id_token_signing_algs or tuple(ALGORITHMS),
            now=site.clock(),
            leeway=site.settings.clock_skew,
        )

    return (yield from site.provider.with_keys(read))


def _end(site: Site, token: LogoutToken) -> Flow[None]:
    iss = site.settings.issuer_or_origin
    if token.sid is None:
        yield from end_sub(iss, str(token.sub), token.issued, _longest(site))
        return
    whose = yield from owner_of_sid(iss, token.sid)
    if whose is not None and token.sub is not None and whose != owner(token.sub):
        raise LogoutRefused("the logout token's sid is not its sub's")
    yield from end_sid(iss, token.sid, _longest(site))


def _end_known(site: Site, iss: str, sid: str) -> Flow[None]:
    if (yield from owner_of_sid(iss, sid)) is None:
        return
    yield from end_sid(iss, sid, _longest(site))
    log.event(logging.INFO, "signed_out_by_provider", {"channel": "front"})


def _longest(site: Site) -> float:
    """Return how long a cookie may last that a sign-in gives which is under way at this moment."""
    return site.settings.login_timeout + site.sessions.lifetime


def _jti(site: Site, token: LogoutToken) -> str:
    """Several sites may share a store, and another provider's ``jti`` is another one."""
    named = (site.settings.issuer_or_origin, site.settings.client_id, token.jti)
    return "jti:" + hashlib.sha256(msgspec.msgpack.encode(named)).hexdigest()[:40]
