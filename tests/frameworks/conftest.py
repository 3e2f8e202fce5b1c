"""Django in this process, asked through either kind of server interface."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias, cast

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import override_settings

from intastellar_auth import asgi, wsgi
from tests.frameworks import django_site
from tests.frameworks.visitors import ask_asgi, ask_wsgi, make_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    from starlette.types import ASGIApp

    Ask: TypeAlias = Callable[..., httpx.Response]
    Site: TypeAlias = Callable[..., Ask]


# Before any test is read: Django's models cannot be imported earlier.
django_site.configure()


@pytest.fixture(scope="package")
def django(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give Django a database."""
    django_site.migrate(tmp_path_factory.mktemp("django"))
    yield
    connections.close_all()


@pytest.fixture(params=["wsgi", "asgi"])
def site(django: None, request: pytest.FixtureRequest) -> Site:  # noqa: ARG001 - needs a database
    """Return what makes the site, as Django's settings then are, and returns how to ask it."""

    def behind_wsgi(**values: object) -> Ask:
        return partial(ask_wsgi, wsgi.AuthMiddleware(WSGIHandler(), make_settings(**values)))

    def behind_asgi(**values: object) -> Ask:
        app = cast("ASGIApp", ASGIHandler())  # its messages are mappings, where ASGI says dict
        return partial(ask_asgi, asgi.AuthMiddleware(app, make_settings(**values)))

    return behind_wsgi if request.param == "wsgi" else behind_asgi


@pytest.fixture
def plain(site: Site) -> Iterator[Ask]:
    """Return how to ask a site without a database."""
    with override_settings(**django_site.PLAIN):
        yield site()
