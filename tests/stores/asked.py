"""Open the SQLite file named by the first argument and do what each line asks for.

A line is ``add``, ``put`` or ``get`` and a key; the value is the second argument. The answer is a
line of JSON: what the call returned, bytes as text, or ``"unavailable"``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from intastellar_auth.errors import StoreUnavailable
from intastellar_auth.stores import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Answer until there is nothing more to read."""
    path, name = sys.argv[1:]
    store = SqliteStore(Path(path))
    calls: dict[str, Callable[[str], object]] = {
        "add": lambda key: store.add(key, name.encode(), 600),
        "put": lambda key: store.put(key, name.encode(), 600),
        "get": lambda key: (store.get(key) or b"").decode(),
    }
    for line in sys.stdin:
        call, key = line.split()
        try:
            answer = calls[call](key)
        except StoreUnavailable:
            answer = "unavailable"
        print(json.dumps(answer), flush=True)  # noqa: T201 - the test reads it
    store.close()


main()
