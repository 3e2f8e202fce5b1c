"""The mutation check: make each small mistake in a file, and see that a test notices.

Usage: mutate.py [--jobs N] [--only TEXT] [FILE …], each FILE as in ``TESTS``, and of its mutants
those with TEXT in their names. A mutant is a file elsewhere, which a process of its own imports
instead of ours. Prints those that survive, and a table. Exits with 1 where one survives that
``docs/mutation.md`` doesn't explain, or where one that it explains is noticed, or is no more.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import Phase, settings
from mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "intastellar_auth"
EXPLAINED = ROOT / "docs" / "mutation.md"

# Seconds for all tests of a mutant. They take a few; a mutant that never ends takes all of it.
LIMIT = 60

# The tests that are about a file, the quickest and nearest first.
_CALLBACK = ("callback", "standstill", "exchange", "login", "logout", "admission", "outage", "roll")
TESTS: dict[str, tuple[str, ...]] = {
    "oidc/id_token.py": ("oidc/test_*id_token*.py", "oidc/test_signature.py"),
    "core/seal.py": ("core/test_seal*.py",),
    "core/return_to.py": ("core/test_return_to*.py",),
    "core/once.py": (
        *("flows/test_once.py", "flows/test_once_[!v]*.py", "flows/test_standstill.py"),
        *("flows/test_callback_log.py", "flows/test_refresh_log.py"),
    ),
    "core/callback.py": tuple(f"flows/test_{name}*.py" for name in _CALLBACK),
    "core/refresh.py": ("flows/test_refresh*.py", "flows/test_standstill.py"),
    "core/in_store.py": (
        *("flows/test_server_sessions*.py", "flows/test_roll.py"),
        *("flows/test_refresh_corners.py", "flows/test_refresh_keeps.py"),
    ),
}

# What takes long to import and isn't ours, once for all processes.
_IMPORTED_BEFORE = (
    *("cryptography.hazmat.primitives.asymmetric.rsa", "httpx", "itsdangerous", "jwt.algorithms"),
    *("msgspec", "pydantic_settings", "starlette.authentication"),
)

# Python warns of some mutants, and of what was imported before pytest, and warnings fail tests.
_PYTEST = (
    *("-q", "-x", "-p", "no:cacheprovider"),
    *("-W", "ignore::SyntaxWarning", "-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Finds the module ``name`` at ``path``, and no other."""

    name: str
    path: Path

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where the module is, as the import system asks for it."""
        del path, target
        return spec_from_file_location(name, self.path) if name == self.name else None


@dataclass(slots=True)
class Verdicts:
    """What came of the mutants of ``file``."""

    file: str
    killed: list[str] = field(default_factory=list)
    survived: list[str] = field(default_factory=list)


def main() -> int:
    """Check the files that the command line names, all without."""
    parser = argparse.ArgumentParser(prog="scripts/mutate")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--only", default="", help="mutants with this text in their names")
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"of {', '.join(TESTS)}")
    options = parser.parse_args()
    for unknown in set(options.files) - set(TESTS):
        parser.error(f"there are no tests for {unknown}: add them to TESTS in {__file__}")
    _prepare()
    explained, checked, good = _explained(), list[Verdicts](), True
    with tempfile.TemporaryDirectory() as folder:
        for file in options.files or TESTS:
            todo = [one for one in mutants(_text(file)) if options.only in one.name]
            verdicts = _check(file, todo, options.jobs, Path(folder))
            known = {name for name in explained.get(file, set()) if options.only in name}
            good &= _report(verdicts, known)
            checked.append(verdicts)
    print("| file | mutants | killed | equivalent |\n|---|---|---|---|")
    for one in checked:
        total = len(one.killed) + len(one.survived)
        print(f"| `{one.file}` | {total} | {len(one.killed)} | {len(one.survived)} |")
    return 0 if good else 1


def _prepare() -> None:
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
    sys.dont_write_bytecode = True
    for name in _IMPORTED_BEFORE:
        importlib.import_module(name)
    # The same examples each time, and none made nice: that a test fails is all there is to know.
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile(
        "mutation", database=None, deadline=None, derandomize=True, max_examples=50, phases=phases
    )
    settings.load_profile("mutation")


def _text(file: str) -> str:
    return (SOURCE / file).read_text(encoding="utf-8")


def _check(file: str, todo: list[Mutant], jobs: int, folder: Path) -> Verdicts:
    tests = [str(path) for one in TESTS[file] for path in sorted((ROOT / "tests").glob(one))]
    if _wait([_start(file, Mutant("none", _text(file)), tests, folder)])[1] != 0:
        sys.exit(f"The tests of {file} fail as it is: {' '.join(tests)}")
    verdicts, running = Verdicts(file), dict[int, Mutant]()
    for mutant in todo:
        while len(running) >= jobs:
            _settle(verdicts, running)
        running[_start(file, mutant, tests, folder)] = mutant
    while running:
        _settle(verdicts, running)
    order = [mutant.name for mutant in todo]
    verdicts.survived.sort(key=order.index)
    return verdicts


def _settle(verdicts: Verdicts, running: dict[int, Mutant]) -> None:
    process, status = _wait(list(running))
    mutant = running.pop(process)
    (verdicts.killed if status else verdicts.survived).append(mutant.name)


def _wait(processes: list[int]) -> tuple[int, int]:
    """Return the one that ends first, and how: 0 is that no test has failed."""
    while True:
        process, status = os.wait()
        if process in processes:
            return process, status


def _start(file: str, mutant: Mutant, tests: list[str], folder: Path) -> int:
    """Run the tests with ``mutant`` in a process of its own; return the process's id."""
    process = os.fork()
    if process:
        return process
    # Its end kills what never ends: nothing catches this signal.
    signal.alarm(LIMIT)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    path = folder / f"{os.getpid()}.py"
    path.write_text(mutant.text, encoding="utf-8")
    name = ".".join(("intastellar_auth", *Path(file).with_suffix("").parts))
    sys.meta_path.insert(0, Elsewhere(name, path))
    os._exit(pytest.main([*_PYTEST, *tests]))


def _explained() -> dict[str, set[str]]:
    """Return the mutants that the documentation explains, by file."""
    found: dict[str, set[str]] = {}
    file = ""
    for line in EXPLAINED.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## `(.+)`", line):
            file = heading[1]
        elif mutant := re.fullmatch(r"- `(.+)`", line):
            found.setdefault(file, set()).add(mutant[1])
    return found


def _report(verdicts: Verdicts, known: set[str]) -> bool:
    """Print what isn't as the documentation says; return whether all is."""
    survived = set(verdicts.survived)
    for name in (one for one in verdicts.survived if one not in known):
        print(f"{verdicts.file}: not noticed: {name}", flush=True)
    for name in sorted(known - survived):
        print(f"{verdicts.file}: explained, but noticed or no more: {name}", flush=True)
    return survived == known


if __name__ == "__main__":
    sys.exit(main())
