"""What a query says. The same one is read many times, by everyone who looks on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import parse_qsl


@lru_cache(maxsize=4096)
def parameters(query: str) -> Mapping[str, str]:
    """Return the parameters of ``query``, or of a form."""
    return MappingProxyType(dict(parse_qsl(query)))


def parameters_of(url: str) -> Mapping[str, str]:
    """Return the parameters of the query of ``url``, which has no fragment."""
    return parameters(url.partition("?")[2])
