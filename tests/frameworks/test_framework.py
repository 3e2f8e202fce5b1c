"""A framework that is missing or too old is named, with what to install."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from intastellar_auth.framework import needs

MODULES = [
    "django",
    "django_backend",
    "django_checks",
    "django_testing",
    "fastapi",
    "flask",
    "litestar",
]


def _import(module: str, before: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys, importlib.metadata as m\n{before}\nimport intastellar_auth.{module}"
    return subprocess.run(  # noqa: S603 - written here
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("module", MODULES)
def test_a_framework_that_is_not_installed_is_named_with_the_command_to_install_it(
    module: str,
) -> None:
    name = module.partition("_")[0]
    gone = (
        f"sys.modules[{name!r}] = None\n"
        "def version(name): raise m.PackageNotFoundError(name)\n"
        "m.version = version"
    )
    line = _last_line(_import(module, gone))
    assert line.startswith(f"ImportError: intastellar_auth.{name} needs {name} ")
    assert "it is not installed. Run: pip install '" in line


@pytest.mark.parametrize("module", MODULES)
def test_a_framework_that_is_too_old_is_named_with_the_command_to_install_it(module: str) -> None:
    name = module.partition("_")[0]
    old = f"real = m.version\nm.version = lambda name: '0.9.1' if name == {name!r} else real(name)"
    line = _last_line(_import(module, old))
    assert line.startswith(f"ImportError: intastellar_auth.{name} needs {name} ")
    assert "0.9.1 is installed. Run: pip install '" in line


@pytest.mark.parametrize(
    ("found", "at_least"), [("3.0", "3.0"), ("3.1.2", "3.0"), ("10.0", "9.9"), ("6.0rc1", "6.0")]
)
def test_a_version_is_compared_by_its_numbers(
    monkeypatch: pytest.MonkeyPatch, found: str, at_least: str
) -> None:
    monkeypatch.setattr("intastellar_auth.framework.version", lambda _name: found)
    with needs("thing", at_least):
        pass


@pytest.mark.parametrize(("found", "at_least"), [("2.9.9", "3.0"), ("0.99", "0.115"), ("3", "3.1")])
def test_an_older_version_is_refused_before_anything_is_imported(
    monkeypatch: pytest.MonkeyPatch, found: str, at_least: str
) -> None:
    monkeypatch.setattr("intastellar_auth.framework.version", lambda _name: found)
    with pytest.raises(ImportError, match=f"{found} is installed"):
        needs("thing", at_least).__enter__()


def test_the_package_itself_imports_no_framework() -> None:
    code = (
        "import sys, intastellar_auth.asgi, intastellar_auth.wsgi\n"
        "print({'fastapi', 'flask', 'django', 'litestar'} & {*sys.modules})"
    )
    done = subprocess.run(  # noqa: S603 - written here
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "set()"


def test_what_is_missing_and_what_is_broken_are_told_apart() -> None:
    with pytest.raises(ImportError, match="it is not installed"), needs("no-such-thing", "1.0"):
        importlib.import_module("no_such_thing")
    with pytest.raises(ImportError, match="what is installed cannot"), needs("flask", "1.0"):
        importlib.import_module("flask.no_such_thing")
