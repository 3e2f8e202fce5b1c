"""What ``manage.py check`` says of the settings."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from intastellar_auth.django import UserMiddleware
from tests.frameworks.django_site import AUTHENTICATION, OURS, PASSWORDS, PLAIN, SESSION
from tests.support.server import TESTS

RIGHT: dict[str, Any] = {"LOGIN_URL": "/auth/login", "WSGI_APPLICATION": "mysite.wsgi.application"}


class Derived(UserMiddleware):
    """A site's own, which does more."""


def _ids(**values: object) -> list[str]:
    with override_settings(**{**RIGHT, **values}):
        found = run_checks(tags=["security"])
    return [str(each.id) for each in found if str(each.id).startswith("intastellar_auth")]


@pytest.mark.parametrize(
    "middleware",
    [[SESSION, AUTHENTICATION, OURS], [SESSION, AUTHENTICATION, f"{__name__}.Derived"]],
)
def test_the_right_order_is_not_named(middleware: list[str]) -> None:
    assert _ids(MIDDLEWARE=middleware) == []


@pytest.mark.parametrize(
    "middleware",
    [
        [OURS, SESSION, AUTHENTICATION],
        [SESSION, OURS, AUTHENTICATION],
        [AUTHENTICATION, SESSION, OURS],
        [SESSION, OURS],
        [AUTHENTICATION, OURS],
    ],
)
def test_an_order_that_the_backend_cannot_do_with_is_an_error(middleware: list[str]) -> None:
    assert _ids(MIDDLEWARE=middleware) == ["intastellar_auth.E001"]
    assert _ids(MIDDLEWARE=middleware, AUTHENTICATION_BACKENDS=[PASSWORDS]) == []


@pytest.mark.parametrize("others", [[], ["no.such.Middleware"], [f"{__name__}._ids"]])
def test_a_middleware_that_is_missing_is_a_warning(others: list[str]) -> None:
    assert _ids(MIDDLEWARE=[SESSION, AUTHENTICATION, *others]) == ["intastellar_auth.W001"]


def test_a_server_for_development_that_goes_past_the_middleware_is_a_warning() -> None:
    assert _ids(WSGI_APPLICATION=None) == ["intastellar_auth.W002"]
    assert _ids(WSGI_APPLICATION=None, ASGI_APPLICATION="mysite.asgi.application") == []


def test_decorators_that_lead_nowhere_are_a_warning() -> None:
    # The site of these tests has set no LOGIN_URL.
    assert "intastellar_auth.W003" in {str(each.id) for each in run_checks(tags=["security"])}


def test_a_site_without_accounts_is_not_asked_for_what_they_need() -> None:
    assert _ids(**PLAIN) == []
    assert _ids(INSTALLED_APPS=[], MIDDLEWARE=[]) == ["intastellar_auth.W001"]


def test_manage_py_checks_the_example() -> None:
    example = TESTS.parent / "examples" / "django"
    key = "a-key-of-the-tests-and-of-nothing-else-with-fifty-characters"
    done = subprocess.run(  # noqa: S603 - a script of this project
        [sys.executable, example / "manage.py", "check"],
        env=os.environ | {"DJANGO_SECRET_KEY": key, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "no issues" in done.stdout
