"""The pages a person sees: plain HTML that works without script, from the keyboard, in the dark."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING, Final

from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from intastellar_auth.devprovider.errors import OAuthError
    from intastellar_auth.devprovider.users import DevUser

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1b1f; --paper: #fff; --line: #767680; --mark: #0b57d0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf1; --paper: #16161a; --line: #8e8e99; --mark: #a8c7fa; }
}
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }
header, main { max-width: 32rem; margin: 0 auto; padding: 1rem; }
header { border-bottom: 1px solid var(--line); }
fieldset { margin: 0 0 1rem; padding: 1rem; border: 1px solid var(--line); border-radius: .5rem; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 1.75rem 0 .5rem; font-size: 1.125rem; }
a { color: var(--mark); display: inline-block; padding: .375rem 0; }
dl { margin: 0; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; }
code { font: .9375em ui-monospace, Consolas, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; }
table { border-collapse: collapse; }
th, td { padding: .25rem 1.5rem .25rem 0; text-align: start; font-weight: 400;
  border-bottom: 1px solid var(--line); }
td { padding-right: 0; text-align: end; font-variant-numeric: tabular-nums; }
ul { margin: 0; padding: 0; list-style: none; display: grid; gap: .5rem; }
button { width: 100%; min-height: 2.75rem; padding: .5rem 1rem; font: inherit; text-align: start;
  color: var(--ink); background: transparent; border: 1px solid var(--line); border-radius: .5rem; }
button small { display: block; }
button:hover { border-color: var(--mark); }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
"""
_SUBMIT: Final = "document.forms[0].submit()"


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


# form-action is left out on purpose: browsers hold the redirects that follow a form against it as
# well, so a policy of 'self' would stop the sign-in form on its way to the client's redirect_uri.
_POLICY: Final = (
    f"default-src 'none'; style-src {_source(_STYLE)}; script-src {_source(_SUBMIT)};"
    " base-uri 'none'; frame-ancestors 'none'"
)


def page(title: str, body: str, status: int = 200) -> HTMLResponse:
    """Return a page; ``title`` is text, ``body`` is HTML."""
    document = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - development provider</title><style>{_STYLE}</style></head>"
        f"<body><header>Development provider: for tests, on this machine only</header>"
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return HTMLResponse(document, status, {"Content-Security-Policy": _POLICY})


def _hidden(fields: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )


def sign_in_page(
    interaction: str, client_id: str, scope: Iterable[str], users: Iterable[DevUser]
) -> HTMLResponse:
    """Ask who to sign in as: a button ``login`` per user, and one to cancel."""
    buttons = "".join(_user_button(user, user.name, user.email) for user in users)
    body = _request(client_id, scope) + _choice(interaction, "Choose a test user", buttons)
    return page("Sign in", body)


def consent_page(
    interaction: str, client_id: str, scope: Iterable[str], user: DevUser
) -> HTMLResponse:
    """Ask the signed-in user whether the client may have what it asks for."""
    button = _user_button(user, "Allow", f"as {user.name}")
    body = _request(client_id, scope) + _choice(interaction, "Your decision", button)
    return page("Allow access", body)


def _request(client_id: str, scope: Iterable[str]) -> str:
    client, wish = escape(client_id), escape(", ".join(scope))
    return f"<p>The client <strong>{client}</strong> asks for: {wish}.</p>"


def _user_button(user: DevUser, text: str, note: str) -> str:
    return (
        f'<li><button name="login" value="{escape(user.sub)}">{escape(text)}'
        f"<small>{escape(note)}</small></button></li>"
    )


def _choice(interaction: str, legend: str, buttons: str) -> str:
    return (
        f'<form method="post" action="/sign-in">{_hidden({"interaction": interaction})}'
        f"<fieldset><legend>{escape(legend)}</legend><ul>{buttons}</ul></fieldset>"
        f'<button name="action" value="cancel">Cancel</button></form>'
    )


def form_post_page(action: str, fields: Mapping[str, str]) -> HTMLResponse:
    """Send ``fields`` to ``action`` by itself, or by a button where there is no script.

    OAuth 2.0 Form Post Response Mode section 2.
    """
    return page(
        "Signing you in",
        f'<form method="post" action="{escape(action)}">{_hidden(fields)}'
        f"<button>Continue</button></form><script>{_SUBMIT}</script>",
    )


def confirm_logout_page(interaction: str, user: DevUser) -> HTMLResponse:
    """Ask whether the logout is wanted: nothing proved that the user's client sent it."""
    return page(
        "Sign out?",
        f"<p>You are signed in as <strong>{escape(user.name)}</strong>.</p>"
        f'<form method="post" action="/sign-out">{_hidden({"interaction": interaction})}'
        '<fieldset><legend>Your decision</legend><ul><li><button name="logout" value="yes">'
        'Sign out</button></li><li><button name="logout" value="no">Stay signed in</button>'
        "</li></ul></fieldset></form>",
    )


def message_page(title: str, sentence: str) -> HTMLResponse:
    """Say one thing."""
    return page(title, f"<p>{escape(sentence)}</p>")


def error_page(refusal: OAuthError) -> HTMLResponse:
    """Name the error. It goes no further than here: the address to send it to is not trusted."""
    body = f"<p>{escape(f'{refusal.error}: {refusal.description}.')}</p>"
    if refusal.compare is not None:
        got = () if refusal.compare.got is None else (refusal.compare.got,)
        body += f"<dl>{entry('Got', got)}{entry('Registered', refusal.compare.registered)}</dl>"
    return page("This request cannot go on", body, refusal.status)


def entry(term: str, addresses: Iterable[str]) -> str:
    """Return the HTML of one entry of a list: what ``addresses`` are, and each on its own line."""
    lines = "".join(f"<dd><code>{escape(address)}</code></dd>" for address in addresses)
    return f"<dt>{escape(term)}</dt>{lines or '<dd>none</dd>'}"
