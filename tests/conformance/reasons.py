"""Rows that do not apply, each with the reason, and rows of which a part is not kept."""

from __future__ import annotations

_NO_DPOP = "Access tokens are bearer tokens here: no DPoP proof is made or asked for."
_NO_PROXY = "The middleware calls the app in its own process and proxies no request."

_BY_REASON = {
    _NO_DPOP: "CF-P17 CF-S08 UI-07 DP-01 DP-02 DP-03 DP-04 DP-05 DP-07 DP-08 DP-09 DP-10 AD-74",
    _NO_PROXY: "BF-07 BF-09",
    "Browsers block the third-party cookies that polling the provider from a frame needs; "
    "back-channel logout does what it was for.": "CF-X03",
    "A client is registered once, by its owner.": "CF-D03",
    "Requests are pushed (PAR) or travel as plain parameters, never as request objects.": "CF-D04",
    "There is no mutual TLS; that its aliases are ignored is row DJ-21.": "CF-D05",
    "Needs DPoP or mutual TLS; the rest of it, pushed requests and private_key_jwt, is rows PA-01 "
    "to PA-05 and PJ-01 to PJ-08.": "CF-P01 CF-P02",
    "Responses come as a query or as a posted form (RESPONSE_MODE), never as a JWT.": "CF-P18",
    "Belongs to ecosystems with rules of their own.": "CF-P19",
    "No path of ours reads a token from a script, so there is none to submit twice: a logout is "
    "told from another site's by Sec-Fetch-Site, Origin and Referer (LO-01).": "BF-06",
    "Nothing is handed out to the browser (BF-08).": "BF-10",
    "No page of ours uses postMessage: none has script.": "R9-16",
    "There are no accounts here to link: an app sees iss and sub, and joins them itself.": "CS-06",
    "Pages of the app are cached as the app says; ours are no-store (CA-01).": "CA-05",
    "Requests are read by the server; nothing is remembered of a connection.": "PX-08",
    "Nobody is let in by an email or its domain: that rule, where there is one, is the app's, "
    "which gets email_verified as a boolean (ID-23).": "IM-01 IM-02 AD-30",
    "No advisory; redirects are rows RD-01 to RD-14.": "AD-70",
    "No advisory; how other sites' requests are told is row BF-04.": "AD-76",
    "No mail is sent, and nobody signs in by one.": "AD-79",
    "A second factor is the provider's: there is no session before it has let the user in (AD-82), "
    "and a new acr comes with a new session (CS-01).": "AD-121",
}

REASONS = {row: reason for reason, rows in _BY_REASON.items() for row in rows.split()}
"""Why a row does not apply, by its id."""

_NO_RATE_LIMIT = "how often somebody may ask is for the server in front to limit"

PARTS = {
    "CS-05": _NO_RATE_LIMIT,
    "SS-10": _NO_RATE_LIMIT,
}
"""What is not kept of a row that is tested otherwise, by its id."""
