"""Run an example as its README.md says, with the development provider to sign in with."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from tests.support.provider import strict
from tests.support.server import TESTS, free_port, running
from tests.support.site import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES = TESTS.parent / "examples"
Kind = Literal["daphne", "gunicorn", "uvicorn", "waitress"]


@contextmanager
def example(folder: Path, name: str, app: str, kind: Kind, **environment: str) -> Iterator[str]:
    """Run ``app`` of ``examples/name`` and a provider until the block is left; yield its address.

    ``folder`` is for what they write.
    """
    client, port = Client(), free_port()
    url = f"http://127.0.0.1:{port}"
    with strict(folder, url, client) as provider:
        ours = {
            "INTASTELLAR_ISSUER": provider.issuer,
            "INTASTELLAR_CLIENT_ID": client.client_id,
            "INTASTELLAR_CLIENT_SECRET": client.secret or "",
            "INTASTELLAR_BASE_URL": url,
            "INTASTELLAR_SECRET_KEYS": "a-key-of-the-tests-with-more-than-32-characters",
            "INTASTELLAR_PROTECTED_PATHS": "/members",
            "INTASTELLAR_STORE_URL": f"sqlite:///{folder / 'store.sqlite'}",
            "PYTHONPATH": str(EXAMPLES / name),
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        }
        command = [sys.executable, "-m", *_arguments(kind, port), app]
        with running(command, port=port, folder=folder, environment=ours):
            yield url


def _arguments(kind: Kind, port: int) -> list[str]:
    address = f"127.0.0.1:{port}"
    return {
        "daphne": ["daphne", "--bind", "127.0.0.1", "--port", str(port)],
        "gunicorn": ["gunicorn", "--workers", "2", "--bind", address],
        "uvicorn": ["uvicorn", "--port", str(port)],
        "waitress": ["waitress", "--listen", address],
    }[kind]
