"""Open the store named by the first argument, wait for the word, claim every key, say which."""

from __future__ import annotations

import json
import sys

from intastellar_auth.stores import open_store


def main() -> None:
    """Say ``ready``, wait for a line, then print the keys won as JSON."""
    print("ready", flush=True)  # noqa: T201 - the test reads it
    sys.stdin.readline()
    store = open_store(sys.argv[1])
    won = [number for number in range(50) if store.add(f"claim {number}", b"mine", 60)]
    store.close()
    print(json.dumps([store.shared, won]))  # noqa: T201 - the test reads it


main()
