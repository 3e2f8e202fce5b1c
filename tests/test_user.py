"""Who is signed in, as an app and Starlette's own helpers see it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.authentication import has_required_scope, requires
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from intastellar_auth.user import ANONYMOUS, NO_AUTH, AnonymousUser, Auth, User, pack_claims

ISSUER = "https://id.example.com"
NAMES = {"name": "Alice A.", "preferred_username": "alice", "email": "alice@example.com"}


def user(**claims: object) -> User:
    """Return Alice with ``claims``."""
    return User("sub-1", ISSUER, claims)


@pytest.mark.parametrize(
    ("without", "name"),
    [
        ((), "Alice A."),
        (("name",), "alice"),
        (("name", "preferred_username"), "alice@example.com"),
        (("name", "preferred_username", "email"), "sub-1"),
    ],
)
def test_a_user_is_greeted_by_the_first_name_there_is(without: tuple[str, ...], name: str) -> None:
    """IM-05."""
    assert user(**{key: NAMES[key] for key in NAMES if key not in without}).display_name == name


@pytest.mark.parametrize("claim", NAMES)
@pytest.mark.parametrize("value", [None, "", "  ", "\t\n", 7, True, ["Alice"], {"en": "Alice"}])
def test_a_name_that_is_none_is_passed_over(claim: str, value: object) -> None:
    """IM-05: a provider may send any of these."""
    assert user(**{claim: value}).display_name == "sub-1"
    assert user(**{claim: value}).email is None


@given(st.dictionaries(st.sampled_from([*NAMES, "x"]), st.none() | st.integers() | st.text()))
def test_there_is_always_a_name_to_show(claims: dict[str, object]) -> None:
    assert User("sub-1", ISSUER, claims).display_name.strip()


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.text() | st.lists(st.text())))
def test_packed_claims_are_the_claims(claims: dict[str, object]) -> None:
    alice = User("sub-1", ISSUER, pack_claims(claims))
    assert alice.claims == {**claims, "sub": "sub-1", "iss": ISSUER}
    assert alice.claims is alice.claims


def test_the_claims_say_whose_session_it_is_and_when_it_began() -> None:
    """Whatever ``INTASTELLAR_CLAIMS`` names, and whatever a claim calls itself."""
    told = {"name": "Alice", "sub": "another", "iss": "https://evil.example"}
    alice = User("sub-1", ISSUER, pack_claims(told), sid="s-1", auth_time=1_800_000_000.0)
    assert alice.claims == {
        "sub": "sub-1",
        "iss": ISSUER,
        "sid": "s-1",
        "auth_time": 1_800_000_000,
        "name": "Alice",
    }
    assert "s-1" not in repr(alice)
    assert User("sub-1", ISSUER, {"name": "Alice"}).claims.keys() == {"sub", "iss", "name"}


def test_a_user_does_not_change() -> None:
    """It is shared between requests."""
    with pytest.raises(AttributeError):
        user().sub = "mallory"  # type: ignore[misc]  # what is promised not to work


def test_a_user_is_known_by_issuer_and_sub_alone() -> None:
    """OpenID Connect Core section 5.7: never by a claim that can change hands."""
    alice = user(email="alice@example.com")
    assert alice == user(email="new@example.com")
    assert hash(alice) == hash(user())
    assert alice != User("sub-2", ISSUER, alice.claims)
    assert alice != User("sub-1", "https://id.example.org", alice.claims)
    assert len({alice, user(), User("sub-2", ISSUER)}) == 2


def test_a_user_has_the_attributes_of_starlette_s() -> None:
    alice = user(email="alice@example.com")
    assert alice.is_authenticated
    assert (alice.identity, alice.sub, alice.iss) == ("sub-1", "sub-1", ISSUER)
    assert alice.email == "alice@example.com"
    assert alice.claims["email"] == "alice@example.com"


def test_nobody_has_every_attribute_of_a_user() -> None:
    """So that templates need no ``if``."""
    public = {name for name in dir(User) if not name.startswith("_")}
    assert public <= set(dir(ANONYMOUS))
    assert not ANONYMOUS.is_authenticated
    assert (ANONYMOUS.identity, ANONYMOUS.display_name, ANONYMOUS.claims) == ("", "", {})
    assert [ANONYMOUS.sub, ANONYMOUS.iss, ANONYMOUS.email] == [None] * 3


def test_nobody_is_like_nobody_else_and_may_be_a_key() -> None:
    assert AnonymousUser() == ANONYMOUS
    assert len({ANONYMOUS, AnonymousUser(), user(), User("", "")}) == 3


def test_neither_a_user_nor_what_they_may_do_shows_a_claim_or_a_token() -> None:
    """TM-05."""
    assert "alice@example.com" not in repr(user(email="alice@example.com"))
    assert "a-token" not in repr(Auth(("authenticated",), access_token="a-token"))


def connection(who: User | AnonymousUser, auth: Auth) -> Request:
    """Return a request as the app gets it."""
    return Request({"type": "http", "method": "GET", "headers": [], "user": who, "auth": auth})


@requires(["authenticated", "email"])
def page(request: Request) -> Response:
    """Greet the user."""
    return Response(request.user.display_name)


def test_starlette_s_requires_lets_a_user_with_the_scopes_in() -> None:
    auth = Auth(("authenticated", "openid", "email"))
    request = connection(user(name="Alice"), auth)
    assert has_required_scope(request, ["authenticated"])
    assert request.auth.access_token is None
    assert page(request).body == b"Alice"


@pytest.mark.parametrize(
    ("who", "auth"), [(ANONYMOUS, NO_AUTH), (user(), Auth(("authenticated",)))]
)
def test_starlette_s_requires_keeps_everyone_else_out(
    who: User | AnonymousUser, auth: Auth
) -> None:
    with pytest.raises(HTTPException) as refused:
        page(connection(who, auth))
    assert refused.value.status_code == 403
