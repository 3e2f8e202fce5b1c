"""An attempt: a ``state`` that any provider carries, and a cookie that this browser alone has."""

from __future__ import annotations

import base64
from dataclasses import fields, replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intastellar_auth.core.attempt import MAX_ATTEMPTS, MAX_BYTES, Attempt
from intastellar_auth.core.return_to import MAX_RETURN_PATH
from intastellar_auth.core.seal import from_text, to_text
from intastellar_auth.errors import StateRefused
from tests.hostile.jar import Jar, parse

from .parts import LOGIN_PREFIX, NOW, TIMEOUT, WINDOW, attempts, sealer

ours = attempts()
paths = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="\\"),
    max_size=MAX_RETURN_PATH - 1,
).map("/".__add__)


def start(jar: Jar, return_to: str = "/", now: float = NOW) -> tuple[Attempt, str]:
    """Start a sign-in in the browser of ``jar``."""
    attempt, state = ours.begin(return_to, now, 0)
    jar.take(ours.keep(attempt, state, jar.header("/auth/login").encode()))
    return attempt, state


def found(jar: Jar, state: str) -> Attempt | None:
    """Return what ``jar`` gives for ``state`` at the callback."""
    return ours.find(jar.header("/auth/callback").encode(), state, ours.read_state(state))


def refusal(state: str | None) -> str:
    """Return why ``state`` is refused."""
    with pytest.raises(StateRefused) as caught:
        ours.read_state(state)
    return caught.value.detail


@given(paths, st.integers(0, 1))
def test_a_state_is_short_whatever_the_way_back(path: str, restarts: int) -> None:
    """Some providers cut it off at 256 characters."""
    attempt, state = ours.begin(path, NOW, restarts)
    read = ours.read_state(state)
    assert len(state) < 256
    assert state.isascii()
    assert (read.id, read.restarts) == (attempt.id, restarts)
    assert read.return_to in ("", path)
    assert attempt.return_to == path


def test_a_state_is_short_for_a_path_of_each_length() -> None:
    """The path is in it as long as it fits, and in the cookie alone beyond that."""
    carried = []
    for length in range(1, 300):
        path = "/" + "p" * (length - 1)
        _, state = ours.begin(path, NOW, 1)
        assert len(state) < 256
        carried.append(ours.read_state(state).return_to == path)
    assert sum(carried) >= 100
    assert carried == sorted(carried, reverse=True)


def test_a_long_way_back_travels_in_the_cookie_only() -> None:
    jar, path = Jar(https=True), "/" + "p" * (MAX_RETURN_PATH - 1)
    attempt, state = start(jar, path)
    assert ours.read_state(state).return_to == ""
    assert found(jar, state) == attempt
    assert attempt.return_to == path


def test_attempts_have_nothing_in_common() -> None:
    """RQ-02, AD-93 (CVE-2022-31034): 1000 of the same moment and path."""
    begun = [ours.begin("/", NOW, 0) for _ in range(1000)]
    seen: set[str | bytes] = set()
    for attempt, state in begun:
        seen |= {state, attempt.nonce, attempt.code_verifier, attempt.receipt, attempt.id}
        assert len(attempt.code_verifier) == len(attempt.nonce) == 43
        assert (len(attempt.receipt), len(attempt.id)) == (32, 16)
    assert len(seen) == 5000


def test_all_chance_is_asked_of_the_one_source_and_none_is_used_twice() -> None:
    """RQ-02, TM-03: nonce, verifier and receipt are independent of each other."""
    drawn: list[bytes] = []

    def token_bytes(count: int) -> bytes:
        drawn.append(bytes([len(drawn)]) * count)
        return drawn[-1]

    attempt, _ = replace(ours, token_bytes=token_bytes).begin("/", NOW, 0)
    used = [attempt.id, attempt.receipt, from_text(attempt.nonce.encode())]
    assert [*used, from_text(attempt.code_verifier.encode())] == drawn


def test_a_state_does_not_show_where_the_visitor_goes() -> None:
    _, state = ours.begin("/private/page", NOW, 0)
    assert b"private" not in base64.urlsafe_b64decode(state + "===")


def test_a_missing_or_endless_state_is_refused() -> None:
    """CB-01, CB-02."""
    assert refusal(None) == "the callback has no state"
    assert refusal("A" * 257) == refusal("A" * 100_000) == "the state is longer than any of ours"


@given(st.text(max_size=256))
def test_a_forged_state_is_refused(state: str) -> None:
    """CK-07."""
    assert refusal(state) == "the state is forged, or its SECRET_KEYS are gone"


def test_a_state_with_any_character_changed_is_refused() -> None:
    """CK-07: with the same words at each place."""
    _, state = ours.begin("/page", NOW, 0)
    others = ["A" if character != "A" else "B" for character in state]
    words = {refusal(state[:at] + other + state[at + 1 :]) for at, other in enumerate(others)}
    assert words == {"the state is forged, or its SECRET_KEYS are gone"}


def test_a_state_of_another_site_or_purpose_is_refused() -> None:
    """CB-25, CB-26, AD-84."""
    attempt, state = attempts(site="https://id.example.org").begin("/", NOW, 0)
    assert "forged" in refusal(state)
    value = parse(ours.keep(attempt, state, b"")[0]).value
    assert "longer" in refusal(value) or "forged" in refusal(value)


def test_a_login_cookie_of_another_site_is_not_found() -> None:
    """CB-25 (CVE-2026-73419): even under the name that it would have here."""
    attempt, state = ours.begin("/", NOW, 0)
    theirs = attempts(site="https://id.example.org")
    header = theirs.keep(attempt, state, b"")[0].partition(";")[0].encode()
    assert theirs.find(header, state, ours.read_state(state)) == attempt
    assert ours.find(header, state, ours.read_state(state)) is None


def test_what_an_other_version_sealed_is_no_state_and_no_attempt() -> None:
    """CS-11: a key lives longer than the shape of what it seals."""
    attempt, state = ours.begin("/", NOW, 0)
    name = parse(ours.keep(attempt, state, b"")[0]).name
    for value in (b"", b"\xc1", b"\x80", b"\x81\xa2id\x01", b"\x81\xa9return_to\xa1\xff"):
        assert "forged" in refusal(to_text(ours.state_sealer.seal(value)))
        planted = f"{name}={to_text(ours.cookie_sealer.seal(value))}".encode()
        assert ours.find(planted, state, ours.read_state(state)) is None


def test_only_the_browser_with_the_cookie_finds_its_attempt() -> None:
    """CB-03, CS-02 (RFC 9700 section 4.7)."""
    one, two = Jar(https=True), Jar(https=True)
    attempt, state = start(one)
    _, other = start(two)
    assert found(one, state) == attempt
    assert found(two, state) is None
    assert found(one, other) is None


def test_a_cookie_under_the_name_of_another_state_is_not_its_attempt() -> None:
    """CB-03: a sibling domain may plant a cookie of its own under the name of ours."""
    jar = Jar(https=True)
    attempt, state = start(jar)
    start(jar)
    first, second = jar.cookies.values()
    ours_, theirs = f"{first.name}={first.value}", f"{first.name}={second.value}"
    read = ours.read_state(state)
    assert ours.find(theirs.encode(), state, read) is None
    for pair in ((ours_, theirs), (theirs, ours_), (f"{first.name}=x", ours_)):
        assert ours.find("; ".join(pair).encode(), state, read) == attempt


def test_each_tab_keeps_its_own_attempt() -> None:
    """Row P11."""
    jar = Jar(https=True)
    begun = [start(jar, f"/{number}", NOW + number) for number in range(MAX_ATTEMPTS)]
    assert [found(jar, state) for _, state in begun] == [attempt for attempt, _ in begun]


def test_a_login_cookie_is_locked_to_this_host() -> None:
    """CK-01; AD-98."""
    attempt, state = ours.begin("/", NOW, 0)
    (header,) = ours.keep(attempt, state, b"")
    kept = parse(header)
    assert kept.name.startswith(LOGIN_PREFIX)
    assert kept.attributes.items() == {
        *(("path", "/"), ("max-age", str(int(TIMEOUT + WINDOW)))),
        *(("secure", ""), ("httponly", ""), ("samesite", "Lax")),
    }


@pytest.mark.parametrize("path", ["/", "/" + "p" * 400, "/" + "p" * (MAX_RETURN_PATH - 1)])
def test_abandoned_attempts_do_not_pile_up(path: str) -> None:
    """CB-24, AD-95 (CVE-2021-22119): 500 starts, and the last one can still be finished."""
    jar, begun = Jar(https=True), []
    for number in range(500):
        begun.append(start(jar, path, NOW + number))
        header = jar.header("/auth/callback")
        assert len(jar.cookies) <= MAX_ATTEMPTS
        assert len(header) <= MAX_BYTES
    living = [found(jar, state) is not None for _, state in begun]
    assert living == sorted(living), "an older one outlived a newer one"
    assert living[-1]
    assert sum(living) == len(jar.cookies)
    assert path != "/" or len(jar.cookies) == MAX_ATTEMPTS


def test_what_does_not_open_goes_before_any_attempt_of_ours() -> None:
    """CB-24: planted cookies push no living attempt out."""
    jar = Jar(https=True)
    begun = [start(jar, "/", NOW + number) for number in range(MAX_ATTEMPTS - 1)]
    planted = [f"{LOGIN_PREFIX}{number:016x}=planted; Path=/; Secure" for number in range(10)]
    jar.take(planted)
    begun.append(start(jar, "/", NOW - 100))
    assert all(found(jar, state) for _, state in begun)
    assert len(jar.cookies) == MAX_ATTEMPTS


def test_a_flood_of_planted_cookies_is_cleared_in_a_few_answers() -> None:
    """CB-24, CK-19: no answer clears more than some, or it would be too large itself."""
    jar = Jar(https=True)
    jar.take([f"{LOGIN_PREFIX}{number:016x}=x; Path=/; Secure" for number in range(60)])
    for _ in range(5):
        _, state = start(jar)
        assert found(jar, state) is not None
    assert len(jar.cookies) <= MAX_ATTEMPTS


def test_only_login_cookies_are_removed_and_each_as_it_was_set() -> None:
    """LO-10, row P11: nothing else that the browser sent is touched."""
    attempt, state = ours.begin("/", NOW, 0)
    others = ["__Host-site=1x", "app=y", f"{LOGIN_PREFIX}short=z", "x__Host-site-login-0=1"]
    planted = [f"{LOGIN_PREFIX}{number:016x}=x" for number in range(6)]
    kept, *removed = map(parse, ours.keep(attempt, state, "; ".join(others + planted).encode()))
    assert {f"{cookie.name}=x" for cookie in removed} < set(planted)
    assert len(removed) == 2
    for cookie in removed:
        assert cookie.deletes
        assert {**kept.attributes, "max-age": "0"}.items() <= cookie.attributes.items()


@pytest.mark.parametrize(
    ("finished", "age", "is_open"),
    [(False, 0, True), (False, TIMEOUT - 1, True), (False, TIMEOUT, False), (True, 0, False)],
)
def test_an_attempt_is_open_until_it_is_finished_or_too_old(
    finished: bool, age: float, is_open: bool
) -> None:
    """Row P8: the time is inside the seal."""
    attempt = replace(ours.begin("/", NOW, 0)[0], finished=finished)
    assert ours.is_open(attempt, NOW + age) is is_open


def test_a_receipt_has_nothing_left_that_could_finish_the_attempt_again() -> None:
    """CK-25: neither nonce nor verifier; it stands in the place of the login cookie."""
    jar = Jar(https=True)
    attempt, state = start(jar, "/page")
    header = ours.receipt_cookie(attempt, state)
    (name,) = {cookie.name for cookie in jar.cookies.values()}
    assert parse(header).name == name
    assert parse(header).attributes["max-age"] == str(int(WINDOW))
    jar.take([header])
    receipt = found(jar, state)
    assert receipt == replace(attempt, finished=True, nonce="", code_verifier="")
    sealed = jar.named(name)
    opened = ours.cookie_sealer.open(from_text(sealed.encode()))
    assert attempt.nonce.encode() not in opened
    assert attempt.code_verifier.encode() not in opened
    assert attempt.receipt in opened


def test_an_attempt_remembers_that_it_was_silent() -> None:
    """RQ-13: in its cookie; one that an earlier version wrote was not."""
    jar = Jar(https=True)
    attempt, state = ours.begin("/", NOW, 0, silent=True)
    jar.take(ours.keep(attempt, state, b""))
    assert found(jar, state) == attempt
    assert attempt.silent
    name = parse(ours.keep(attempt, state, b"")[0]).name
    earlier = {each.name: getattr(attempt, each.name) for each in fields(attempt)}
    del earlier["silent"]
    sealed = to_text(ours.cookie_sealer.seal(msgspec.msgpack.encode(earlier)))
    read = ours.find(f"{name}={sealed}".encode(), state, ours.read_state(state))
    assert read == replace(attempt, silent=False)


def test_a_receipt_is_kept_for_a_second_at_least() -> None:
    """``Max-Age=0`` would take the login cookie away."""
    attempt, state = ours.begin("/", NOW, 0)
    brief = replace(ours, window=0.2)
    assert parse(brief.receipt_cookie(attempt, state)).attributes["max-age"] == "1"


def test_a_session_cookie_is_no_login_cookie() -> None:
    """CB-26, AD-82."""
    attempt, state = ours.begin("/", NOW, 0)
    name = parse(ours.keep(attempt, state, b"")[0]).name
    for value in (to_text(sealer("session", "__Host-site").seal(b"\x80")), "1", "", state):
        planted = f"{name}={value}".encode()
        assert ours.find(planted, state, ours.read_state(state)) is None


def test_an_attempt_shows_no_secret() -> None:
    """TM-05."""
    attempt, _ = ours.begin("/", NOW, 0)
    shown = repr(attempt)
    hidden = {"receipt", "nonce", "code_verifier"}
    assert {each.name for each in fields(attempt) if f"{each.name}=" not in shown} == hidden
    assert attempt.nonce not in shown
    assert attempt.code_verifier not in shown
