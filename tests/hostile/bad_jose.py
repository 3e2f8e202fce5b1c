"""Compact JWS as attackers make them: the claims are right, the envelope is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cases import Case, Verdict, id_token
from .jose import Json, b64, compact, jws, main_key, rsa_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from .provider import Misbehaviour, Provider

REJECT = Verdict.REJECT
HEADER: Json = {"alg": "RS256", "kid": "main"}


def header(**members: object) -> Misbehaviour:
    """Sign rightly under a header with these members too."""
    return id_token(lambda given: jws(given, main_key(), {**HEADER, **members}))


def _raw_header(content: bytes) -> Misbehaviour:
    return id_token(lambda given: jws(given, main_key(), content))


def _unsigned(alg: object) -> Misbehaviour:
    return id_token(lambda given: compact({"alg": alg, "kid": "main"}, given, b""))


def _text(change: Callable[[str], str]) -> Misbehaviour:
    """Change the finished token's text."""
    return id_token(lambda given: change(jws(given, main_key())))


def _signature(signature: bytes) -> Misbehaviour:
    return id_token(lambda given: compact(HEADER, given, signature))


def _points_home(member: str) -> Misbehaviour:
    def switch_on(provider: Provider) -> None:
        forged = rsa_key("attacker")
        head = {**HEADER, "kid": "attacker", member: provider.url("evil")}
        provider.script.id_token = lambda given: jws(given, forged, head)

    return switch_on


def _spare_bits(token: str) -> str:
    """Set the unused bits of the last character: other text, the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) | 1]


EMBEDDED = rsa_key("attacker").jwk(kid="main")
BOMB = b'{"alg":"dir","enc":"A128GCM","zip":"DEF"}'
COSTLY = b'{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AA"}'

CASES = (
    *(
        Case("JW-01 CF-B09 CF-C04 CF-P08", f"alg_{alg!r}", REJECT, _unsigned(alg))
        for alg in ("none", "None", "nOnE", "NONE", "", None, ["none"], ["RS256"], 0)
    ),
    Case("JW-01", "alg_missing", REJECT, _raw_header(b'{"kid": "main"}')),
    Case("JW-01", "alg_in_a_list", REJECT, header(alg=["RS256"])),
    Case("JW-01", "alg_none_but_signed", REJECT, header(alg="none")),
    Case(
        "CF-B10",
        "signature_of_another_key",
        REJECT,
        id_token(lambda c: jws(c, rsa_key("attacker"), HEADER)),
    ),
    Case("CF-B10", "signature_altered", REJECT, _text(lambda t: f"{t[:-9]}{t[-9:][::-1]}")),
    Case("CF-B10", "signature_empty", REJECT, _signature(b"")),
    Case("CF-B10", "signature_zero", REJECT, _signature(bytes(256))),
    Case("CF-B10", "payload_altered", REJECT, _text(lambda t: t.replace(".e", ".f", 1))),
    Case(
        "JW-04",
        "jwk_in_header",
        REJECT,
        id_token(lambda c: jws(c, rsa_key("attacker"), {**HEADER, "jwk": EMBEDDED})),
    ),
    Case(
        "JW-04",
        "jwk_in_header_without_kid",
        REJECT,
        id_token(lambda c: jws(c, rsa_key("attacker"), {"alg": "RS256", "jwk": EMBEDDED})),
    ),
    Case("JW-05", "jku", REJECT, _points_home("jku")),
    Case("JW-05", "x5u", REJECT, _points_home("x5u")),
    Case(
        "JW-06",
        "x5c",
        REJECT,
        id_token(lambda c: jws(c, rsa_key("attacker"), {**HEADER, "x5c": ["MIIB"]})),
    ),
    *(
        Case("JW-07", f"kid_{name}", REJECT, header(kid=kid))
        for name, kid in (
            ("a_path", "../../dev/null"),
            ("sql", "main' or '1'='1"),
            ("long", "m" * 100_000),
            ("null", None),
            ("a_number", 7),
            ("an_object", {"main": 1}),
            ("in_a_list", ["main"]),
            ("in_other_case", "MAIN"),
            ("unknown", "unknown"),
        )
    ),
    *(
        Case("JW-08", f"crit_{name}", REJECT, header(crit=crit))
        for name, crit in (
            ("unknown", ["frobnicate"]),
            ("empty", []),
            ("registered", ["alg"]),
            ("absent", ["exp"]),
            ("twice", ["b64", "b64"]),
            ("a_string", "exp"),
            ("null", None),
        )
    ),
    Case("JW-08", "crit_present_and_named", REJECT, header(crit=["frobnicate"], frobnicate=1)),
    Case("JW-09", "b64_false", REJECT, header(b64=False, crit=["b64"])),
    Case("JW-09", "b64_false_without_crit", REJECT, header(b64=False)),
    Case(
        "JW-09",
        "payload_detached",
        REJECT,
        _text(lambda t: f"{t.split('.')[0]}..{t.split('.')[2]}"),
    ),
    Case("JW-15", "base64_padded", REJECT, _text(lambda t: t + "==")),
    Case("JW-15", "base64_with_space", REJECT, _text(lambda t: t.replace(".", ". ", 1))),
    Case("JW-15", "base64_with_line_break", REJECT, _text(lambda t: t + "\n")),
    Case("JW-15", "base64_spare_bits", REJECT, _text(_spare_bits)),
    *(
        Case("JW-16 TK-06 JW-19", f"dots_{name}", REJECT, _text(change))
        for name, change in (
            ("none", lambda t: t.replace(".", "")),
            ("one", lambda t: t.rpartition(".")[0]),
            ("two_trailing", lambda t: f"{t.rpartition('.')[0]}."),
            ("three", lambda t: f"{t}."),
            ("leading", lambda t: f".{t}"),
            ("five_parts", lambda t: f"{t}.e.e"),
            ("only", lambda _: ".."),
        )
    ),
    Case("JW-17", "header_of_a_megabyte", REJECT, header(padding="x" * 1_000_000)),
    Case("JW-17", "signature_of_a_megabyte", REJECT, _signature(bytes(1_000_000))),
    Case(
        "JW-18",
        "jwe_with_bomb",
        REJECT,
        _text(lambda _: f"{b64(BOMB)}..AAAA.AAAA.AAAA"),
    ),
    Case(
        "JW-18",
        "jwe_with_costly_password",
        REJECT,
        _text(lambda _: f"{b64(COSTLY)}.AAAA.AAAA.AAAA.AAAA"),
    ),
    Case(
        "JW-22", "two_alg", REJECT, _raw_header(b'{"alg": "none", "alg": "RS256", "kid": "main"}')
    ),
    Case("JW-22", "two_kid", REJECT, _raw_header(b'{"alg": "RS256", "kid": "x", "kid": "main"}')),
    Case("JW-22", "header_a_list", REJECT, _raw_header(b"[]")),
    Case("JW-22", "header_not_utf_8", REJECT, _raw_header(b'{"alg": "RS256", "kid": "\xff"}')),
)
