"""The pages a visitor can be shown, and the policy that goes with them.

Pure: strings in, a whole HTML document out. A page needs nothing but itself: no script, no image,
no font, no request. Every value is escaped for text and for a quoted attribute alike, so it does
not matter where in a page it stands. The addresses (``sign_in``, ``home``, ``action``) are this
site's own paths, made by the caller.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html import escape

# Every text colour has a contrast of 7:1 or more on what lies behind it, in both schemes
# (WCAG 2.2, 1.4.6), and what can be pressed is 44 px high or more (2.5.5).
STYLE = """
:root {
  color-scheme: light dark;
  --ground: #eef1f6; --card: #ffffff; --edge: #d3d9e4;
  --ink: #161b26; --soft: #434b5c; --accent: #1d3f94; --on-accent: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d1017; --card: #171c26; --edge: #323a4a;
    --ink: #f1f4f9; --soft: #bcc5d4; --accent: #a8c5ff; --on-accent: #0a1733;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; min-height: 100svh; padding: 1rem;
  display: grid; place-items: center;
  background: var(--ground); color: var(--ink);
  font: 1.0625rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main {
  width: 100%; max-width: 30rem; padding: clamp(1.5rem, 6vw, 2.75rem);
  background: var(--card); border: 1px solid var(--edge); border-top: 4px solid var(--accent);
  border-radius: 14px; box-shadow: 0 12px 32px rgb(10 18 40 / 8%);
  overflow-wrap: anywhere;
}
h1 {
  margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; font-weight: 650;
  letter-spacing: -.01em; text-wrap: balance;
}
.word, code { white-space: nowrap; }
p { margin: 0 0 .75rem; }
form { margin: 0; }
.ways { display: grid; gap: .75rem; margin-top: 1.75rem; }
.way {
  display: flex; align-items: center; justify-content: center; width: 100%; min-height: 48px;
  padding: .625rem .75rem; border: 2px solid var(--accent); border-radius: 10px;
  background: transparent; color: var(--accent);
  font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer;
}
.way:hover { text-decoration: underline; text-underline-offset: .2em; }
.first { background: var(--accent); color: var(--on-accent); }
.way:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px; }
.note {
  margin: 1.75rem 0 0; padding-top: 1rem; border-top: 1px solid var(--edge);
  color: var(--soft); font-size: .875rem;
}
code { font: .9375em ui-monospace, Consolas, "DejaVu Sans Mono", monospace; color: var(--ink); }
"""

_HOME = "Go to the home page"
_STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
# "sign-in" must not end a line at its hyphen. The hyphen that does not break (U+2011) is missing
# from many fonts, and some screen readers leave it out.
_HYPHENATED = re.compile(r"\w+(?:-\w+)+", re.ASCII)
_ORIGIN = re.compile(r"(https?://(?:[A-Za-z0-9.-]+)(?::[0-9]{1,5})?)(?:[/?#].*)?", re.ASCII)
_ORIGIN_IPV6 = re.compile(r"(https?:)//\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?(?:[/?#].*)?", re.ASCII)


def content_security_policy(form_targets: tuple[str, ...] = ()) -> str:
    """Return the ``Content-Security-Policy`` of these pages: their own style and nothing else.

    ``form_targets`` are the http or https URLs that a form's answer may redirect to, beside this
    site: browsers hold ``form-action`` against each redirect that follows a submission, and a
    sign-out goes on to the provider. Of each only the origin is used. Anything else is left out,
    so that a strange value blocks the form and cannot add a directive.
    """
    sources = ["'self'", *filter(None, map(_source, form_targets))]
    return (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {' '.join(dict.fromkeys(sources))}"
    )


def framing_policy(by: str | None) -> str:
    """Return the policy of an empty page that nobody but the origin of the URL ``by`` may frame."""
    source = (None if by is None else _source(by)) or "'none'"
    return f"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {source}"


def failed(sentence: str, *, reference: str, sign_in: str, home: str) -> str:
    """Return the page for a sign-in that failed; ``sentence`` is the error's public one."""
    return _page(
        "You could not be signed in",
        _paragraph(sentence),
        _ways(_first_link("Sign in again", sign_in), _home_link(home)),
        _note(reference),
    )


def failed_for_good(sentence: str, *, reference: str, sign_in: str, home: str) -> str:
    """Return the page for a sign-in that only the site's owner can help; otherwise as ``failed``.

    To sign in again would end here again, so it is not the first thing to press.
    """
    return _page(
        "You could not be signed in",
        _paragraph(sentence),
        _ways(_first_link(_HOME, home), _link("Sign in again", sign_in)),
        _note(reference),
    )


def not_like_this(sentence: str, *, reference: str, home: str) -> str:
    """Return the page for an address of ours that is not for a visitor to go to like this."""
    return _page(
        "This address works in another way",
        _paragraph(sentence),
        _ways(_first_link(_HOME, home)),
        _note(reference),
    )


def cancelled(*, reference: str, sign_in: str, home: str) -> str:
    """Return the page for a visitor who said no at the provider (``access_denied``)."""
    return _page(
        "Sign-in cancelled",
        _paragraph("You are not signed in. You can try again whenever you like."),
        _ways(_first_link("Sign in again", sign_in), _home_link(home)),
        _note(reference),
    )


def expired(*, reference: str, sign_in: str, home: str) -> str:
    """Return the page for a sign-in that took too long, and could not be started again by itself.

    Cookies are named because a browser that keeps none ends here every time (row P8).
    """
    return _page(
        "This sign-in has expired",
        _paragraph("It was open for too long, or your browser did not keep its cookies."),
        _paragraph("If this happens again, allow cookies for this site."),
        _ways(_first_link("Sign in again", sign_in), _home_link(home)),
        _note(reference),
    )


def offer(*, reference: str, sign_in: str, home: str) -> str:
    """Return the page for a callback URL opened in another browser, or used before (row P7)."""
    return _page(
        "You are not signed in here",
        _paragraph("This link belongs to a sign-in in another browser, or it was used before."),
        _ways(_first_link("Sign in", sign_in), _home_link(home)),
        _note(reference),
    )


def signed_in(next_path: str) -> str:
    """Return the page that a sign-in passes through where a redirect would lose the session."""
    return _page("You are signed in", _ways(_first_link("Continue", next_path)))


def signed_out(*, sign_in: str, home: str) -> str:
    """Return the page that a sign-out ends at where the site has no page for it."""
    return _page(
        "You are signed out",
        _paragraph("You can close this page, or sign in again."),
        _ways(_first_link("Sign in again", sign_in), _home_link(home)),
    )


def confirm_sign_out(*, action: str, proof: str, next_path: str, home: str) -> str:
    """Return the page that asks before a sign-out that another site asked for (forged request).

    The form posts ``proof`` and ``next`` to ``action``; ``proof`` is what another site can't know.
    """
    form = (
        f'<form class="ways" method="post" action="{escape(action)}">'
        f'<input type="hidden" name="proof" value="{escape(proof)}">'
        f'<input type="hidden" name="next" value="{escape(next_path)}">'
        '<button class="way first" type="submit">Sign out</button>'
        f'<a class="way" href="{escape(home)}">Stay signed in</a>'
        "</form>"
    )
    return _page(
        "Do you want to sign out?", _paragraph("You will be signed out of this site."), form
    )


def _page(title: str, *parts: str) -> str:
    inside = "\n".join(parts)
    heading = _HYPHENATED.sub(r'<span class="word">\g<0></span>', escape(title))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{heading}</h1>\n{inside}\n</main>\n</body>\n</html>\n"
    )


def _paragraph(sentence: str) -> str:
    return f"<p>{escape(sentence)}</p>"


def _ways(*links: str) -> str:
    return f'<div class="ways">{"".join(links)}</div>'


def _first_link(label: str, address: str) -> str:
    return f'<a class="way first" href="{escape(address)}">{escape(label)}</a>'


def _link(label: str, address: str) -> str:
    return f'<a class="way" href="{escape(address)}">{escape(label)}</a>'


def _home_link(address: str) -> str:
    return _link(_HOME, address)


def _note(reference: str) -> str:
    return (
        '<p class="note">If you ask for help, give this reference: '
        f"<code>{escape(reference)}</code></p>"
    )


def _source(url: str) -> str | None:
    """Return what a policy calls ``url``.

    The grammar of CSP Level 3 section 2.3.1 has no IPv6 address: its scheme must do.
    """
    match = _ORIGIN.fullmatch(url) or _ORIGIN_IPV6.fullmatch(url)
    return match[1] if match else None
