"""The shape that docs/design.md draws, read from the imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import intastellar_auth

PACKAGE = Path(intastellar_auth.__file__).parent
OUTSIDE = {
    *(
        "anyio",
        "asyncio",
        "http.client",
        "httpx",
        "io",
        "os",
        "pathlib",
        "random",
        "select",
        "socket",
    ),
    *("sqlite3", "ssl", "starlette", "subprocess", "tempfile", "trio", "urllib.request"),
}
"""What opens, waits or asks: no file of core/ or oidc/ may."""

CLOCKS = {"datetime", "secrets", "time"}
"""What is given to a flow; ``core/site.py`` alone names the real ones, as defaults."""


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or path.parent.name == "stores", f"{path}: a relative import"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _of(folder: str) -> list[Path]:
    return sorted((PACKAGE / folder).glob("*.py"))


def _touches(path: Path, modules: set[str]) -> set[str]:
    return {
        name
        for name in _imports(path)
        if any(name == module or name.startswith(f"{module}.") for module in modules)
    }


@pytest.mark.parametrize("path", _of("core") + _of("oidc"), ids=lambda path: path.stem)
def test_no_flow_and_no_protocol_step_reaches_outside(path: Path) -> None:
    ours = {f"intastellar_auth.{name}" for name in ("asgi", "drive", "stores", "devprovider")}
    assert _touches(path, OUTSIDE | ours) == set()


@pytest.mark.parametrize("path", _of("core") + _of("oidc"), ids=lambda path: path.stem)
def test_the_clock_and_chance_are_named_in_one_file(path: Path) -> None:
    assert path.name == "site.py" or _touches(path, CLOCKS) == set()


@pytest.mark.parametrize("path", _of("oidc"), ids=lambda path: path.stem)
def test_a_protocol_step_knows_no_flow_but_only_the_effects_it_builds(path: Path) -> None:
    effects = "intastellar_auth.core.effects"
    touches = _touches(path, {"intastellar_auth.core"})
    assert {name for name in touches if not name.startswith(effects)} == set()


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_only_the_command_line_starts_the_development_provider(path: Path) -> None:
    inside = PACKAGE / "devprovider" in path.parents
    touches = _touches(path, {"intastellar_auth.devprovider"})
    assert inside or path == PACKAGE / "cli.py" or touches == set()
