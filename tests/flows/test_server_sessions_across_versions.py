"""What two versions agree on about sessions in a store: an update signs nobody out."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable

import pytest

from intastellar_auth.core.effects import Delete, GetMany, Put
from intastellar_auth.core.in_store import InStore, make_signer
from tests.oidc.forge_logout import SID, logout_token

from .refreshing import LIFETIME, MODES, refreshing, visiting
from .stage import SESSION_COOKIE, Stage, make_stage
from .told import tell

SECRET, OLDER = b"kV3xTq8LZr1mYb6NpWc4Hs9JdFg2Ae7U", b"Zr1mYb6NpWc4Hs9JdFg2Ae7UkV3xTq8L"
BOUND = b"\x92\xa2id\xa4site"  # msgpack of ["id", "site"]


def signed(session_id: str, secret: bytes) -> bytes:
    """Return the id as it stands in a cookie: signed with a key that is for nothing else."""
    key = hmac.digest(secret, b"intastellar-auth 1 " + BOUND, "sha256")
    mark = urlsafe_b64encode(hmac.digest(key, session_id.encode(), "sha256")).rstrip(b"=")
    return session_id.encode() + b"." + mark


def test_an_id_is_signed_alike_in_every_version_with_the_newest_key() -> None:
    """CK-12, CK-13."""
    signer = make_signer([SECRET, OLDER], ("id", "site"))
    assert signer.sign("an-id") == signed("an-id", SECRET)
    assert signer.unsign(signed("an-id", OLDER)) == b"an-id"


def stored(stage: Stage) -> tuple[str, str]:
    """Return the keys under which every version looks for the browser's session and tokens."""
    admitted = visiting(stage).admitted
    assert admitted is not None
    hidden = hashlib.sha256(admitted.session.id.encode()).hexdigest()[:40]
    return f"session:{hidden}", f"tokens:{hidden}"


def test_a_session_and_its_tokens_are_where_every_version_looks() -> None:
    """SS-09: under keys that tell nobody an id."""
    stage, _ = refreshing(mode="server")
    stage.sign_in()
    keys = stored(stage)
    written = {one.key for one in stage.hand.done if isinstance(one, Put)}
    assert written.issuperset(keys)
    fresh, before = stage.other_process(), len(stage.hand.done)
    assert visiting(fresh).access_token == "access-0"
    (asked,) = (one.keys for one in stage.hand.done[before:] if isinstance(one, GetMany))
    assert asked[:2] == keys


def test_a_sessions_entry_holds_no_tokens() -> None:
    """P13: a roll by a slow request must not bring an old refresh token back."""
    stage, _ = refreshing(mode="server")
    stage.sign_in()
    keeper = stage.site.sessions.keeper
    assert isinstance(keeper, InStore)
    assert not keeper.carries_tokens
    held = [stage.hand.store.get(key) for key in stored(stage)]
    session, tokens = (keeper.sealer.open(value) for value in held if value is not None)
    assert b"access-0" not in session
    assert b"refresh-0" not in session
    assert b"refresh-0" in tokens


def test_a_logout_removes_the_session_and_its_tokens() -> None:
    stage, _ = refreshing(mode="server")
    stage.sign_in()
    keys = stored(stage)
    stage.go("/auth/logout")
    deleted = {one.key for one in stage.hand.done if isinstance(one, Delete)}
    assert deleted == set(keys)
    assert [stage.hand.store.get(key) for key in keys] == [None, None]


def not_a_type(entry: bytes) -> bytes:  # noqa: ARG001  what is there is replaced
    """Return what msgpack has no type for."""
    return b"\xc1"


def not_utf8(entry: bytes) -> bytes:
    """Return ``entry`` with texts that are not UTF-8."""
    return entry.replace(b"alice", b"alic\xff").replace(b"access-0", b"access-\xff")


@pytest.mark.parametrize("written", [not_a_type, not_utf8])
@pytest.mark.parametrize("at", [0, 1], ids=["session", "tokens"])
def test_an_entry_of_another_version_is_as_good_as_not_there(
    at: int, written: Callable[[bytes], bytes]
) -> None:
    """While a new version is rolled out: a visitor signs in again, and nobody sees an error."""
    stage, _ = refreshing(mode="server")
    stage.sign_in()
    keeper, store, key = stage.site.sessions.keeper, stage.hand.store, stored(stage)[at]
    assert isinstance(keeper, InStore)
    entry = store.get(key)
    assert entry is not None
    store.put(key, keeper.sealer.seal(written(keeper.sealer.open(entry))), 1000)
    admitted = visiting(stage.other_process()).admitted
    if at == 0:
        assert admitted is None
    else:
        assert admitted is not None
        assert admitted.auth.access_token is None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("packed", [b"", b"\xc1", b"\x93\x01\x02\x03", b"\x81\xa4name\xa1\xff"])
def test_claims_that_another_version_packed_otherwise_are_none(mode: str, packed: bytes) -> None:
    """Whoever is signed in stays so, may do no more than before, and nobody sees an error."""
    stage, provider = refreshing(mode=mode)
    stage.sign_in()
    admitted = visiting(stage).admitted
    assert admitted is not None
    theirs = admitted.session._replace(claims=packed)
    stage.hand.play(stage.site.sessions.begin(theirs, stage.hand.clock.now))
    cookies = {SESSION_COOKIE: f"1{stage.site.sessions.keeper.text(theirs)}"}

    fresh = visiting(stage.other_process(), cookies=cookies).admitted
    assert fresh is not None
    assert fresh.user.claims == {"sub": "alice", "iss": fresh.user.iss}
    assert fresh.user.display_name == "alice"

    # A refresh adds to them what the provider says.
    provider.id_token = {"name": "Alice"}
    stage.hand.clock.now += LIFETIME
    renewed = visiting(stage.other_process(), cookies=cookies).admitted
    assert renewed is not None
    assert renewed.user.claims["name"] == "Alice"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "value",
    [
        b"\xc4\x01a",  # bytes
        b"\xd6\xff\0\0\0\0",  # a time
        b"\xd4\x05\0",  # an extension of somebody's own
        b"\x91\xc4\x01a",
        b"\x81\xc4\x01a\x01",  # an object with bytes for a name
    ],
)
def test_claims_that_json_could_not_have_said_are_no_error_for_their_visitor(
    mode: str, value: bytes
) -> None:
    stage, _ = refreshing(mode=mode)
    stage.sign_in()
    admitted = visiting(stage).admitted
    assert admitted is not None
    theirs = admitted.session._replace(claims=b"\x81\xa4name" + value)
    stage.hand.play(stage.site.sessions.begin(theirs, stage.hand.clock.now))
    header = {"cookie": f"{SESSION_COOKIE}=1{stage.site.sessions.keeper.text(theirs)}"}

    reply = stage.other_process().go("/auth/user", headers=header)
    assert (reply.status, json.loads(reply.body)["sub"]) == (200, "alice")


@pytest.mark.parametrize("sid", [SID, None])
def test_a_logout_at_the_provider_is_seen_at_the_next_check(sid: str | None) -> None:
    """BL-01, BL-02: the session's entry is still there, and so is this process's memory of it."""
    stage = make_stage(session_mode="server")
    stage.sign_in(sid=SID)
    assert visiting(stage).admitted is not None
    assert tell(stage, logout_token(sid=sid)).status == 200
    stage.hand.clock.now += stage.settings.revocation_check
    assert visiting(stage).admitted is None


def test_tokens_that_have_ended_are_gone_from_the_store() -> None:
    """RF-07: whoever looks there next does not find the refresh token that was refused."""
    stage, provider = refreshing(mode="server")
    stage.sign_in()
    provider.live = None
    _, tokens = stored(stage)
    assert stage.hand.store.get(tokens) is not None
    stage.hand.clock.now += LIFETIME
    assert visiting(stage).access_token is None
    assert stage.hand.store.get(tokens) is None
