"""One provider per test; asynchronous tests run on asyncio and on trio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from intastellar_auth.devprovider import DEFAULT_USERS
from tests.devprovider.harness import Rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from intastellar_auth.devprovider import DevClient, DevUser


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def make_rig() -> AsyncIterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(
        *clients: DevClient,
        users: Sequence[DevUser] = DEFAULT_USERS,
        scopes: Sequence[str] = (),
    ) -> Rig:
        rigs.append(Rig(*clients, users=users, scopes=scopes))
        return rigs[-1]

    yield make
    for rig in rigs:
        await rig.http.aclose()


@pytest.fixture
async def rig(make_rig: Callable[..., Rig]) -> Rig:
    return make_rig()
