"""Scenarios of visits: who may go where, how long a session lasts, and where a site may be."""

from __future__ import annotations

from .scenario import (
    ALICE,
    ENTER,
    HINT,
    LOGIN,
    NOBODY,
    PRIVATE,
    SCRIPT,
    SDK,
    SESSION,
    SHUT,
    SIGN_IN,
    SIGNED_IN,
    Scenario,
    but,
    go,
    post,
    script,
)

OUR_LOGIN = "__Host-our-login-*"

VISITING = (
    Scenario(
        "the session in use goes on, and no cache keeps the answer that says so",
        (
            *SIGN_IN,
            but(go("/page", 200, says='"user": "alice"', sets=(SESSION,)), after=400),
            go("/page", 200, says='"user": "alice"'),
            but(ALICE, after=40),
        ),
    ),
    Scenario("a session that was left for too long", (*SIGN_IN, but(SHUT, after=86_401), NOBODY)),
    Scenario(
        "a session as old as it may be",
        (
            *SIGN_IN,
            but(go("/private/page", 200, says='"user": "alice"', sets=(SESSION,)), after=90),
            but(SHUT, after=20),
        ),
        {"session_lifetime": 100, "session_idle": 100},
    ),
    Scenario(
        "protected paths, by whoever may ask for one",
        (
            SHUT,
            go("/private/page?a=1&b=%20c", 303, location="/auth/login?next=/private/page%3Fa%3D1"),
            go("/private", 303, location="/auth/login?next=/private"),
            script("/private/page", 401, says='"login_url":"https://site.example/auth/login?next='),
            post("/private/page", "a=b", 401),
            but(SHUT, headers=(("accept", "text/html"),)),
            but(go("/private/page", 401), headers=(("accept", "application/json"),)),
            but(go("/private/page", 401), headers=()),
            but(go("/private/page", 401), more=(("sec-fetch-dest", "iframe"),)),
            but(go("/private/page", 401), more=(("sec-purpose", "prefetch"),)),
            but(
                go("/private/page", 401),
                headers=(("accept", "text/html"), ("x-requested-with", "XMLHttpRequest")),
            ),
            but(go("/private/page", 401), method="HEAD", headers=SCRIPT),
            but(go("/private/page", 401), method="OPTIONS", headers=SCRIPT),
        ),
    ),
    Scenario(
        "protected paths, however they are spelled",
        tuple(
            go(path, 303, location="/auth/login?next=")
            for path in (
                "/PRIVATE/page",
                "/private%2Fpage",
                "/%70rivate/page",
                "//private/page",
                "/open/../private/page",
                "/open/..%2fprivate/page",
                "/open/%2e%2e/private/page",
                "/private;a=b/page",
                "/private/page%00",
                "/x%252f..%252fprivate/page",
                "/private/caf%C3%A9",
                "/private/\xc3\xa9",
                "/private/%FF",
                "/private/" + "a" * 9000,
            )
        ),
        {"public_paths": "/open/*"},
    ),
    Scenario(
        "public paths among protected ones",
        (
            go("/open/page", 200, says='"user": null'),
            go("/other", 303, location="/auth/login?next=/other"),
            go("/", 303, location="/auth/login?next=/"),
            *SIGN_IN,
            go("/open/page", 200, says='"user": "alice"'),
        ),
        {"protected_paths": "*", "public_paths": "/open/*"},
    ),
    Scenario(
        "a site below a path of its host",
        (
            go("/shop/private/%7Ea?b", 303, location="/shop/auth/login?next=/shop/private/%257Ea"),
            but(ENTER, target="/shop/auth/login?next=/shop/private/page"),
            go("{callback}", 303, location="/shop/private/page", sets=SIGNED_IN),
            go("/shop/private/page", 200, says='"path": "/private/page"'),
            script("/shop/auth/user", 200, says='"sub":"alice"'),
            go("/shop", 200),
            go("/shop/auth/logout", 303, location="{provider}/end", clears=(*SDK, SESSION, HINT)),
            go("/shop/?state={end}", 303, location="/shop/"),
            go("/shop/private/../private/x", 303, location="/shop/auth/login?next=/shop/private/"),
        ),
        {"base_url": "https://site.example/shop"},
        mount="/shop",
    ),
    Scenario(
        "a site with other paths and another cookie",
        (
            go("/private/page", 303, location="/-/sign/login?next=/private/page"),
            go(
                "/-/sign/login", 303, location="{provider}/authorize?", sets=("__Host-our-login-*",)
            ),
            go(
                "{callback}",
                303,
                location="/home",
                sets=("__Host-our", "__Secure-our-hint", OUR_LOGIN),
            ),
            go("/auth/login", 200, says='"path": "/auth/login"'),
        ),
        {"path_prefix": "/-/sign", "cookie_name": "__Host-our", "landing_path": "/home"},
    ),
    Scenario(
        "a site on this machine, without TLS",
        (
            go(
                "/auth/login",
                303,
                location="{provider}/authorize?",
                sets=("intastellar-login-*",),
            ),
            go(
                "{callback}",
                303,
                location="/",
                sets=("intastellar", "intastellar-hint", "intastellar-login-*"),
            ),
        ),
        {"base_url": "http://127.0.0.1:8000"},
    ),
    Scenario(
        "a session for all hosts of a domain",
        (
            ENTER,
            go(
                "{callback}",
                303,
                location="/private/page",
                sets=("__Secure-intastellar", HINT, LOGIN),
            ),
            PRIVATE,
        ),
        {"cookie_domain": "site.example"},
    ),
)
