"""Scenarios of signing out, and of who may make a visitor do so."""

from __future__ import annotations

from tests.hostile.server import Answer
from tests.oidc.forge_logout import SID

from .scenario import (
    ALICE,
    FORM,
    HINT,
    NOBODY,
    PRIVATE,
    SDK,
    SESSION,
    SIGN_IN,
    SIGNED_OUT,
    Come,
    Scenario,
    Step,
    but,
    go,
    post,
    script,
)
from .signing_in import IN_TWO

END = "{provider}/end_session?"
OUT = go("/auth/logout", 303, location=END, clears=SIGNED_OUT)
NOT_IN = (*SDK, SESSION)
OUT_NOBODY = go("/auth/logout", 303, location=END, clears=NOT_IN)
ASKED = go("/auth/logout?next=/bye", 200, says="Do you want to sign out?")
CROSS_SITE = (("sec-fetch-site", "cross-site"),)
OLD_BROWSER = (("accept", "text/html"),)

TELL_NONE = Step(
    "/auth/backchannel-logout",
    Come(400, says='"message":"This logout token cannot be used."'),
    "POST",
    (("content-type", "application/x-www-form-urlencoded"),),
    "logout_token=a.b.c",
    browser="the provider's server",
)
FRAME = Step(
    f"/auth/frontchannel-logout?iss={{provider}}&sid={SID}",
    Come(200, says="<title>Signed out</title>"),
    headers=(("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "navigate")),
    browser="the provider's page",
)

SIGNING_OUT = (
    Scenario(
        "a sign-out, through the provider and back to the page asked for",
        (
            *SIGN_IN,
            go("/auth/logout?next=/bye%3Fa=1", 303, location=END, clears=SIGNED_OUT),
            go("/?state={end}", 303, location="/bye?a=1"),
            NOBODY,
        ),
    ),
    Scenario(
        "a sign-out by a form, whose next page wins",
        (
            *SIGN_IN,
            post("/auth/logout?next=/no", "next=/bye", 303, location=END, clears=SIGNED_OUT),
            go("/?state={end}", 303, location="/bye"),
        ),
    ),
    Scenario("a sign-out of nobody", (OUT_NOBODY, but(OUT_NOBODY, cookie=f"{SESSION}=1garbage"))),
    Scenario(
        "an old copy of the cookie after a sign-out",
        (*SIGN_IN, but(OUT, browser="the visitor's"), NOBODY, but(NOBODY, after=100)),
    ),
    Scenario(
        "another site that signs the visitor out, and the visitor who agrees",
        (
            *SIGN_IN,
            but(ASKED, more=CROSS_SITE),
            but(post("/auth/logout", "next=/bye", 200, says="Sign out"), more=CROSS_SITE),
            ALICE,
            post("/auth/logout", "proof={proof}", 303, location=END, clears=SIGNED_OUT),
            NOBODY,
        ),
    ),
    Scenario(
        "a sign-out whose origin is hidden, with the proof of the page and without",
        (
            *SIGN_IN,
            but(ASKED, headers=OLD_BROWSER, more=(("origin", "null"),)),
            but(
                post("/auth/logout", "proof=forged", 200, says="Do you want"),
                headers=FORM[-1:],
                more=(("origin", "null"),),
            ),
            but(
                post("/auth/logout", "proof={proof}", 303, location=END, clears=SIGNED_OUT),
                headers=FORM[-1:],
                more=(("origin", "null"),),
            ),
        ),
    ),
    Scenario(
        "where a sign-out comes from, in browsers that say it in older ways",
        (
            *SIGN_IN,
            but(ASKED, headers=OLD_BROWSER, more=(("origin", "https://evil.example"),)),
            but(ASKED, headers=OLD_BROWSER, more=(("referer", "https://evil.example/x"),)),
            but(ASKED, headers=OLD_BROWSER, more=(("referer", "https://[bad"),)),
            but(ASKED, more=(("sec-fetch-site", "same-site"),)),
            but(OUT, headers=OLD_BROWSER, more=(("referer", "https://site.example/x"),)),
        ),
    ),
    Scenario(
        "a sign-out while the provider is down, and has never been up",
        (
            but(
                go("/auth/logout", 303, location="/", clears=NOT_IN),
                answers={"/.well-known/openid-configuration": Answer(503)},
            ),
        ),
    ),
    Scenario(
        "a sign-out of this site alone",
        (*SIGN_IN, go("/auth/logout?next=/bye", 303, location="/bye", clears=SIGNED_OUT), NOBODY),
        {"idp_logout": "false"},
    ),
    Scenario(
        "a sign-out that would end at a protected page",
        (
            *SIGN_IN,
            go("/auth/logout", 303, location=END, clears=SIGNED_OUT),
            go("/?state={end}", 200, says="You are signed out"),
        ),
        {"protected_paths": "*"},
    ),
    Scenario(
        "a return from the provider with a state that is not ours",
        (
            go("/?state=forged", 200, says='"path": "/"'),
            go("/?state=", 200, says='"path": "/"'),
            go("/?state=a&state=b", 200, says='"path": "/"'),
            OUT_NOBODY,
            but(go("/?state={end}", 200, says='"path": "/"'), method="POST"),
            go("/other?state={end}", 200, says='"path": "/other"'),
            go("/?state={end}", 303, location="/"),
        ),
    ),
    Scenario(
        "a HEAD or a prefetch of a sign-out",
        (
            *SIGN_IN,
            but(go("/auth/logout", 204), method="HEAD"),
            but(go("/auth/logout", 403), more=(("sec-purpose", "prefetch"),)),
            ALICE,
        ),
    ),
    Scenario(
        "pages on other sites to end a sign-out at",
        tuple(
            go(f"/auth/logout?next={path}", 303, location="/", clears=NOT_IN)
            for path in ("//evil.example", "https://evil.example", "%2F%5Cevil", "/auth/logout")
        ),
        {"idp_logout": "false"},
    ),
    Scenario(
        "a sign-out by a script of the site's own",
        (
            *SIGN_IN,
            script("/auth/logout", 303, location=END, clears=SIGNED_OUT),
            NOBODY,
        ),
    ),
    Scenario(
        "a sign-out, and a new sign-in as somebody else",
        (
            *SIGN_IN,
            OUT,
            but(SIGN_IN[0], claims={"sub": "bob"}),
            SIGN_IN[1],
            but(PRIVATE, come=go("", 200, says='"user": "bob"').come),
        ),
    ),
    Scenario(
        "a logout token of the provider, again, and what is none",
        (
            TELL_NONE,
            but(SIGN_IN[0], claims={"sid": SID}),
            SIGN_IN[1],
            but(TELL_NONE, target="/auth/backchannel-logout?logout_token={logout_token}", body=""),
            but(TELL_NONE, body="logout_token={logout_token}", headers=()),
            but(ALICE, after=100),
            but(TELL_NONE, body="logout_token={logout_token}", come=Come(200, says="{}")),
            but(NOBODY, after=100),
            but(TELL_NONE, body="logout_token={logout_token}"),
            but(TELL_NONE, method="GET", come=Come(405, says="Use POST here.")),
        ),
    ),
    Scenario(
        "a frame of the provider's that names a session, and one that makes it up",
        (
            but(SIGN_IN[0], claims={"sid": SID}),
            SIGN_IN[1],
            but(FRAME, target="/auth/frontchannel-logout?iss={provider}&sid=made-up"),
            but(FRAME, target=f"/auth/frontchannel-logout?iss=https://evil.example&sid={SID}"),
            but(ALICE, after=100),
            FRAME,
            but(NOBODY, after=100),
        ),
    ),
    Scenario(
        "a sign-out of a session in two cookies",
        (
            but(SIGN_IN[0], claims={"groups": ["a group of many " * 110] * 2}),
            go("{callback}", 303, location="/private/page", sets=IN_TWO, clears=(HINT,)),
            go(
                "/auth/logout",
                303,
                location=END,
                clears=(*SDK, SESSION, f"{SESSION}.1"),
            ),
        ),
    ),
)
