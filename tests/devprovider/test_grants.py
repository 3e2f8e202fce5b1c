"""Single use holds between threads too."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from intastellar_auth.devprovider.errors import OAuthError
from intastellar_auth.devprovider.grants import Grant, Grants
from intastellar_auth.devprovider.log import Log
from tests.devprovider.harness import CALLBACK, CHALLENGE, VERIFIER, Clock

GRANT = Grant("public", "alice", ("openid", "offline_access"), 1_800_000_000, "sid")
THREADS = 8


@pytest.mark.parametrize("kind", ["code", "refresh_token"])
def test_of_many_threads_one_spends_it(kind: str) -> None:
    clock = Clock()
    log = Log(clock)
    grants = Grants(clock, log)
    code = grants.issue_code(GRANT, CALLBACK, CHALLENGE, 60)
    refresh_token = grants.issue_refresh_token(GRANT, 60)
    together = threading.Barrier(THREADS)

    def spend(_: int) -> bool:
        together.wait(10)
        try:
            if kind == "code":
                grants.redeem(code, "public", CALLBACK, VERIFIER)
            else:
                grants.spend_refresh_token(refresh_token, "public", None)
        except OAuthError:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(spend, range(THREADS))) == 1
    assert log.counts["grants_revoked"] == 1
