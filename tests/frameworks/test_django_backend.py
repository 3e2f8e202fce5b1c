"""Django with accounts in its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from django.contrib import auth
from django.contrib.auth.models import Permission
from django.contrib.auth.models import User as Account
from django.contrib.sessions.backends.db import SessionStore
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth import User
from intastellar_auth.django import username_of
from tests.frameworks.django_site import BACKEND, OURS, PASSWORDS, SESSION
from tests.frameworks.visitors import ISSUER, OTHER_ISSUER, make_settings, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.frameworks.conftest import Ask, Site

ALICE = User("alice", ISSUER)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture
def ask(site: Site) -> Iterator[Ask]:
    """Return how to ask a site that has no accounts yet."""
    yield site()
    Account.objects.all().delete()


def _with(answer: httpx.Response, who: dict[str, str] | None = None) -> dict[str, str]:
    """Return the ``Cookie`` header of ``who``, or of nobody, with what ``answer`` sets."""
    ours = [who["cookie"]] if who else []
    return {"cookie": "; ".join([*ours, *(f"{k}={v}" for k, v in answer.cookies.items())])}


def test_a_user_gets_an_account_and_has_it_again_in_another_browser(ask: Ask) -> None:
    told = ask("/who", signed_in()).json()
    assert told == {"signed_in": True, "django": username_of(ALICE), "ours": "alice"}
    assert ask("/who", signed_in()).json() == told
    assert not Account.objects.get().has_usable_password()


def test_a_signed_in_user_keeps_djangos_session(ask: Ask) -> None:
    first = ask("/basket?put=apple", signed_in())
    assert ask("/basket", _with(first, signed_in())).json() == {"basket": "apple"}
    assert "sessionid" not in ask("/who", _with(first, signed_in())).cookies


def test_an_asynchronous_view_has_the_account_as_well(ask: Ask) -> None:
    told = ask("/who-later", signed_in()).json()
    assert told == {"signed_in": True, "django": username_of(ALICE)}
    assert ask("/who-later").json()["signed_in"] is False


def test_the_same_sub_of_another_issuer_is_another_account(ask: Ask) -> None:
    """IM-06."""
    ask("/who", signed_in("alice"))
    assert ask("/who", signed_in("alice", iss=OTHER_ISSUER)).json()["signed_in"] is True
    assert Account.objects.count() == 2


def test_an_account_is_not_found_by_its_email_or_its_name(ask: Ask) -> None:
    """ID-23."""
    Account.objects.create_user("alice", "alice@example.com", is_superuser=True)
    who = signed_in("alice", email="alice@example.com", email_verified=True)
    assert ask("/who", who).json()["django"] == username_of(ALICE)
    assert Account.objects.count() == 2


def test_signing_out_of_ours_signs_out_of_djangos(ask: Ask) -> None:
    kept = _with(ask("/basket?put=apple", signed_in()))
    assert ask("/who", kept).json()["signed_in"] is False
    assert ask("/basket", kept).json() == {"basket": None}


DOWN: dict[str, object] = {"session_mode": "server", "store_url": "redis://127.0.0.1:1"}
"""A store in which nobody can look whether a session is there: nothing listens at that port."""


def test_a_store_that_does_not_answer_takes_nothing_from_a_visitor(site: Site, ask: Ask) -> None:
    """They are nobody meanwhile, and have all that was theirs when it is back."""
    kept = _with(ask("/basket?put=apple", signed_in()))
    unsure = signed_in(settings=make_settings(**DOWN))
    for path in ("/who", "/who-later"):
        answer = site(**DOWN)(path, {"cookie": f"{unsure['cookie']}; {kept['cookie']}"})
        assert answer.json()["signed_in"] is False
        assert "sessionid" not in answer.cookies
    again = {"cookie": f"{signed_in()['cookie']}; {kept['cookie']}"}
    assert ask("/basket", again).json() == {"basket": "apple"}


def test_a_page_of_another_site_takes_nothing_from_a_visitor(
    ask: Ask, request: pytest.FixtureRequest
) -> None:
    """CK-24: under WSGI a WebSocket's handshake is a request like any other."""
    kept = _with(ask("/basket?put=apple", signed_in()))
    both = {"cookie": f"{signed_in()['cookie']}; {kept['cookie']}"}
    under_asgi = request.node.callspec.params["site"] == "asgi"
    handshake = {"upgrade": "websocket", "origin": "https://evil.example.com"}
    # Under ASGI this is no handshake, and the visitor's own.
    assert ask("/who", both | handshake).json()["signed_in"] is under_asgi
    assert ask("/basket", both).json() == {"basket": "apple"}


def test_nobody_inherits_the_session_of_somebody_else(ask: Ask) -> None:
    first = ask("/basket?put=apple", signed_in("alice"))
    answer = ask("/basket", _with(first, signed_in("bob")))
    assert answer.json() == {"basket": None}
    assert answer.cookies["sessionid"] != first.cookies["sessionid"]


def test_somebody_with_a_password_of_djangos_stays_signed_in(ask: Ask) -> None:
    account = Account.objects.create_user("admin", password="a-password")
    session = SessionStore()
    session[auth.SESSION_KEY] = str(account.pk)
    session[auth.BACKEND_SESSION_KEY] = PASSWORDS
    session[auth.HASH_SESSION_KEY] = account.get_session_auth_hash()
    session.save()
    local = {"cookie": f"sessionid={session.session_key}"}
    assert ask("/who", local).json() == {"signed_in": True, "django": "admin", "ours": None}


def test_an_account_that_is_not_active_is_refused_at_once(ask: Ask) -> None:
    """IM-07."""
    first = ask("/who", signed_in())
    Account.objects.update(is_active=False)
    assert ask("/who", _with(first, signed_in())).status_code == 403
    assert ask("/who", signed_in()).status_code == 403


def test_an_account_that_somebody_registered_ahead_is_refused(ask: Ask) -> None:
    Account.objects.create_user(username_of(ALICE), password="known-to-somebody-else")
    assert ask("/who", signed_in()).status_code == 403


def test_permissions_are_djangos(ask: Ask) -> None:
    ask("/who", signed_in())
    Account.objects.get().user_permissions.add(Permission.objects.get(codename="view_user"))
    with override_settings(AUTHENTICATION_BACKENDS=[BACKEND]):
        assert Account.objects.get().has_perm("auth.view_user")
        assert not Account.objects.get().has_perm("auth.delete_user")


def test_djangos_own_decorator_asks_to_sign_in_and_lets_pass(ask: Ask) -> None:
    with override_settings(LOGIN_URL="/auth/login"):
        assert ask("/theirs").headers["location"] == "/auth/login?next=/theirs"
    assert ask("/theirs", signed_in()).text == "theirs"


@pytest.mark.usefixtures("django")
def test_the_backend_takes_no_password_in_either_way() -> None:
    Account.objects.create_user("admin", password="a-password")
    credentials = {"username": "admin", "password": "a-password"}
    with override_settings(AUTHENTICATION_BACKENDS=[BACKEND]):
        assert auth.authenticate(None, **credentials) is None
        assert anyio.run(lambda: auth.aauthenticate(None, **credentials)) is None
        account = anyio.run(lambda: auth.aauthenticate(None, intastellar_user=ALICE))
    assert str(account) == username_of(ALICE)
    Account.objects.all().delete()


def test_without_the_backend_djangos_user_is_left_alone(site: Site) -> None:
    with override_settings(AUTHENTICATION_BACKENDS=[PASSWORDS]):
        told = site()("/who", signed_in()).json()
    assert told == {"signed_in": False, "django": "AnonymousUser", "ours": "alice"}


@pytest.mark.parametrize("others", [[], [SESSION]])
def test_a_site_without_djangos_session_is_told_what_the_backend_needs(
    site: Site, others: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(MIDDLEWARE=[*others, OURS]):
        assert site()("/who", signed_in()).status_code == 500
    assert "put SessionMiddleware and AuthenticationMiddleware before" in caplog.text


@given(TEXT, TEXT)
def test_a_name_fits_and_only_one_user_has_it(sub: str, other: str) -> None:
    name = username_of(User(sub, ISSUER))
    assert len(name) <= 150
    assert name.replace("-", "").isalnum()
    assert name == name.lower()
    assert (name == username_of(User(other, ISSUER))) is (sub == other)
    assert name != username_of(User(sub, OTHER_ISSUER))
