"""What the package is made of: chance from the system alone, few packages, few public names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import intastellar_auth

PACKAGE = Path(intastellar_auth.__file__).parent
FILES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}
PURE = [name for name in FILES if name.startswith(("core/", "oidc/"))]
THIRD_PARTY = {"core": {"cryptography", "itsdangerous", "msgspec"}, "oidc": {"cryptography", "jwt"}}


def tree(name: str) -> ast.Module:
    """Return the syntax tree of a file of the package."""
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def imported(name: str) -> set[str]:
    """Return the packages that a file imports, itself and the standard library's included."""
    found = {intastellar_auth.__name__}
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found


@pytest.mark.parametrize("name", FILES)
def test_no_file_draws_from_a_generator_that_can_be_guessed(name: str) -> None:
    """TM-03, AD-93."""
    assert not {"random", "uuid", "numpy"} & imported(name)


@pytest.mark.parametrize("name", PURE)
def test_a_file_of_the_core_needs_cryptography_a_decoder_and_nothing_else(name: str) -> None:
    known = set(sys.stdlib_module_names) | THIRD_PARTY[name.partition("/")[0]]
    assert imported(name) - known == {"intastellar_auth"}


@pytest.mark.parametrize("name", PURE)
def test_a_file_of_the_core_calls_nothing_that_reads_or_runs(name: str) -> None:
    """Nor imports by a name made at run time, which no reader of imports sees."""
    called = {
        node.func.id
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"open", "print", "input", "eval", "exec", "compile", "__import__"}
    assert "importlib" not in imported(name)


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_read_with_a_format_that_runs_what_it_reads(name: str) -> None:
    assert not {"pickle", "marshal", "shelve", "dill"} & imported(name)


def test_the_package_gives_four_names() -> None:
    assert intastellar_auth.__all__ == ["AnonymousUser", "Auth", "Settings", "User"]
    assert all(hasattr(intastellar_auth, name) for name in intastellar_auth.__all__)


def test_a_running_site_has_not_loaded_the_development_provider() -> None:
    """It signs anybody in."""
    program = (
        "import sys, intastellar_auth.asgi\n"
        "print(*[n for n in sys.modules if n.startswith('intastellar_auth.devprovider')])"
    )
    done = subprocess.run(  # noqa: S603  # the program is above, the interpreter our own
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == ""
