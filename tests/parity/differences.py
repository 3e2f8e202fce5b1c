"""All that differs between the two shells, and the protocol that forces it.

What is not in this list must not differ: ``test_parity.py`` compares the rest to the last byte.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. ``shown_by`` names the test that shows it, as ``module:function``."""

    about: str
    asgi: str
    wsgi: str
    because: str
    shown_by: str


_HERE = "tests.parity.test_differences"

DIFFERENCES = (
    Difference(
        "where the app finds its user",
        '`scope["user"]`, `scope["auth"]`',
        '`environ["intastellar.user"]`, `environ["intastellar.auth"]`, `REMOTE_USER` (the `sub`) '
        "and `AUTH_TYPE`",
        "apps of each kind look there; of the CGI variables PEP 3333 allows strings alone",
        f"{_HERE}:test_the_app_finds_its_user_where_its_kind_looks",
    ),
    Difference(
        "the status",
        "the number; the server adds a phrase if it likes",
        "the number and its usual phrase",
        "PEP 3333 wants a phrase, and ASGI has no place for one",
        f"{_HERE}:test_the_status_has_a_phrase_in_wsgi_alone",
    ),
    Difference(
        "the case of header names",
        "`set-cookie`",
        "`Set-Cookie`",
        "ASGI wants lower case; what HTTP/1 calls them by custom is kept elsewhere "
        "(RFC 9110 section 5.1: the case means nothing)",
        f"{_HERE}:test_header_names_are_lower_case_in_asgi_alone",
    ),
    Difference(
        "a WebSocket that may not be opened",
        "is closed before it is accepted, which the server answers with 403",
        "is answered like any request, with 401 and the login URL",
        "PEP 3333 knows no WebSocket: what apps make one of is a request with `Upgrade`",
        f"{_HERE}:test_a_websocket_is_closed_in_asgi_and_answered_in_wsgi",
    ),
    Difference(
        "a form without `Content-Length`",
        "is read until the server says that it has ended",
        "is read where the server says that it ends the stream (`wsgi.input_terminated`: gunicorn, "
        "waitress, gevent), and is empty elsewhere",
        "a stream of PEP 3333 may have no end; whoever reads on would wait for ever",
        f"{_HERE}:test_a_form_without_a_length_is_read_where_its_end_is_known",
    ),
    Difference(
        "a form whose sender hangs up in the middle",
        "is dropped",
        "is answered with 400, which nobody hears",
        "PEP 3333 wants an answer of every call",
        f"{_HERE}:test_a_form_whose_sender_hangs_up_is_dropped_in_asgi_and_refused_in_wsgi",
    ),
    Difference(
        "an unusual spelling of the page to come back to (`/%7Ealice`)",
        "is kept (`raw_path`)",
        "is kept where the server tells it (`RAW_URI`: gunicorn; `REQUEST_URI`: uWSGI, waitress, "
        "mod_wsgi), and is another spelling of the same path elsewhere",
        "PEP 3333 has the decoded path alone",
        f"{_HERE}:test_an_unusual_spelling_is_kept_where_the_server_tells_it",
    ),
    Difference(
        "several `Cookie` lines, which HTTP/2 allows",
        "are one (RFC 9113 section 8.2.3)",
        "are what the server makes of them: one, or, joined with commas, no cookies of ours",
        "an environ has each header once",
        f"{_HERE}:test_several_cookie_lines_are_joined_by_us_in_asgi_and_by_the_server_in_wsgi",
    ),
    Difference(
        "an underscore in a header's name",
        "makes it another header",
        "makes it the same header as with a hyphen, where the server lets it through",
        "CGI variables have underscores for both",
        f"{_HERE}:test_an_underscore_in_a_name_is_a_hyphen_in_wsgi_alone",
    ),
    Difference(
        "a sign-in under way when the server stops",
        "is finished before `lifespan.shutdown.complete`, which is said for an app that has no "
        "lifespan",
        "is finished before the process ends, as the interpreter waits for its thread; it does not "
        "under gevent, where the visitor signs in anew",
        "PEP 3333 tells an app nothing of the end",
        "tests.drive.test_blocking:test_a_sign_in_ends_although_its_request_was_given_up",
    ),
)
