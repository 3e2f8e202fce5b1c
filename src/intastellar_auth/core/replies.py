"""Answers of ours: never cached, never framed, with nothing from elsewhere in them.

HTML for a visitor who navigates, JSON for a script.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus

from intastellar_auth.core import pages
from intastellar_auth.core.messages import Reply, Request
from intastellar_auth.core.navigation import is_navigation

# The callback's URL holds a code: it must not leak through Referer or a cache (RFC 9700 4.2.4).
_GUARDS = (
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("vary", "Cookie"),
)
_RETRY_AFTER = "5"


def rules_caches(name: str) -> bool:
    """Return whether the header ``name`` may let a cache keep the answer it is in.

    A targeted one (RFC 9213) counts for more than ``Cache-Control`` with those whom it is for.
    """
    name = name.lower()
    return name in ("expires", "surrogate-control") or name.endswith("cache-control")


def redirect(location: str, set_cookies: Iterable[str] = ()) -> Reply:
    """Return a 303: the browser goes on with a GET, and sends no form along (RFC 9700 4.12)."""
    return _reply(303, b"", set_cookies, ("location", location))


def nothing(set_cookies: Iterable[str] = ()) -> Reply:
    """Return a 204: heard, and nothing done."""
    return _reply(204, b"", set_cookies)


def step(html: str, location: str, set_cookies: Iterable[str]) -> Reply:
    """Return a page that goes on to ``location`` by itself, as a navigation of this site's own."""
    return _reply(
        200,
        html.encode(),
        set_cookies,
        ("content-type", "text/html; charset=utf-8"),
        ("refresh", f"0;url={location}"),
    )


def page(
    html: str,
    *,
    status: int = 200,
    set_cookies: Iterable[str] = (),
    form_targets: tuple[str, ...] = (),
) -> Reply:
    """Return ``html`` with the policy that allows just what our pages use.

    ``form_targets`` are the origins beside ours that a form on it may lead to.
    """
    return _reply(
        status,
        html.encode(),
        set_cookies,
        ("content-type", "text/html; charset=utf-8"),
        policy=pages.content_security_policy(form_targets),
    )


def framed(by: str | None) -> Reply:
    """Return an empty page that the origin of the URL ``by``, and no other, may frame."""
    return _reply(
        200,
        b"<!doctype html><title>Signed out</title>",
        (),
        ("content-type", "text/html; charset=utf-8"),
        policy=pages.framing_policy(by),
    )


def data(
    document: Mapping[str, object],
    *,
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (),
) -> Reply:
    """Return ``document`` as JSON, with a text in place of what JSON has not.

    Only claims that another version of ours has sealed could hold such a thing.
    """
    text = json.dumps(document, separators=(",", ":"), default=str, skipkeys=True)
    body = text.encode()
    return _reply(status, body, (), ("content-type", "application/json"), *headers)


def problem(
    request: Request,
    *,
    status: int,
    code: str,
    sentence: str,
    html: str,
    reference: str,
    headers: tuple[tuple[str, str], ...] = (),
) -> Reply:
    """Return why a request was not done: ``html`` for a visitor, else JSON of the same."""
    if is_navigation(request):
        told = page(html, status=status)
        return replace(told, headers=(*told.headers, *headers))
    told_in_json = {"error": code, "message": sentence, "reference": reference}
    return data(told_in_json, status=status, headers=headers)


def _reply(
    status: int,
    body: bytes,
    set_cookies: Iterable[str],
    *headers: tuple[str, str],
    policy: str | None = None,
) -> Reply:
    guards = (
        *_GUARDS,
        ("content-security-policy", policy or pages.content_security_policy()),
        *((("retry-after", _RETRY_AFTER),) if status == HTTPStatus.SERVICE_UNAVAILABLE else ()),
    )
    cookies = tuple(("set-cookie", value) for value in set_cookies)
    return Reply(status, (*headers, *guards, *cookies), body)
