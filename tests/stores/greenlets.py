"""Under gevent: greenlets that share the store at the address given, and one that is killed."""

from __future__ import annotations

# First of all: what gevent puts in the place of threads and sockets must be there for the rest.
from gevent import monkey  # type: ignore[import-untyped]  # isort: skip  # gevent has no types

monkey.patch_all()

import sys  # noqa: E402

import gevent  # noqa: E402

from intastellar_auth.stores import open_store  # noqa: E402


def main() -> None:
    """Fail where a greenlet holds up the others, or gets an answer that was for another."""
    store = open_store(sys.argv[1])
    for number in range(40):
        store.put(str(number), str(number).encode(), 100)
    jobs = [gevent.spawn(store.get, str(number)) for number in range(40)]
    gevent.joinall(jobs, raise_error=True)
    assert [job.value for job in jobs] == [str(number).encode() for number in range(40)]
    for turn in range(50):
        jobs = [gevent.spawn(store.get, str(number)) for number in range(10)]
        for _ in range(turn % 10):
            gevent.sleep(0)
        for job in jobs[::2]:
            job.kill(block=False)
        gevent.joinall(jobs)
        assert [job.value for job in jobs[1::2]] == [b"1", b"3", b"5", b"7", b"9"]
    for turn in range(50):
        jobs = [gevent.spawn(store.get_many, [str(number), "0"]) for number in range(10)]
        for _ in range(turn % 10):
            gevent.sleep(0)
        for job in jobs[::2]:
            job.kill(block=False)
        gevent.joinall(jobs)
        assert [job.value for job in jobs[1::2]] == [
            [str(number).encode(), b"0"] for number in range(1, 10, 2)
        ]
    claims = [gevent.spawn(store.add, "claim", b"mine", 100) for _ in range(40)]
    gevent.joinall(claims, raise_error=True)
    assert [claim.value for claim in claims].count(True) == 1
    store.close()


main()
