"""Flows run in the calling thread: each effect, each error, and work that outlives its request."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from intastellar_auth.core.effects import (
    Fetch,
    add,
    delete,
    fetch,
    get,
    get_many,
    pause,
    put,
    take,
    unbroken,
)
from intastellar_auth.drive.blocking import Outside
from intastellar_auth.errors import (
    ProviderTimeout,
    ProviderUnreachable,
    StateRefused,
    StoreUnavailable,
)
from intastellar_auth.stores import MemoryStore, SqliteStore
from tests.parity.provider import Provider
from tests.support.commands import UNMEASURED
from tests.support.server import TESTS, until
from tests.wsgi.visitor import Visitor

from .leading import make_app
from .wire import Wire, answering, silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from intastellar_auth.core.effects import Flow

PATIENCE = 20.0


class Interrupted(BaseException):
    """What a signal handler or a timeout throws into the thread that waits."""


def make_outside() -> Outside:
    return Outside(MemoryStore(), http_timeout=PATIENCE)


@contextmanager
def interrupted_once(event: threading.Event) -> Iterator[None]:
    """Throw ``Interrupted`` into this thread when ``event`` is set, as a worker's timeout does.

    The signal goes to the thread, as another one of the process would not be woken by it, and
    again until it is seen: one that comes just before the thread begins to wait does not wake it.
    """
    waiting, seen = threading.get_ident(), threading.Event()

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        seen.set()
        raise Interrupted

    def alarm() -> None:
        assert event.wait(PATIENCE)
        while not seen.wait(0.05):
            signal.pthread_kill(waiting, signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, interrupt)
    thread = threading.Thread(target=alarm)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGALRM, before)


def test_a_flow_is_sent_what_the_store_answers() -> None:
    def flow() -> Flow[list[object]]:
        yield from put("key", b"one", 60)
        answers: list[object] = [
            (yield from get("key")),
            (yield from add("key", b"two", 60)),
            (yield from take("key")),
            (yield from take("key")),
            (yield from add("key", b"three", 60)),
        ]
        answers += yield from get_many("other", "key")
        yield from delete("key")
        return [*answers, (yield from get("key"))]

    expected = [b"one", False, b"one", None, True, None, b"three", None]
    assert make_outside().run(flow()) == expected


def test_a_flow_is_sent_the_answer_of_the_provider() -> None:
    def flow(url: str) -> Flow[bytes]:
        return (yield from fetch(Fetch("GET", url))).body

    with Wire(answering(b'{"a": 1}')) as wire:
        assert make_outside().run(flow(wire.url)) == b'{"a": 1}'


def test_a_provider_that_does_not_answer_has_as_long_as_the_settings_say() -> None:
    outside = Outside(MemoryStore(), http_timeout=0.2)

    with Wire(silent) as wire, pytest.raises(ProviderTimeout, match=r"no answer within 0\.2 s"):
        outside.run(fetch(Fetch("GET", wire.url)))


def test_a_pause_lasts_as_long_as_it_says() -> None:
    begun = time.monotonic()

    make_outside().run(pause(0.05))

    assert time.monotonic() - begun >= 0.05


def test_an_error_of_ours_is_thrown_into_the_flow_which_may_go_on(tmp_path: Path) -> None:
    broken = SqliteStore(tmp_path / "no folder" / "store.db")

    def flow() -> Flow[list[str]]:
        caught: list[str] = []
        try:
            yield from get("key")
        except StoreUnavailable as error:
            caught.append(error.code)
        yield from pause(0)
        return caught

    assert Outside(broken, PATIENCE).run(flow()) == ["store_unavailable"]


def test_an_error_that_the_flow_does_not_catch_reaches_the_caller(tmp_path: Path) -> None:
    broken = SqliteStore(tmp_path / "no folder" / "store.db")

    with pytest.raises(StoreUnavailable):
        Outside(broken, PATIENCE).run(get("key"))


def test_a_request_that_is_given_up_lets_go_of_what_its_flow_holds() -> None:
    """A lock that is kept for ever would stop every later sign-in."""
    reached, released = threading.Event(), threading.Event()

    def flow() -> Flow[None]:
        try:
            reached.set()
            yield from pause(PATIENCE)
        finally:
            released.set()

    with interrupted_once(reached), pytest.raises(Interrupted) as given_up:
        make_outside().run(flow())

    # Although whoever reports the error still holds the frames that it came through.
    assert given_up.tb is not None
    assert released.is_set()


def test_unbroken_work_returns_to_the_flow_that_waits_and_has_a_thread_of_its_own() -> None:
    def work() -> Flow[threading.Thread]:
        yield from pause(0)
        return threading.current_thread()

    def flow() -> Flow[threading.Thread]:
        return (yield from unbroken(work()))

    assert make_outside().run(flow()) is not threading.current_thread()


def test_an_error_of_unbroken_work_is_thrown_into_the_flow_that_waits() -> None:
    def work() -> Flow[str]:
        yield from pause(0)
        raise StateRefused("for a test")

    def flow() -> Flow[str]:
        try:
            return (yield from unbroken(work()))
        except StateRefused as error:
            return error.detail

    assert make_outside().run(flow()) == "for a test"


def test_unbroken_work_ends_although_whoever_waits_is_interrupted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """P10. The log alone is told how it went."""
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    caplog.set_level(logging.DEBUG, "intastellar_auth")

    class Patient(MemoryStore):
        """Answers when the test says so."""

        def get(self, key: str) -> bytes | None:
            begun.set()
            assert go_on.wait(PATIENCE)
            return super().get(key)

    def work() -> Flow[None]:
        try:
            yield from get("key")
            raise StateRefused("for a test")
        finally:
            ended.set()

    def flow() -> Flow[None]:
        yield from unbroken(work())

    with interrupted_once(begun), pytest.raises(Interrupted):
        Outside(Patient(), PATIENCE).run(flow())
    assert not ended.is_set()

    go_on.set()

    assert ended.wait(PATIENCE)
    until(lambda: caplog.messages, "the line in the log")
    assert caplog.messages == ['event=unbroken_work_failed kind="StateRefused"']


def test_a_machine_without_room_for_a_thread_has_not_begun_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The flow is told, so that the visitor gets a page and may try again."""

    def full(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    outside = make_outside()
    monkeypatch.setattr(threading.Thread, "start", full)

    with pytest.raises(ProviderUnreachable):
        outside.run(unbroken(put("key", b"begun", 60)))

    assert outside.store.get("key") is None


def test_callbacks_in_many_threads_at_once_make_one_token_request(tmp_path: Path) -> None:
    """P2, CB-05."""
    with Provider() as provider, ThreadPoolExecutor(8) as pool:
        app = make_app(provider.issuer, str(tmp_path / "store.db"))
        visitor = Visitor(app)
        callback = visitor.begin()
        browsers = [visitor.copy() for _ in range(8)]

        answers = list(pool.map(lambda browser: browser.go(callback), browsers))

        assert {(got.code, got.header("location")) for got in answers} == {(303, "/private/page")}
        assert {browser.user() for browser in browsers} == {"alice"}
        assert provider.hits["/token"] == 1
        assert visitor.go("/other").status == "404 Not Found"
        app._outside.store.close()


def script(name: str, provider: Provider, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the module ``name`` of this folder, which finds the provider and a store."""
    before = UNMEASURED if "gevent" in name else []
    module = [sys.executable, "-m", f"tests.drive.{name}"]
    return subprocess.run(  # noqa: S603 - the command is written here
        [*before, *module, provider.issuer, str(folder / "store.db")],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["given_up_gevent", "given_up_alarm"])
def test_a_sign_in_ends_although_its_request_was_given_up(name: str, tmp_path: Path) -> None:
    """P10: a ``gevent.Timeout``, or a signal, in the middle of the token request."""
    with Provider() as provider:
        provider.holds = True
        ran = script(name, provider, tmp_path)

        assert (ran.returncode, ran.stdout.split()) == (0, ["given-up", "alice"]), ran.stderr
        assert provider.hits["/token"] == 1


def test_workers_that_are_forked_after_the_app_was_made_serve_sign_ins(tmp_path: Path) -> None:
    """What ``gunicorn --preload`` does: one store, and what one began another finishes."""
    with Provider() as provider:
        ran = script("forked_workers", provider, tmp_path)

        assert (ran.returncode, ran.stdout.split()) == (0, ["alice"] * 4), ran.stderr
        assert provider.hits["/token"] == 3
