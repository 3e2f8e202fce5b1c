"""Import a framework, or say what to install.

No framework is a dependency of this package: the module for one is imported only by a site that has
it. Where it is missing or too old, the site's owner learns what to do, and not which name is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version


@contextmanager
def needs(distribution: str, at_least: str) -> Iterator[None]:
    """Let the block import from ``distribution``, which must be ``at_least`` this version.

    Raises ``ImportError`` with the command to run where it is missing or too old.
    """
    try:
        found = version(distribution)
    except PackageNotFoundError:
        found = ""
    if found and _numbers(found) < _numbers(at_least):
        raise _needed(distribution, at_least, f"{found} is installed")
    try:
        yield
    except ImportError as error:
        state = "what is installed cannot be imported" if found else "it is not installed"
        raise _needed(distribution, at_least, state) from error


def _needed(distribution: str, at_least: str, state: str) -> ImportError:
    return ImportError(
        f"intastellar_auth.{distribution} needs {distribution} {at_least} or newer, and {state}. "
        f"Run: pip install '{distribution}>={at_least}'",
        name=distribution,
    )


def _numbers(text: str) -> list[int]:
    """Major and minor: a release candidate counts as its release."""
    return [int(number) for number in re.findall(r"\d+", text)[:2]]
