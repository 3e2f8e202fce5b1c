"""Token and userinfo endpoints that answer what they should not."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

from .cases import (
    Case,
    Verdict,
    answer,
    body,
    both,
    claim,
    no_token_member,
    padded,
    redirect,
    status,
    token,
    userinfo,
)
from .server import Answer

if TYPE_CHECKING:
    from .provider import Misbehaviour, Provider

ACCEPT, REJECT, SAFE, RESTART = Verdict.ACCEPT, Verdict.REJECT, Verdict.SAFE, Verdict.RESTART
SCRIPT = "<script>alert(1)</script>\r\nX-Evil: 1"
DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def refusal(error: str, code: int = 400) -> Misbehaviour:
    """Refuse the code as RFC 6749 section 5.2 says."""
    content = json.dumps({"error": error, "error_description": SCRIPT})
    return status("token", code, content.encode())


def _twice(given: Answer) -> Answer:
    return Answer(200, b'{"access_token": "first", ' + given.body[1:])


def _as_zap(given: Answer) -> Answer:
    """Claim that the body is encoded, though identity was asked for."""
    return Answer(200, given.body, (*given.headers, ("Content-Encoding", "zap")))


def _bomb(endpoint: str, encodings: str = "gzip") -> Misbehaviour:
    """Answer well, and with 20 MB of blanks that travel as 20 kB, or less where packed again."""

    def packed(given: Answer) -> Answer:
        content = given.body + b" " * 20_000_000
        for _ in encodings.split(","):
            content = gzip.compress(content, 1)
        return Answer(200, content, (*given.headers, ("Content-Encoding", encodings)))

    return answer(endpoint, packed)


def _undecodable(endpoint: str) -> tuple[tuple[str, Misbehaviour], ...]:
    """TK-04, UI-05: bodies that are no JSON object, or too much of one."""
    return (
        ("html", body(endpoint, b"<html>Welcome</html>", "text/html")),
        ("broken_json", body(endpoint, b'{"access_token": ')),
        ("a_list", body(endpoint, b'[{"sub": "alice"}]')),
        ("a_string", body(endpoint, b'"alice"')),
        ("null", body(endpoint, b"null")),
        ("empty", body(endpoint, b"")),
        ("not_utf_8", body(endpoint, b'{"sub": "\xff"}')),
        ("nested_deep", body(endpoint, DEEP)),
        ("nan", body(endpoint, b"NaN")),
        ("of_10_mb", padded(endpoint)),
        ("a_bomb", _bomb(endpoint)),
        ("a_nested_bomb", _bomb(endpoint, "gzip,gzip")),
        ("a_huge_number", body(endpoint, b'{"sub": ' + b"9" * 200_000 + b"}")),
        ("unknown_encoding", answer(endpoint, _as_zap)),
        ("broken_encoding", status(endpoint, 200, b"{}", Content_Encoding="gzip")),
        ("a_redirect", redirect(endpoint)),
        ("status_204", status(endpoint, 204, b"")),
        ("status_500", status(endpoint, 500, SCRIPT.encode())),
        ("status_503", status(endpoint, 503, b"{}", Retry_After="30")),
    )


def _redirect_with_tokens(provider: Provider) -> None:
    location = ("Location", provider.url("evil"))
    provider.script.answers["token"] = lambda given: Answer(307, given.body, (location,))


TOKEN = (
    *(Case("TK-04 TK-03", f"token_{name}", REJECT, bad) for name, bad in _undecodable("token")),
    Case("TK-03", "token_redirect_with_body", REJECT, _redirect_with_tokens),
    Case("TK-04", "token_with_access_token_twice", REJECT, answer("token", _twice)),
    Case(
        "TK-04",
        "token_as_text",
        REJECT,
        answer("token", lambda a: Answer(200, a.body, (("Content-Type", "text/html"),))),
    ),
    Case("TK-05", "id_token_missing", REJECT, no_token_member("id_token")),
    Case("TK-06", "id_token_null", REJECT, token(id_token=None)),
    Case("TK-06", "id_token_empty", REJECT, token(id_token="")),
    Case("TK-06", "id_token_a_number", REJECT, token(id_token=7)),
    Case("TK-06", "id_token_in_a_list", REJECT, token(id_token=["a.b.c"])),
    Case("TK-06", "id_token_in_json_serialisation", REJECT, token(id_token={"payload": "e30"})),
    Case("TK-07", "token_type_missing", REJECT, no_token_member("token_type")),
    Case("TK-07", "token_type_mac", REJECT, token(token_type="mac")),
    Case("TK-07", "token_type_a_number", REJECT, token(token_type=1)),
    Case("TK-07 CF-P16", "token_type_in_lower_case", ACCEPT, token(token_type="bearer")),
    Case("TK-07 CF-P16", "token_type_in_inverted_case", ACCEPT, token(token_type="bEARER")),
    Case("TK-08 CF-P15", "expires_in_missing", ACCEPT, no_token_member("expires_in")),
    Case("TK-08", "expires_in_a_string", ACCEPT, token(expires_in="3600")),
    *(
        Case("TK-08", f"expires_in_{name}", SAFE, token(expires_in=value))
        for name, value in (
            ("zero", 0),
            ("negative", -1),
            ("huge", 1e99),
            ("beyond_any_clock", 10**40),
            ("a_fraction", 3.7),
            ("null", None),
            ("a_list", [1]),
            ("a_word", "soon"),
        )
    ),
    Case("TK-09", "scope_missing", ACCEPT, no_token_member("scope")),
    Case("TK-09", "scope_reduced", ACCEPT, token(scope="openid")),
    Case("TK-09", "scope_a_list", SAFE, token(scope=["openid"])),
    Case("TK-12", "access_token_missing", REJECT, no_token_member("access_token")),
    Case("TK-12", "access_token_empty", REJECT, token(access_token="")),
    Case("TK-12", "access_token_a_number", REJECT, token(access_token=7)),
    Case("TK-12", "access_token_with_line_break", REJECT, token(access_token="a\r\nCookie: a=b")),
    Case("TK-12", "access_token_not_ascii", REJECT, token(access_token="tøken")),
    Case("TK-12", "access_token_of_64_kb", SAFE, token(access_token="a" * 65_536)),
    Case("TK-12", "refresh_token_with_line_break", SAFE, token(refresh_token="a\r\nCookie: a=b")),
    Case("TK-12", "refresh_token_a_number", SAFE, token(refresh_token=7)),
    Case("TK-10 TK-11", "token_invalid_grant", RESTART, refusal("invalid_grant")),
    Case("TK-10 TK-11", "token_refused_403", RESTART, status("token", 403, b"")),
    Case("TK-10", "token_refused_otherwise", RESTART, refusal("code_already_used")),
    Case("TK-10", "token_refused_in_html", RESTART, status("token", 400, SCRIPT.encode())),
    Case("TK-10", "token_invalid_client", SAFE, refusal("invalid_client", 401)),
    Case("TK-10", "token_429", SAFE, status("token", 429, b"{}", Retry_After="30")),
)

USERINFO = (
    *(
        Case("UI-05 UI-06 UI-08", f"userinfo_{name}", REJECT, bad)
        for name, bad in _undecodable("userinfo")
    ),
    Case("UI-02", "userinfo_with_more", ACCEPT, userinfo(shoe_size=44)),
    Case("UI-01 CF-B11", "userinfo_sub_is_another", REJECT, userinfo(sub="mallory")),
    Case("UI-01", "userinfo_sub_null", REJECT, userinfo(sub=None)),
    Case("UI-01", "userinfo_sub_a_number", REJECT, userinfo(sub=7)),
    Case("UI-01", "userinfo_sub_in_a_list", REJECT, userinfo(sub=["alice"])),
    Case("UI-01", "userinfo_sub_missing", REJECT, body("userinfo", b'{"name": "Alice"}')),
    Case(
        "UI-01", "userinfo_sub_twice", REJECT, body("userinfo", b'{"sub": "eve", "sub": "alice"}')
    ),
    Case("UI-04", "userinfo_as_jwt", REJECT, body("userinfo", b"e30.e30.e30", "application/jwt")),
    Case("UI-06", "userinfo_401", RESTART, status("userinfo", 401)),
    Case("UI-06", "userinfo_403", REJECT, status("userinfo", 403)),
    Case(
        "UI-10",
        "userinfo_huge_picture",
        SAFE,
        userinfo(picture="data:image/png;base64," + "A" * 20_000),
    ),
    Case("UI-10", "userinfo_name_with_line_break", SAFE, userinfo(name="Alice\r\nSet-Cookie: a=b")),
    Case("ID-22", "userinfo_named_proto", ACCEPT, userinfo(__proto__={"is_authenticated": True})),
    Case(
        "UI-09 CF-D09",
        "distributed_claims",
        ACCEPT,
        lambda provider: both(
            userinfo(
                _claim_names={"email": "src"},
                _claim_sources={"src": {"endpoint": provider.url("evil"), "access_token": "x"}},
            ),
            claim("_claim_sources", {"src": {"endpoint": provider.url("evil")}}),
        )(provider),
    ),
)

CASES = TOKEN + USERINFO
