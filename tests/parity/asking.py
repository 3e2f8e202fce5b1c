"""Scenarios of odd requests: addresses, cookies, methods and bodies of every kind."""

from __future__ import annotations

from urllib.parse import quote

from .scenario import (
    ALICE,
    DONE,
    ENTER,
    FORM,
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

APP = go("/page", 200, says='"user": null')
LARGE = "x" * 70_000
NEXT_ELSEWHERE = (
    "//evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "/%5Cevil.example",
    "/%2Fevil.example",
    "/..//evil.example",
    "javascript:alert(1)",
    "/\tevil",
    "/auth/logout",
    "/AUTH/login",
    "/a" * 1200,
    "page",
    "",
)
NEXT_HERE = ("/a?b=c&d=%2F#e", "/%C3%A9", "/a;b=c", "/a/../b", "/" + "long/" * 60)
GARBAGE = (
    f"{SESSION}=",
    f"{SESSION}=1",
    f"{SESSION}=1AAAA",
    f"{SESSION}=9" + "A" * 400,
    f"{SESSION}=2AAAA; {SESSION}.1=BBBB",
    f"x={SESSION}=1AAAA",
    f'{SESSION}="1AAAA"',
    ";;; =; =a; b",
    "\xff\xfe",
    f"{SESSION}=1" + "A" * 5000,
    "; ".join(f"{SESSION}=1{number}AAA" for number in range(9)),
)

ASKING = (
    Scenario(
        "a page of this site to end at, by each spelling that may be one",
        tuple(
            step
            for path in NEXT_HERE
            for step in (
                but(ENTER, target=f"/auth/login?next={quote(path, safe='')}"),
                go("{callback}", 303, location=path, sets=SIGNED_IN),
            )
        ),
    ),
    Scenario(
        "pages of other sites to end at",
        tuple(
            step
            for path in NEXT_ELSEWHERE
            for step in (
                but(ENTER, target=f"/auth/login?next={quote(path, safe='')}", browser=path),
                but(go("{callback}", 303, location="/welcome", sets=SIGNED_IN), browser=path),
            )
        ),
        {"landing_path": "/welcome"},
    ),
    Scenario(
        "callbacks that nobody's sign-in gave",
        (
            go("/auth/callback", 400, says="You"),
            go("/auth/callback?code=a", 400),
            go("/auth/callback?state=forged&code=a", 400),
            go(f"/auth/callback?state={'x' * 300}&code=a", 400),
            script("/auth/callback?state=%FF&code=a", 400, says='"error":'),
            ENTER,
            go("/auth/callback?state={state}", 400),
            go("/auth/callback?{response}&state={state}", 400),
            go("/auth/callback?{response}&code=another", 400),
            go("/auth/callback?{response}&broken=%", 303, location="/private/page", sets=SIGNED_IN),
        ),
    ),
    Scenario(
        "cookies that nobody's session gave",
        tuple(
            step
            for cookie in GARBAGE
            for step in (
                but(APP, cookie=cookie),
                but(SHUT, cookie=cookie),
                but(NOBODY, cookie=cookie),
            )
        ),
    ),
    Scenario(
        "the app's own requests, with their bodies",
        (
            post("/page", "a=b&c=d", 200, says='"length": 7'),
            post("/", LARGE, 200, says='"length": 70000'),
            post("/auth", "a=b", 200, says='"length": 3'),
            post("/auth/other", "a=b", 200, says='"length": 3'),
            post("/auth/login/", "a=b", 200, says='"length": 3'),
            but(post("/page", "a=b", 200, says='"length": 3'), method="PUT"),
            but(go("/page", 200), method="DELETE"),
            but(go("/page", 200), method="OPTIONS"),
            go("/caf%C3%A9/%7Ealice?q=%C3%A9", 200, says='"path": "/caf\\u00e9/~alice"'),
            go("/%FF%FE", 200, says='"path": "/\\ufffd\\ufffd"'),
        ),
    ),
    Scenario(
        "methods that our paths do not have",
        tuple(
            but(go(f"/auth/{path}", 405, says="Use "), method=method)
            for path, methods in (
                ("login", ("POST", "PUT", "OPTIONS", "BREW")),
                ("callback", ("PUT", "DELETE", "get")),
                ("logout", ("DELETE", "PATCH", "TRACE")),
                ("user", ("POST", "OPTIONS", "PROPFIND")),
            )
            for method in methods
        ),
    ),
    Scenario(
        "who is signed in, told to a script and to a browser",
        (
            NOBODY,
            go("/auth/user", 401, says='"login_required"'),
            *SIGN_IN,
            ALICE,
            script("/auth/user?anything=1", 200, says='"display_name":"Alice"'),
            but(go("/auth/user", 200), method="HEAD"),
            but(ALICE, more=(("sec-purpose", "prefetch"),)),
        ),
    ),
    Scenario(
        "a response that the provider posts",
        (
            but(ENTER, come=go("", 303, location="{provider}/authorize?", sets=(LOGIN,)).come),
            go("{callback}", 400),
            but(post("/auth/callback", "{response}", 400), headers=SCRIPT),
            post("/auth/callback", "\xff", 400),
            post("/auth/callback", LARGE, 413),
            but(
                post("/auth/callback", "{response}", 303, location="/private/page", sets=SIGNED_IN),
                more=(("sec-fetch-site", "cross-site"), ("origin", "{provider}")),
            ),
            post("/auth/callback", "{response}", 303, location="/private/page", sets=SIGNED_IN),
            PRIVATE,
        ),
        {"response_mode": "form_post"},
    ),
    Scenario(
        "a posted response where none was asked for",
        (ENTER, post("/auth/callback", "{response}", 400), DONE),
    ),
    Scenario(
        "forms that are too large",
        (
            post("/auth/callback", LARGE, 413, says="not complete"),
            but(post("/auth/logout", LARGE, 413, says='"content_too_large"'), headers=SCRIPT),
            post(
                "/auth/logout",
                "x" * 65_536,
                303,
                location="{provider}/end_session?",
                clears=(*SDK, SESSION),
            ),
            post("/auth/logout", "x" * 65_537, 413),
        ),
    ),
    Scenario(
        "headers that come twice",
        (
            but(APP, headers=(("accept", "a/b"), ("accept", "text/html"))),
            but(SHUT, headers=(("accept", "a/b"), ("accept", "text/html"))),
            but(go("/private/page", 401), headers=(*SCRIPT, *FORM)),
        ),
    ),
)
