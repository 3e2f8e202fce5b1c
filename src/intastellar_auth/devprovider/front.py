"""The page at ``/``: what this provider knows, and what has happened, for whoever develops."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from intastellar_auth.devprovider.pages import entry, page
from intastellar_auth.devprovider.state import Provider, provider_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from intastellar_auth.devprovider.clients import DevClient
    from intastellar_auth.devprovider.users import DevUser

_LINKS: Final = {
    "/.well-known/openid-configuration": "The discovery document",
    "/_dev/log": "The log: these counts, and each request",
    "/_dev/faults": "The faults that can be ordered",
}


async def front(request: Request) -> Response:
    """Show the issuer, the clients, the users and the counts. No secret is on the page."""
    provider = provider_of(request)
    parts = {
        "What to configure": _settings(provider),
        "What has happened": _counts(provider.log.counts),
        "Test users": f"<dl>{''.join(map(_user, provider.users.values()))}</dl>",
        **{f"Client: {each.client_id}": _client(each) for each in provider.clients.values()},
        "More": f"<ul>{''.join(map(_link, _LINKS))}</ul>",
    }
    body = "".join(f"<h2>{escape(heading)}</h2>{html}" for heading, html in parts.items())
    return page("This provider is running", body)


def _settings(provider: Provider) -> str:
    scopes = f"<dt>Scopes</dt><dd>{escape(' '.join(provider.scopes))}</dd>"
    return f"<dl>{entry('Issuer', [provider.issuer])}{scopes}</dl>"


def _counts(counts: dict[str, int]) -> str:
    rows = (
        f'<tr><th scope="row">{name.replace("_", " ").capitalize()}</th><td>{count}</td></tr>'
        for name, count in counts.items()
    )
    return f"<table>{''.join(rows)}</table>"


def _user(user: DevUser) -> str:
    return f"<dt>{escape(user.sub)}</dt><dd>{escape(f'{user.name}, {user.email}')}</dd>"


def _client(client: DevClient) -> str:
    addresses = {
        "Redirect URIs": client.redirect_uris,
        "Addresses after a logout": client.post_logout_redirect_uris,
        "Back-channel logout URI": filter(None, [client.backchannel_logout_uri]),
    }
    return f"<dl>{''.join(entry(*each) for each in addresses.items())}</dl>"


def _link(address: str) -> str:
    return f'<li><a href="{address}">{_LINKS[address]}</a></li>'
