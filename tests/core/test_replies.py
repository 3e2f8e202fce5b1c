"""Every answer of ours is guarded alike, and is what whoever asked can read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core import pages, replies
from intastellar_auth.core.messages import Reply, Request

BROWSER = Request("GET", "/", headers=(("accept", "text/html"),))
SCRIPT = Request("GET", "/", headers=(("accept", "application/json"),))
COOKIES = ["a=b; Path=/", "c=; Max-Age=0"]


def problem(request: Request, status: int = 400) -> Reply:
    """Return the answer to ``request`` where something went wrong."""
    return replies.problem(
        request, status=status, code="a_code", sentence="A sentence.", html="<p>", reference="R"
    )


REPLIES = {
    "redirect": replies.redirect("/page", COOKIES),
    "nothing": replies.nothing(COOKIES),
    "step": replies.step("<p>", "/page", COOKIES),
    "page": replies.page("<p>", set_cookies=COOKIES, form_targets=("https://id.example.com/end",)),
    "framed": replies.framed(None),
    "data": replies.data({"x": 1}, headers=(("allow", "GET"),)),
    "problem for a visitor": problem(BROWSER),
    "problem for a script": problem(SCRIPT),
    "unavailable": problem(BROWSER, 503),
}


def headers(reply: Reply) -> dict[str, str]:
    """Return the headers of ``reply`` but its cookies, each of which must be there once."""
    found = [header for header in reply.headers if header[0] != "set-cookie"]
    assert len(dict(found)) == len(found)
    return dict(found)


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_every_reply_has_the_guards(reply: Reply) -> None:
    """CA-01, CS-09, RFC 9700 section 4.2.4."""
    found = headers(reply)
    assert found["cache-control"] == "no-store"
    assert found["referrer-policy"] == "no-referrer"
    assert found["x-content-type-options"] == "nosniff"
    assert found["vary"] == "Cookie"
    policy = dict(
        part.strip().split(" ", 1) for part in found["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert "script-src" not in policy
    assert all(name == name.lower() for name, _ in reply.headers)


@pytest.mark.parametrize("name", ["redirect", "nothing", "step", "page"])
def test_each_cookie_has_a_header_of_its_own(name: str) -> None:
    assert [v for n, v in REPLIES[name].headers if n == "set-cookie"] == COOKIES


def test_a_redirect_makes_the_browser_go_on_with_a_get() -> None:
    """RFC 9700 section 4.12: 307 would send a form along."""
    reply = replies.redirect("/page?a=b")
    assert (reply.status, reply.body) == (303, b"")
    assert headers(reply)["location"] == "/page?a=b"
    assert "content-type" not in headers(reply)


def test_nothing_is_an_answer_too() -> None:
    assert (replies.nothing().status, replies.nothing().body) == (204, b"")


def test_a_step_goes_on_by_itself() -> None:
    """CK-21."""
    reply = replies.step("<p>é", "/page?a=b", ())
    assert (reply.status, reply.body) == (200, "<p>é".encode())
    assert headers(reply)["refresh"] == "0;url=/page?a=b"
    assert headers(reply)["content-type"] == "text/html; charset=utf-8"


def test_a_form_may_lead_to_the_named_origins_only() -> None:
    policy = headers(REPLIES["page"])["content-security-policy"]
    assert policy == pages.content_security_policy(("https://id.example.com/end",))
    assert policy.endswith("form-action 'self' https://id.example.com")
    assert headers(replies.page("<p>"))["content-security-policy"].endswith("form-action 'self'")


def test_a_page_for_a_frame_is_empty_and_its_framers_alone() -> None:
    """FL-01."""
    reply = replies.framed("https://id.example.com/tenant")
    assert reply.status == 200
    assert headers(reply)["content-type"] == "text/html; charset=utf-8"
    policy = headers(reply)["content-security-policy"]
    assert policy == pages.framing_policy("https://id.example.com/tenant")
    others = {**headers(reply), "content-security-policy": pages.framing_policy(None)}
    assert others == headers(REPLIES["framed"])


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.text() | st.integers()))
def test_data_is_json_of_ascii(document: dict[str, object]) -> None:
    """HL-01: nothing in it ends a line or moves a cursor."""
    reply = replies.data(document, status=401)
    assert json.loads(reply.body) == document
    assert reply.body.isascii()
    assert b"\n" not in reply.body
    assert reply.status == 401
    assert headers(reply)["content-type"] == "application/json"


def test_data_may_have_headers_of_its_own() -> None:
    assert headers(REPLIES["data"])["allow"] == "GET"


def test_a_visitor_gets_a_page_and_a_script_gets_json() -> None:
    page, data = problem(BROWSER), problem(SCRIPT)
    assert (page.status, page.body) == (400, b"<p>")
    assert data.status == 400
    assert json.loads(data.body) == {
        "error": "a_code",
        "message": "A sentence.",
        "reference": "R",
    }


@pytest.mark.parametrize("request_", [BROWSER, SCRIPT])
@pytest.mark.parametrize("status", [400, 403, 502, 503, 507])
def test_only_what_may_work_in_a_moment_says_when(request_: Request, status: int) -> None:
    """RFC 9110 section 10.2.3."""
    found = headers(problem(request_, status))
    assert found.get("retry-after") == ("5" if status == 503 else None)
