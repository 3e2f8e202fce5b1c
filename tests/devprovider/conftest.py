"""One provider per test; asynchronous tests run on asyncio and on trio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.devprovider.harness import Rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from intastellar_auth.devprovider import DevClient


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def make_rig() -> AsyncIterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(*clients: DevClient) -> Rig:
        rigs.append(Rig(*clients))
        return rigs[-1]

    yield make
    for rig in rigs:
        await rig.http.aclose()


@pytest.fixture
async def rig(make_rig: Callable[..., Rig]) -> Rig:
    return make_rig()
