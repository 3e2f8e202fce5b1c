"""The test client of Django, signed in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from django.contrib.auth.models import User as Account
from django.test import AsyncClient, Client, override_settings

from intastellar_auth import User
from intastellar_auth.django import username_of
from intastellar_auth.django_testing import sign_in, sign_out
from intastellar_auth.testing import ISSUER
from tests.frameworks.django_site import BACKEND, PLAIN
from tests.frameworks.visitors import OTHER_ISSUER, SCRIPT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http.response import HttpResponseBase

    Get = Callable[[str], HttpResponseBase]

ALICE = User("alice", ISSUER)


@pytest.fixture(params=[Client, AsyncClient])
def client(django: None, request: pytest.FixtureRequest) -> Iterator[Client | AsyncClient]:  # noqa: ARG001 - needs a database
    """Return one client of each kind, on a site that has no accounts yet."""
    client: Client | AsyncClient = request.param()
    yield client
    Account.objects.all().delete()


@pytest.fixture
def get(client: Client | AsyncClient) -> Get:
    """Return how to ask for a path, as a script, with ``client``."""

    def ask(path: str) -> HttpResponseBase:
        if isinstance(client, Client):
            return client.get(path, headers=SCRIPT)
        return anyio.run(lambda: client.get(path, headers=SCRIPT))

    return ask


def _text(answer: HttpResponseBase) -> str:
    return answer.getvalue().decode()


def test_a_client_is_signed_in_and_out_and_in_as_somebody_else(
    client: Client | AsyncClient, get: Get
) -> None:
    with override_settings(**PLAIN):
        assert _text(get("/")) == "nobody"
        sign_in(client, claims={"name": "Alice Example"})
        assert _text(get("/")) == "alice"
        sign_in(client, "bob")
        assert _text(get("/members")) == "members"
        assert _text(get("/typed")) == "bob"
        sign_out(client)
        assert get("/members").status_code == 401


def test_a_client_has_the_scopes_that_the_test_says(client: Client | AsyncClient, get: Get) -> None:
    sign_in(client, scopes="read")
    assert get("/reports").status_code == 403
    sign_in(client, scopes=["read", "list"])
    assert _text(get("/reports")) == "reports"


def test_the_account_is_that_of_a_real_sign_in(client: Client | AsyncClient, get: Get) -> None:
    sign_in(client)
    get("/who")
    assert Account.objects.get().get_username() == username_of(ALICE)
    assert '"signed_in": true' in _text(get("/who-later"))
    sign_out(client)
    assert '"signed_in": false' in _text(get("/who-later"))


def test_an_issuer_may_be_said(client: Client | AsyncClient, get: Get) -> None:
    sign_in(client, iss=OTHER_ISSUER)
    get("/who")
    assert Account.objects.get().get_username() == username_of(User("alice", OTHER_ISSUER))


def test_djangos_own_force_login_goes_on_as_before(get: Get, client: Client | AsyncClient) -> None:
    account = Account.objects.create_user("an-account-of-the-tests")
    client.force_login(account, BACKEND)
    for _ in range(2):
        assert '"django": "an-account-of-the-tests"' in _text(get("/who"))
        assert _text(get("/theirs")) == "theirs"
