"""Which paths need a user, however they are spelt."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from intastellar_auth.core.paths import MAX_PATH, PathRules, spellings

ALL_BUT_PUBLIC = PathRules.of(["*"], ["/public/*", "/healthz"])
ADMIN_ONLY = PathRules.of(["/admin/*"], [])


def test_nothing_protected_means_nobody_is_asked() -> None:
    assert PathRules.of([], []).protected is None
    assert not PathRules.of([], ["/x"]).needs_user("/anything/../at//all")


@pytest.mark.parametrize(
    ("glob", "path", "needs"),
    [
        ("*", "/", True),
        ("*", "", True),
        ("*", "/a/b", True),
        ("/*", "/", True),
        ("/*", "/a/b", True),
        ("/admin/*", "/admin", True),
        ("/admin/*", "/admin/", True),
        ("/admin/*", "/admin/a/b", True),
        ("/admin/*", "/administrator", False),
        ("/admin/*", "/x/admin/a", False),
        ("/admin", "/admin", True),
        ("/admin", "/admin/", True),
        ("/admin", "/admin/a", False),
        ("/admin*", "/administrator", True),
        ("*/edit", "/posts/1/edit", True),
        ("*/edit", "/posts/1/edit/x", False),
        ("/a/*/c", "/a/b/b/c", True),
        ("/v?/x", "/v1/x", True),
        ("/v?/x", "/v12/x", False),
        ("/a.b", "/a.b", True),
        ("/a.b", "/axb", False),
        ("/[ab]", "/[ab]", True),
        ("/[ab]", "/a", False),
        ("/a+(b|c)$", "/a+(b|c)$", True),
        ("/caf\u00e9", "/caf%C3%A9", True),
    ],
)
def test_a_glob_matches_what_it_says(glob: str, path: str, needs: bool) -> None:
    assert PathRules.of([glob], []).needs_user(path) is needs


@pytest.mark.parametrize(
    "path",
    [
        "/public/..%2fadmin",
        "/public/../admin",
        "/public/%2e%2e/admin",
        "/public/%252e%252e/admin",
        "//admin",
        "/admin;/public",
        "/admin;x=/public/a",
        "/%61dmin",
        "/%2561dmin",
        "/public%23/../admin",
        "/public#/../admin",
        "/x?y=/public",
        "/public\\..\\admin",
        "/public%5c..%5cadmin",
        "/public/..;/admin",
        "/public/..;x=1/admin",
        "/public/.. /admin",
        "/public/..%00/admin",
        "/ADMIN",
        "/admin.",
        "/admin%20",
        "/admin%00.css",
        "/public/./../admin",
        "/public//../admin",
        "/public/x/..//../admin",
        "/PUBLIC/a",
        "/healthz/",
        "/healthz.",
        "/healthz;a",
        "/HEALTHZ",
        "http://host/admin",
        "http:/admin",
        "admin",
        "",
        "/public/%25252525",
        "/public/" + "a/../" * MAX_PATH,
    ],
)
def test_no_spelling_makes_a_protected_path_public(path: str) -> None:
    """PX-03, AD-25, AD-29."""
    assert ALL_BUT_PUBLIC.needs_user(path)


@pytest.mark.parametrize(
    "path",
    [
        *("//admin", "/%61dmin", "/ADMIN/x", "/admin;x", "/admin.", "/admin%00", "/x/../admin"),
        *("/admin%23", "/x\\..\\admin", "/./admin", "http://host/admin/x", "/admin%3fx"),
        *("/%2561dmin", "/admin%2fx", "/admin%252fx", "admin", "/a%2f..%2fadmin", "\\admin"),
        *("/admin?x", "/admin#x"),
    ],
)  # fmt: skip
def test_a_single_protected_path_is_found_in_any_spelling(path: str) -> None:
    """PX-03."""
    assert ADMIN_ONLY.needs_user(path)


@pytest.mark.parametrize(
    "path", ["/public", "/public/", "/public/a.css", "/public/a%20b", "/public/a;v=1", "/healthz"]
)
def test_a_public_path_written_honestly_is_public(path: str) -> None:
    assert not ALL_BUT_PUBLIC.needs_user(path)


@pytest.mark.parametrize("path", ["/", "/x", "/x/../y", "/.well-known/x", "/x%20y", "*"])
def test_other_paths_are_open(path: str) -> None:
    assert not ADMIN_ONLY.needs_user(path)


def test_a_path_that_cannot_be_read_is_refused() -> None:
    assert spellings("/%25252541") is None
    assert spellings("/" + "." * MAX_PATH) is None
    assert ADMIN_ONLY.needs_user("/" + "." * MAX_PATH)


SEGMENT = st.text("abcXYZ019_-", min_size=1, max_size=6)


def doubled(path: str) -> str:
    return path.replace("/", "//", 1)


def encoded(path: str) -> str:
    return "/" + "".join(f"%{ord(c):02x}" for c in path[1:])


TRICKS = st.sampled_from(
    [
        doubled,
        encoded,
        str.upper,
        str.swapcase,
        lambda path: quote(path, safe="/"),
        lambda path: quote(path, safe=""),
        lambda path: "/public/.." + path,
        lambda path: "/public/%2e%2e" + path,
        lambda path: "/public/..%2f" + path[1:],
        lambda path: "/public/..;/" + path[1:],
        lambda path: "/./" + path[1:],
        lambda path: path.replace("/", "\\"),
        lambda path: path.replace("/", ";public/"),
        lambda path: path + ";a=b",
        lambda path: path + ".",
        lambda path: path + "%20",
        lambda path: path + "\x00",
        lambda path: path + "/",
        lambda path: path + "?x=/public/",
        lambda path: path + "#/public/",
        lambda path: path + "/x/..",
    ]
)


@settings(max_examples=200)
@given(st.lists(SEGMENT, min_size=1, max_size=3), TRICKS)
def test_any_trick_on_a_protected_path_leaves_it_protected(
    segments: list[str], trick: object
) -> None:
    """PX-03."""
    assert callable(trick)
    path = trick("/admin/" + "/".join(segments))
    assert ADMIN_ONLY.needs_user(path)
    assert ALL_BUT_PUBLIC.needs_user(path)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["/", "a", ".", "%2e", "%25", ";", "\\", "%", " ", "\0", "é"])))
def test_any_path_gets_an_answer_and_reads_as_itself(pieces: list[str]) -> None:
    path = "".join(pieces)
    readings = spellings(path)
    assume(readings is not None)
    assert readings is not None
    assert path in readings
    assert ALL_BUT_PUBLIC.needs_user(path) in (True, False)


@settings(max_examples=100)
@given(st.lists(SEGMENT, max_size=4), st.booleans())
def test_the_fast_way_agrees_with_the_slow_one(segments: list[str], slash: bool) -> None:
    path = "/" + "/".join(segments) + ("/" if slash and segments else "")
    assert spellings(path) == frozenset({path})
    assert ADMIN_ONLY.needs_user(path) == ADMIN_ONLY.needs_user("/." + path)


def seconds(rules: PathRules, path: str) -> float:
    """Return the fastest of three, so that a busy machine does not count."""
    costs = []
    for _ in range(3):
        start = time.process_time()
        rules.needs_user(path)
        costs.append(time.process_time() - start)
    return min(costs)


@pytest.mark.parametrize(
    "path",
    [
        "/" + "a" * 60_000 + "!",
        "/" + "a/" * 4000 + "!",
        "/" + "a" * 60_000,
        "/" + "%25" * 2700,
        "/" + "../" * 2700,
        "/" + ";" * 8000,
        "a:" * 4000,
    ],
)
def test_no_path_costs_more_than_a_moment(path: str) -> None:
    """Many stars against many near misses; a backtracking matcher needs hours for these."""
    rules = PathRules.of(["/*a*a*a*a*a*b", "*a*a*a*a*c"], ["/*a*a*a*d"])
    assert seconds(rules, path) < 1
