"""Metadata and key sets that must not be used, or that must not get in the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .cases import (
    Case,
    Verdict,
    answer,
    body,
    both,
    id_token,
    jwks,
    metadata,
    padded,
    redirect,
    status,
)
from .jose import Json, b64, hs256, main_key, rsa_key
from .server import Answer

if TYPE_CHECKING:
    from .provider import Misbehaviour, Provider

ACCEPT, REJECT, SAFE, NO_START = (
    Verdict.ACCEPT,
    Verdict.REJECT,
    Verdict.SAFE,
    Verdict.NO_START,
)


def _issuer(change: str) -> Misbehaviour:
    def switch_on(provider: Provider) -> None:
        metadata(issuer=change.format(provider.issuer))(provider)

    return switch_on


def _private(given: list[Json]) -> list[Json]:
    """DJ-14: the set gives a private member away."""
    return [*given[:-1], {**given[-1], "d": b64(b"\x01" * 256)}]


def _many(given: list[Json]) -> list[Json]:
    return [{**given[-1], "kid": f"k{number}"} for number in range(10_000)] + given


def _marked(given: Answer) -> Answer:
    return Answer(200, b"\xef\xbb\xbf" + given.body, given.headers)


def _points_inside(provider: Provider) -> None:
    """DJ-21, DJ-04: members that name addresses, none of which may be asked."""
    metadata(
        signed_metadata="e30.e30.e30",
        mtls_endpoint_aliases={"token_endpoint": provider.url("evil")},
        registration_endpoint=provider.url("evil"),
        check_session_iframe=provider.url("evil"),
        op_policy_uri=provider.url("evil"),
    )(provider)


ADDRESSES = (
    ("plain_http", "http://evil.example/x"),
    ("file", "file:///etc/passwd"),
    ("gopher", "gopher://127.0.0.1/x"),
    ("data", "data:application/json,{}"),
    ("javascript", "javascript:alert(1)"),
    ("relative", "/token"),
    ("no_scheme", "//evil.example/token"),
    ("no_host", "https:///token"),
    ("line_break", "https://evil.example/\r\nX: y"),
    ("fragment", "https://evil.example/#x"),
    ("user_part", "https://user:pass@evil.example/"),
    ("a_number", 7),
    ("a_list", ["https://evil.example/"]),
    ("empty", ""),
)

REQUIRED = ("authorization_endpoint", "token_endpoint", "jwks_uri")

NOT_METADATA = (
    ("html", body("discovery", b"<html>Welcome</html>", "text/html")),
    ("a_list", body("discovery", b"[]")),
    ("null", body("discovery", b"null")),
    ("empty", body("discovery", b"")),
    ("empty_object", body("discovery", b"{}")),
    ("of_10_mb", padded("discovery")),
    ("nested_deep", body("discovery", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")),
    ("a_redirect", redirect("discovery")),
    ("status_404", status("discovery", 404)),
    ("status_500", status("discovery", 500)),
)

CASES = (
    *(Case("DJ-17 DJ-05", f"discovery_{name}", NO_START, bad) for name, bad in NOT_METADATA),
    Case(
        "DJ-01 CF-C03 CF-P03",
        "metadata_issuer_is_another",
        NO_START,
        metadata(issuer="https://evil.example"),
    ),
    Case("DJ-01", "metadata_issuer_with_slash", NO_START, _issuer("{}/")),
    Case("DJ-01", "metadata_issuer_missing", NO_START, metadata(issuer=None)),
    Case("DJ-01", "metadata_issuer_in_a_list", NO_START, lambda p: metadata(issuer=[p.issuer])(p)),
    *(
        Case("DJ-04 RQ-10", f"{member}_{name}", NO_START, metadata(**{member: address}))
        for member in REQUIRED
        for name, address in ADDRESSES
    ),
    *(
        Case("DJ-04", f"{member}_missing", NO_START, metadata(**{member: None}))
        for member in REQUIRED
    ),
    Case("DJ-04", "userinfo_endpoint_file", SAFE, metadata(userinfo_endpoint="file:///etc/passwd")),
    Case(
        "LO-05",
        "end_session_endpoint_script",
        SAFE,
        metadata(end_session_endpoint="javascript:alert(1)"),
    ),
    Case("DJ-21", "metadata_with_more_addresses", ACCEPT, _points_inside),
    Case("RQ-04", "metadata_without_pkce", ACCEPT, metadata(code_challenge_methods_supported=None)),
    Case(
        "RQ-04 RQ-05",
        "metadata_with_plain_pkce_alone",
        SAFE,
        metadata(code_challenge_methods_supported=["plain"]),
    ),
    Case(
        "DJ-04",
        "metadata_members_of_wrong_types",
        SAFE,
        metadata(
            scopes_supported=7,
            token_endpoint_auth_methods_supported="client_secret_basic",
            claims_supported={"a": 1},
        ),
    ),
    Case("DJ-17", "discovery_with_byte_order_mark", SAFE, answer("discovery", _marked)),
    Case(
        "DJ-16",
        "jwks_never_cached",
        ACCEPT,
        answer(
            "jwks",
            lambda a: Answer(
                200,
                a.body,
                (("Cache-Control", "max-age=0"), ("Content-Type", "application/jwk-set+json")),
            ),
        ),
    ),
    Case(
        "DJ-16",
        "jwks_cached_ten_years",
        ACCEPT,
        answer("jwks", lambda a: Answer(200, a.body, (("Cache-Control", "max-age=315360000"),))),
    ),
    Case("DJ-14", "jwks_with_private_member", SAFE, jwks(_private)),
    Case("DJ-14", "jwks_of_10000_keys", SAFE, jwks(_many)),
    Case("DJ-14", "jwks_empty", REJECT, jwks(lambda _: [])),
    Case("DJ-14", "jwks_without_our_key", REJECT, jwks(lambda keys: keys[:-1])),
    Case(
        "DJ-14", "jwks_key_replaced", REJECT, jwks(lambda _: [rsa_key("attacker").jwk(kid="main")])
    ),
    Case(
        "DJ-14",
        "jwks_members_not_objects",
        ACCEPT,
        answer(
            "jwks",
            lambda a: Answer(
                200,
                a.body.replace(
                    b'{"keys": [', b'{"keys": [null, 7, "x", [], {}, {"kty": null, "kid": []}, '
                ),
            ),
        ),
    ),
    Case(
        "DJ-14",
        "jwks_keys_an_object",
        REJECT,
        body("jwks", json.dumps({"keys": main_key().jwk()}).encode()),
    ),
    Case("DJ-14", "jwks_a_list", REJECT, body("jwks", json.dumps([main_key().jwk()]).encode())),
    Case("DJ-14", "jwks_null", REJECT, body("jwks", b"null")),
    Case(
        "DJ-17",
        "jwks_of_10_mb",
        REJECT,
        padded("jwks"),
    ),
    Case("DJ-05", "jwks_redirect", REJECT, redirect("jwks")),
    Case(
        "DJ-14",
        "jwks_with_oct_key_alone",
        REJECT,
        both(
            jwks(lambda _: [{"kty": "oct", "k": b64(b"k" * 32), "kid": "main"}]),
            id_token(lambda claims: hs256(claims, b"k" * 32)),
        ),
    ),
)
