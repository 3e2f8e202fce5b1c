"""What a logout token must say to be believed (Back-Channel Logout section 2.6)."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from intastellar_auth.errors import TokenInvalid
from intastellar_auth.oidc.id_token import KeyUnknown, read_id_token
from intastellar_auth.oidc.jose import ALGORITHMS, encode_base64url
from intastellar_auth.oidc.json_object import Json
from intastellar_auth.oidc.jwks import KeySet
from intastellar_auth.oidc.logout_token import EVENT, MAX_AGE, LogoutToken, read_logout_token

from .forge import ACCESS_TOKEN, CLIENT_ID, ISSUER, NONCE, NOW, claims, jwk, key_set, sign, token
from .forge_logout import SID, logout_claims, logout_token
from .test_json_object import JSON_VALUES

LEEWAY = 60.0
KEYS = key_set(jwk(), jwk("ES256"), jwk("EdDSA"))


def read(
    raw: str, keys: KeySet = KEYS, allowed_algs: tuple[str, ...] = tuple(ALGORITHMS)
) -> LogoutToken:
    """Return ``raw`` if it is believed."""
    return read_logout_token(
        raw,
        keys,
        issuer=ISSUER,
        client_id=CLIENT_ID,
        allowed_algs=allowed_algs,
        now=NOW,
        leeway=LEEWAY,
    )


def refused(raw: str) -> str:
    """Return why ``raw`` is refused; a missing key would be another answer."""
    with pytest.raises(TokenInvalid) as caught:
        read(raw)
    assert not isinstance(caught.value, KeyUnknown)
    return caught.value.detail


def refusal(**changes: Json) -> str:
    """Return why a well-signed token is refused whose claims have ``changes``."""
    return refused(logout_token(**changes))


def with_null(name: str) -> str:
    """Return a well-signed token in which ``name`` is null."""
    return token(json.dumps({**logout_claims(), name: None}).encode())


def test_a_good_token_is_believed() -> None:
    """CF-K01, BL-01."""
    found = read(logout_token(jti="a-jti", iat=NOW - 1))
    assert found == LogoutToken(jti="a-jti", issued=NOW - 1, sub="alice", sid=SID)


def test_a_token_names_a_session_or_a_user_or_both() -> None:
    """BL-02, BL-03: null counts as absent."""
    assert read(logout_token(sid=None)).sub == "alice"
    assert read(logout_token(sid=None)).sid is None
    assert read(logout_token(sub=None)).sid == SID
    assert read(logout_token(sub=None)).sub is None
    assert read(with_null("sid")).sid is None
    assert read(with_null("sub")).sub is None
    assert "(sid, sub)" in refusal(sid=None, sub=None)


def test_whom_it_names_does_not_show() -> None:
    """TM-05, JW-21."""
    shown = repr(read(logout_token(jti="a-jti")))
    assert not [secret for secret in ("alice", SID, "a-jti") if secret in shown]


@pytest.mark.parametrize("iss", [None, "", f"{ISSUER}/", ISSUER.upper(), [ISSUER], 1, {}])
def test_iss_is_the_issuer_to_the_character(iss: Json) -> None:
    """CF-K08, BL-06."""
    assert "(iss)" in refusal(iss=iss)


@pytest.mark.parametrize("aud", [[CLIENT_ID], [CLIENT_ID, "other"], ["other", CLIENT_ID]])
def test_a_token_may_be_for_others_too(aud: Json) -> None:
    """BL-06: unlike an ID token, it gives nobody anything."""
    assert read(logout_token(aud=aud)).sub == "alice"


@pytest.mark.parametrize(
    "aud",
    [None, "", "other", f"{CLIENT_ID} other", CLIENT_ID[:-1], [], ["other"], [[CLIENT_ID]], {}, 1],
)
def test_a_token_for_others_alone_is_refused(aud: Json) -> None:
    """CF-K06, BL-06."""
    assert "(aud)" in refusal(aud=aud)


def test_a_token_is_fresh_and_ends() -> None:
    """BL-06, BL-13."""
    assert read(logout_token(iat=NOW - MAX_AGE - LEEWAY)).sub == "alice"
    assert "too old" in refusal(iat=NOW - MAX_AGE - LEEWAY - 1)
    assert read(logout_token(iat=NOW + LEEWAY)).sub == "alice"
    assert "from the future" in refusal(iat=NOW + LEEWAY + 1)
    assert "expired" in refusal(exp=NOW - LEEWAY)
    assert "more than a year" in refusal(exp=NOW + 400 * 86_400)
    assert "not valid yet" in refusal(nbf=NOW + LEEWAY + 1)


@pytest.mark.parametrize("name", ["iat", "exp"])
@pytest.mark.parametrize("value", [None, "soon", True, [NOW], {}, str(NOW)])
def test_a_token_says_when_it_was_issued_and_when_it_ends(name: str, value: Json) -> None:
    """BL-06."""
    assert name in refusal(**{name: value})


@pytest.mark.parametrize("jti", [None, "", 1, True, ["jti"], {}, "j" * 513])
def test_a_token_has_a_name_of_its_own(jti: Json) -> None:
    """BL-06, AD-17: a bounded one, since it is remembered."""
    assert "jti" in refusal(jti=jti)
    assert read(logout_token(jti="j" * 512)).jti == "j" * 512


@pytest.mark.parametrize("sid", ["", 1, True, [SID], {}, "s" * 513])
def test_a_sid_is_a_text(sid: Json) -> None:
    assert "sid" in refusal(sid=sid)


@pytest.mark.parametrize("sub", ["", 1, True, ["alice"], "a\n", "é", "a" * 256])
def test_a_sub_is_one_that_an_id_token_could_have(sub: Json) -> None:
    assert "sub" in refusal(sub=sub)


@pytest.mark.parametrize(
    "events",
    [
        None,
        "",
        EVENT,
        [EVENT],
        {},
        {EVENT: None},
        {EVENT: True},
        {EVENT: "x"},
        {EVENT: []},
        {"http://schemas.openid.net/event/another": {}},
        {EVENT + "/": {}},
    ],
)
def test_a_token_is_about_a_logout(events: Json) -> None:
    """CF-K03, CF-K07, BL-07."""
    assert "(events)" in refusal(events=events)


@pytest.mark.parametrize("events", [{EVENT: {"reason": 1}}, {"http://x.example": 1, EVENT: {}}])
def test_more_than_that_in_events_is_ignored(events: Json) -> None:
    """BL-07."""
    assert read(logout_token(events=events)).sub == "alice"


@pytest.mark.parametrize("nonce", ["", NONCE, 0, False, [], {}])
def test_a_token_with_a_nonce_is_refused(nonce: Json) -> None:
    """CF-K04, BL-08."""
    assert "nonce" in refusal(nonce=nonce)


def test_a_nonce_of_null_is_a_nonce() -> None:
    """BL-08."""
    assert "nonce" in refused(with_null("nonce"))


def test_an_id_token_is_no_logout_token_and_the_reverse() -> None:
    """BL-10."""
    both = {**logout_claims(), **claims()}
    assert "(events)" in refused(token(claims()))
    assert "nonce" in refused(token(both))
    for raw in (token(both), logout_token()):
        with pytest.raises(TokenInvalid):
            read_id_token(
                raw,
                KEYS,
                issuer=ISSUER,
                client_id=CLIENT_ID,
                nonce=NONCE,
                access_token=ACCESS_TOKEN,
                allowed_algs=tuple(ALGORITHMS),
                now=NOW,
                leeway=LEEWAY,
                max_age=None,
            )


@pytest.mark.parametrize("typ", ["logout+jwt", "JWT", "jwt", "LOGOUT+JWT"])
def test_typ_says_a_logout_or_nothing_in_particular(typ: str) -> None:
    """BL-11."""
    raw = token(logout_claims(), {"alg": "RS256", "kid": "main", "typ": typ})
    assert read(raw).sub == "alice"
    assert read(token(logout_claims())).sub == "alice"


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "secevent+jwt", "", None, ["jwt"], 1])
def test_typ_says_no_other_kind_of_token(typ: Json) -> None:
    """BL-11, RFC 8725 section 3.11."""
    assert "typ" in refused(token(logout_claims(), {"alg": "RS256", "kid": "main", "typ": typ}))


@pytest.mark.parametrize("alg", ["none", "HS256", "RS1", ""])
def test_no_other_algorithm_is_taken(alg: str) -> None:
    """CF-K02, BL-09."""
    assert "alg" in refused(token(logout_claims(), {"alg": alg, "kid": "main"}))


def test_the_algorithm_is_one_that_the_provider_announces() -> None:
    """CF-K05: correctly signed, by a key it publishes."""
    raw = token(logout_claims(), alg="ES256")
    assert read(raw).sub == "alice"
    with pytest.raises(TokenInvalid, match="alg"):
        read(raw, allowed_algs=("RS256",))


def test_a_key_that_is_not_known_is_told_from_all_else() -> None:
    """BL-09: only then are the keys worth asking for again."""
    with pytest.raises(KeyUnknown):
        read(token(logout_claims(), {"alg": "RS256", "kid": "another"}))
    assert "signature" in refused(token(logout_claims(), {"alg": "RS256", "kid": "main"}, name="x"))


GOOD = token(logout_claims(), alg="EdDSA")


@given(st.integers(0, 2000), st.integers(0, 2), st.text("A-_.=e0\n\0é", max_size=3))
def test_no_change_to_a_token_leaves_it_valid(at: int, drop: int, put: str) -> None:
    at %= len(GOOD) + 1
    changed = GOOD[:at] + put + GOOD[at + drop :]
    assume(changed != GOOD)
    with pytest.raises(TokenInvalid):
        read(changed)


@given(st.text() | st.text("eyJhbGciOiJSUzI1NiJ9."))
def test_any_text_is_refused(raw: str) -> None:
    with pytest.raises(TokenInvalid):
        read(raw)


@given(st.binary(max_size=200))
def test_any_signed_bytes_are_refused(payload: bytes) -> None:
    header = encode_base64url(b'{"alg":"EdDSA","kid":"main"}')
    head = f"{header}.{encode_base64url(payload)}"
    with pytest.raises(TokenInvalid):
        read(f"{head}.{encode_base64url(sign(head.encode(), 'EdDSA'))}")


@given(
    st.dictionaries(
        st.sampled_from([*logout_claims(), "nonce", "nbf"]),
        JSON_VALUES | st.just({EVENT: {}}),
        min_size=1,
    )
)
@example({"events": {EVENT: {}}})
@example({"nonce": None})
def test_any_signed_claims_are_believed_or_an_error_of_ours(changes: dict[str, Json]) -> None:
    payload = json.dumps({**logout_claims(), **changes}).encode()
    try:
        found = read(token(payload, alg="EdDSA"))
    except TokenInvalid:
        return
    assert "nonce" not in changes
    assert found.sub or found.sid
    assert 0 < len(found.jti) <= 512
    assert NOW - MAX_AGE - LEEWAY <= found.issued <= NOW + LEEWAY


def test_no_refusal_quotes_the_token() -> None:
    """JW-20, JW-21."""
    secret = "s3cr3t"
    for name in ("iss", "aud", "exp", "iat", "events", "nonce"):
        assert secret not in refusal(**{name: secret + "\n"})
    for name in ("jti", "sid"):
        assert secret not in refusal(**{name: secret * 100})
