"""Scenarios of signing in: each row of the promise that one visitor after the other can reach."""

from __future__ import annotations

from tests.hostile.server import Answer

from .scenario import (
    ALICE,
    DONE,
    ENTER,
    HINT,
    LOGIN,
    NOBODY,
    PRIVATE,
    SESSION,
    SHUT,
    SIGN_IN,
    SIGNED_IN,
    SIGNED_OUT,
    Scenario,
    but,
    go,
    script,
)

AGAIN = go("{callback}", 303, location="{provider}/authorize?", sets=(LOGIN,))
NOT_HERE = go("{callback}", 400, says="You are not signed in here")
REFUSED = Answer(400, b'{"error": "invalid_grant"}')
DOWN = Answer(503, b"")
# The ID token is as large, and both are more than some servers take.
IN_TWO = (SESSION, f"{SESSION}.1", LOGIN)

SIGNING_IN = (
    Scenario("a sign-in, from a protected page and back to it", (SHUT, *SIGN_IN, PRIVATE, ALICE)),
    Scenario(
        "the callback again, within the replay window (P3)", (*SIGN_IN, DONE, but(DONE, after=100))
    ),
    Scenario(
        "the callback again, after the window, signed in (P5)",
        (*SIGN_IN, go("/", 200), but(go("{callback}", 303, location="/private/page"), after=200)),
    ),
    Scenario(
        "the callback again, after the window, signed out (P6)",
        (*SIGN_IN, but(NOT_HERE, cookie="", after=200)),
    ),
    Scenario(
        "the callback again, after a logout (P6)",
        (
            *SIGN_IN,
            go("/auth/logout", 303, location="{provider}/end_session?", clears=SIGNED_OUT),
            NOT_HERE,
            NOBODY,
        ),
    ),
    Scenario(
        "the callback in another browser, when it is done (P7)",
        (*SIGN_IN, but(NOT_HERE, browser="a stranger's"), but(NOBODY, browser="a stranger's")),
    ),
    Scenario(
        "the callback in another browser, before it is done (P7, P8)",
        (ENTER, but(AGAIN, browser="a stranger's"), but(NOBODY, browser="a stranger's")),
    ),
    Scenario(
        "another code for the same state (P4)",
        (*SIGN_IN, but(DONE, target="/auth/callback?code=another&state={state}")),
    ),
    Scenario(
        "the login page left open too long, twice (P8)",
        (
            ENTER,
            but(AGAIN, after=1801),
            but(go("{callback}", 400, says="This sign-in has expired"), after=1801),
        ),
    ),
    Scenario(
        "the login cookie lost, once and then twice (P8)",
        (
            ENTER,
            but(AGAIN, cookie=""),
            but(go("{callback}", 400, says="allow cookies"), cookie=""),
            DONE,
        ),
    ),
    Scenario(
        "two tabs, the first finished last (P11)",
        (
            ENTER,
            go("/auth/login?next=/other", 303, location="{provider}/authorize?", sets=(LOGIN,)),
            go("{callback2}", 303, location="/other", sets=SIGNED_IN),
            go("{callback1}", 303, location="/private/page", sets=SIGNED_IN),
            go("{callback2}", 303, location="/other", sets=SIGNED_IN),
            PRIVATE,
        ),
    ),
    Scenario(
        "a prefetch of each step uses nothing up (P12)",
        (
            but(go("/auth/login", 403), more=(("sec-purpose", "prefetch"),)),
            ENTER,
            but(go("{callback}", 403), more=(("sec-purpose", "prefetch;prerender"),)),
            but(go("{callback}", 403), more=(("purpose", "prefetch"),)),
            DONE,
        ),
    ),
    Scenario(
        "a HEAD of each step uses nothing up (P12)",
        (
            but(go("/auth/login", 204), method="HEAD"),
            ENTER,
            but(go("{callback}", 204), method="HEAD"),
            DONE,
        ),
    ),
    Scenario(
        "a script that asks for login or callback",
        (
            script("/auth/login?next=/a", 401, says='"login_url":"https://site.example/auth/login'),
            but(go("/auth/login", 401), more=(("sec-fetch-dest", "iframe"),)),
            script("/auth/callback", 400, says='"error":"invalid_state"'),
        ),
    ),
    Scenario(
        "a visitor who says no at the provider",
        (
            ENTER,
            go("/auth/callback?error=access_denied&state={state}", 403, says="Sign-in cancelled"),
            go("{callback}", 403, says="Sign-in cancelled"),
        ),
    ),
    Scenario(
        "another error of the provider, with a hostile description",
        (
            ENTER,
            script(
                "/auth/callback?error=server_error&error_description=%3Cb%3E%0a%1b&state={state}",
                403,
                says='"error":"sign_in_refused"',
            ),
        ),
    ),
    Scenario(
        "prompt=none, and a provider that needs the visitor",
        (
            ENTER,
            but(AGAIN, target="/auth/callback?error=login_required&state={state}"),
            DONE,
        ),
        {"authorization_params": '{"prompt": "none"}'},
    ),
    Scenario(
        "a code that is refused, twice (P9)",
        (
            but(ENTER, answers={"/token": REFUSED}),
            AGAIN,
            go("{callback}", 502, says="You could not be signed in"),
            but(ENTER, answers={}),
            DONE,
        ),
    ),
    Scenario(
        "a code that the provider never gave",
        (ENTER, but(AGAIN, target="/auth/callback?code=never&state={state}"), DONE, PRIVATE),
    ),
    Scenario(
        "keys that are not where the settings say",
        (ENTER, go("{callback}", 502, says="You could not be signed in"), NOBODY),
        {"jwks_uri": "{provider}/nothing"},
    ),
    Scenario(
        "a token endpoint that fails, and the same callback once more",
        (
            but(ENTER, answers={"/token": Answer(500, b"oops")}),
            go("{callback}", 502, says="You could not be signed in"),
            script("{callback}", 502, says='"error"'),
        ),
    ),
    Scenario(
        "an ID token for another attempt",
        (
            but(ENTER, claims={"nonce": "another"}),
            go("{callback}", 502, says="You could not be signed in"),
            NOBODY,
        ),
    ),
    Scenario(
        "a provider that is down, for a while",
        (
            but(go("/auth/login", 502), answers={"/.well-known/openid-configuration": DOWN}),
            but(ENTER, answers={}, after=2),
            but(go("{callback}", 502), answers={"/jwks": DOWN}),
            but(DONE, answers={}, after=2),
        ),
    ),
    Scenario(
        "a session that needs two cookies, and one that needs too many",
        (
            but(ENTER, claims={"groups": ["a group of many " * 100] * 2}),
            go("{callback}", 303, location="/private/page", sets=IN_TWO, clears=(HINT,)),
            PRIVATE,
            but(ENTER, claims={"groups": ["a group of many " * 100] * 9}),
            go("{callback}", 507, says="more information than this site can keep"),
        ),
    ),
    Scenario(
        "a site whose session cookie is SameSite=Strict",
        (ENTER, go("{callback}", 200, says="You are signed in", sets=SIGNED_IN), PRIVATE),
        {"cookie_samesite": "strict"},
    ),
    Scenario(
        "a registration without openid",
        (
            but(
                ENTER,
                answers={"/userinfo": Answer(200, b'{"sub": "alice", "email": "a@site.example"}')},
            ),
            go("{callback}", 303, location="/private/page", sets=(SESSION, LOGIN), clears=(HINT,)),
            PRIVATE,
        ),
        {"scope": "profile", "userinfo_endpoint": "{provider}/userinfo"},
    ),
)
