"""A strict OpenID provider for development and tests: loopback only, everything in memory.

``create_provider(issuer, clients)`` is an ASGI app; ``intastellar-auth devprovider`` runs it as a
server. No other part of the package imports this one.
"""

from intastellar_auth.devprovider.app import create_provider
from intastellar_auth.devprovider.clients import DevClient
from intastellar_auth.devprovider.faults import FAULTS
from intastellar_auth.devprovider.state import Lifetimes, Provider
from intastellar_auth.devprovider.users import DEFAULT_USERS, DevUser

__all__ = [
    "DEFAULT_USERS",
    "FAULTS",
    "DevClient",
    "DevUser",
    "Lifetimes",
    "Provider",
    "create_provider",
]
