"""ID tokens that are signed as they should be and say what they should not."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING

from .cases import Case, Verdict, claim, claims, id_token, no_claim, well_behaved
from .jose import Json, b64, jws, main_key
from .provider import CLIENT_ID, Misbehaviour, Provider

if TYPE_CHECKING:
    from collections.abc import Callable

ACCEPT, REJECT, SAFE = Verdict.ACCEPT, Verdict.REJECT, Verdict.SAFE


def when(
    name: str, offset: float, form: Callable[[float], object] = lambda moment: moment
) -> Misbehaviour:
    """Set one claim to ``offset`` seconds from when the token is made, not from now."""
    return claims(lambda given: {**given, name: form(int(time.time()) + offset)})


def _issuer(change: str) -> Misbehaviour:
    return claims(lambda given: {**given, "iss": change.format(given["iss"])})


def _sub(value: str) -> Misbehaviour:
    def switch_on(provider: Provider) -> None:
        provider.sub = value

    return switch_on


def _nonce(change: str) -> Misbehaviour:
    changes: dict[str, Callable[[str], object]] = {
        "prefix": lambda nonce: nonce[:-1],
        "longer": lambda nonce: nonce + "A",
        "other case": str.swapcase,
        "in a list": lambda nonce: [nonce],
        "empty": lambda _: "",
    }
    return claims(lambda given: {**given, "nonce": changes[change](str(given["nonce"]))})


def _at_hash(digest: str, cut: int) -> Misbehaviour:
    def switch_on(provider: Provider) -> None:
        given_claims: list[Json] = []
        provider.script.id_token = given_claims.append

        def finish(token: Json) -> Json:
            left = hashlib.new(digest, str(token["access_token"]).encode()).digest()[:cut]
            return {
                **token,
                "id_token": jws({**given_claims[-1], "at_hash": b64(left)}, main_key()),
            }

        provider.script.token = finish

    return switch_on


def _raw(prefix: str) -> Misbehaviour:
    """Put members in front of the claims, so that names come twice."""
    return id_token(lambda given: jws(f"{{{prefix}, {json.dumps(given)[1:]}".encode(), main_key()))


def _payload(content: bytes) -> Misbehaviour:
    return id_token(lambda _: jws(content, main_key()))


def _typ(typ: str) -> Misbehaviour:
    header: Json = {"alg": "RS256", "kid": "main", "typ": typ}
    return id_token(lambda given: jws(given, main_key(), header))


LOGOUT_EVENT: Json = {"http://schemas.openid.net/event/backchannel-logout": {}}
MAX_AGE = {"AUTHORIZATION_PARAMS": '{"max_age": "60"}'}

CASES = (
    Case("CF-B01 CF-B08 ID-02 CF-S10 CF-S11", "well_behaved", ACCEPT, well_behaved),
    Case("ID-01 CF-B02", "iss_is_another", REJECT, claim("iss", "https://evil.example")),
    Case("ID-01", "iss_with_trailing_slash", REJECT, _issuer("{}/")),
    Case("ID-01", "iss_longer", REJECT, _issuer("{}0")),
    Case("ID-01", "iss_as_substring", REJECT, _issuer("https://evil.example/?{}")),
    Case("ID-01", "iss_prefix", REJECT, claims(lambda c: {**c, "iss": str(c["iss"])[:-1]})),
    Case("ID-01", "iss_upper_case", REJECT, claims(lambda c: {**c, "iss": str(c["iss"]).upper()})),
    Case("ID-01", "iss_https", REJECT, claims(lambda c: {**c, "iss": f"https{str(c['iss'])[4:]}"})),
    Case("ID-01", "iss_in_a_list", REJECT, claims(lambda c: {**c, "iss": [c["iss"]]})),
    Case("ID-01", "iss_a_number", REJECT, claim("iss", 1)),
    Case("ID-01", "iss_null", REJECT, claim("iss", None)),
    Case("CF-P04", "iss_missing", REJECT, no_claim("iss")),
    Case("ID-03 CF-P07", "aud_in_a_list", ACCEPT, claim("aud", [CLIENT_ID])),
    Case("ID-04 CF-P06", "aud_second_without_azp", REJECT, claim("aud", [CLIENT_ID, "other"])),
    Case(
        "ID-04",
        "aud_second_with_azp",
        REJECT,  # the extra audience is trusted by nobody: there is no setting for it
        claims(lambda c: {**c, "aud": [CLIENT_ID, "other"], "azp": CLIENT_ID}),
    ),
    Case(
        "ID-04",
        "aud_second_with_azp_of_other",
        REJECT,
        claims(lambda c: {**c, "aud": [CLIENT_ID, "other"], "azp": "other"}),
    ),
    Case("ID-05 CF-B04 CF-P05", "aud_is_another", REJECT, claim("aud", "other")),
    Case("ID-05 CF-D08 CF-P05", "aud_missing", REJECT, no_claim("aud")),
    Case("ID-05", "aud_empty_list", REJECT, claim("aud", [])),
    Case("ID-05", "aud_nested_list", REJECT, claim("aud", [[CLIENT_ID]])),
    Case("ID-05", "aud_longer", REJECT, claim("aud", f"{CLIENT_ID}-two")),
    Case("ID-05", "aud_prefix", REJECT, claim("aud", CLIENT_ID[:-1])),
    Case("ID-05", "aud_empty", REJECT, claim("aud", "")),
    Case("ID-05", "aud_an_object", REJECT, claim("aud", {CLIENT_ID: 1})),
    Case("ID-06", "azp_is_another", REJECT, claim("azp", "other")),
    Case("ID-06", "azp_is_ours", ACCEPT, claim("azp", CLIENT_ID)),
    Case("ID-07 CF-P10", "exp_missing", REJECT, no_claim("exp")),
    Case("ID-07", "exp_a_string", REJECT, when("exp", 300, str)),
    Case("ID-07", "exp_a_boolean", REJECT, claim("exp", True)),
    Case("ID-07 CF-P10", "exp_past", REJECT, when("exp", -120)),
    Case("ID-07 CF-P10", "exp_long_past", REJECT, when("exp", -600)),
    Case("ID-07", "exp_within_leeway", ACCEPT, when("exp", -5)),
    Case("ID-07", "exp_negative", REJECT, claim("exp", -1)),
    Case("ID-07", "exp_in_the_year_9999", REJECT, claim("exp", 253_370_764_800)),
    Case("ID-07", "exp_a_fraction", SAFE, when("exp", 300.5)),
    Case("ID-07", "exp_infinite", REJECT, _raw('"exp": 1e400')),
    Case("ID-07", "exp_beyond_any_clock", REJECT, claim("exp", 10**30)),
    Case("ID-08 CF-B05", "iat_missing", REJECT, no_claim("iat")),
    Case("ID-08", "iat_a_string", REJECT, when("iat", 0, str)),
    Case("ID-08", "iat_far_future", REJECT, when("iat", 3600)),
    Case("ID-08", "iat_a_week_old", REJECT, when("iat", -604_800)),
    Case("ID-08", "iat_within_leeway", ACCEPT, when("iat", 30)),
    Case("ID-09", "nbf_in_the_future", REJECT, when("nbf", 3600)),
    Case("ID-09", "nbf_a_string", REJECT, claim("nbf", "soon")),
    Case("ID-09", "nbf_a_boolean", REJECT, claim("nbf", True)),
    Case("ID-09", "nbf_within_leeway", ACCEPT, when("nbf", 30)),
    Case("ID-10 CF-B03", "sub_missing", REJECT, no_claim("sub")),
    Case("ID-10", "sub_empty", REJECT, _sub("")),
    Case("ID-10", "sub_a_number", REJECT, claim("sub", 7)),
    Case("ID-10", "sub_null", REJECT, claim("sub", None)),
    Case("ID-10", "sub_of_255", ACCEPT, _sub("a" * 255)),
    Case("ID-10", "sub_of_256", REJECT, _sub("a" * 256)),
    Case("ID-10", "sub_not_ascii", REJECT, _sub("aliçe")),
    Case("ID-10 HL-01", "sub_with_line_break", REJECT, _sub("alice\r\nSet-Cookie: a=b")),
    Case("ID-11 CF-P11", "nonce_missing", REJECT, no_claim("nonce")),
    Case("ID-11 CF-B12 CF-P11", "nonce_is_another", REJECT, claim("nonce", "n" * 43)),
    Case("ID-11", "nonce_a_prefix", REJECT, _nonce("prefix")),
    Case("ID-11", "nonce_longer", REJECT, _nonce("longer")),
    Case("ID-11", "nonce_in_other_case", REJECT, _nonce("other case")),
    Case("ID-11", "nonce_in_a_list", REJECT, _nonce("in a list")),
    Case("ID-11", "nonce_empty", REJECT, _nonce("empty")),
    Case("ID-13 CF-D06", "at_hash_right", ACCEPT, _at_hash("sha256", 16)),
    Case("ID-13", "at_hash_by_another_hash", REJECT, _at_hash("sha512", 32)),
    Case("ID-13", "at_hash_not_halved", REJECT, _at_hash("sha256", 32)),
    Case("ID-13 CF-D06", "at_hash_wrong", REJECT, claim("at_hash", "A" * 22)),
    Case("ID-13", "at_hash_a_number", REJECT, claim("at_hash", 1)),
    Case("ID-14 CF-D06", "c_hash_wrong", SAFE, claim("c_hash", "A" * 22)),
    Case("ID-14", "s_hash_wrong", SAFE, claim("s_hash", "A" * 22)),
    Case("ID-15", "auth_time_fresh", ACCEPT, when("auth_time", 0), MAX_AGE),
    Case("ID-15", "auth_time_missing", REJECT, no_claim("auth_time"), MAX_AGE),
    Case("ID-15", "auth_time_too_old", REJECT, when("auth_time", -3600), MAX_AGE),
    Case("ID-15", "auth_time_a_string", REJECT, claim("auth_time", "now"), MAX_AGE),
    Case("ID-15", "auth_time_zero_unasked", ACCEPT, claim("auth_time", 0)),
    Case("ID-18", "typ_jwt", ACCEPT, _typ("JWT")),
    Case("ID-18", "typ_at_jwt", REJECT, _typ("at+jwt")),
    Case("ID-18", "typ_logout_jwt", REJECT, _typ("logout+jwt")),
    Case("ID-18", "typ_dpop_jwt", REJECT, _typ("dpop+jwt")),
    Case("ID-18", "typ_client_authentication", REJECT, _typ("client-authentication+jwt")),
    Case("ID-18", "typ_with_application", REJECT, _typ("application/at+jwt")),
    Case("ID-18", "typ_in_upper_case", REJECT, _typ("AT+JWT")),
    Case("ID-19", "events_of_a_logout_token", REJECT, claim("events", LOGOUT_EVENT)),
    Case("ID-20", "two_iss", REJECT, _raw('"iss": "https://evil.example"')),
    Case("ID-20", "two_sub", REJECT, _raw('"sub": "mallory"')),
    Case("ID-21", "payload_a_list", REJECT, _payload(b"[]")),
    Case("ID-21", "payload_a_string", REJECT, _payload(b'"iss"')),
    Case("ID-21", "payload_null", REJECT, _payload(b"null")),
    Case("ID-21", "payload_empty", REJECT, _payload(b"")),
    Case("ID-21", "payload_not_utf_8", REJECT, _payload(b'{"iss": "\xff\xfe"}')),
    Case("ID-21", "lone_surrogate", REJECT, _raw(r'"name": "\ud800"')),
    Case("ID-22", "claim_named_proto", ACCEPT, claim("__proto__", {"is_authenticated": True})),
    Case("ID-22", "claims_of_a_megabyte", REJECT, claim("deep", ["x" * 1000] * 1000)),
    Case("ID-22", "claims_nested_deep", SAFE, _raw('"deep": ' + "[" * 5000 + "]" * 5000)),
)
