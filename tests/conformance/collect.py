"""Which test names which row: read from the tests' source, so that nothing has to run for it.

A test names a row in its docstring, in a comment inside the function, or in a list of cases at the
level of its module: there a text that holds ids and nothing else. ``ID-01 to ID-25`` names none.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.server import TESTS

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent

ID = re.compile(r"(?<![\w-])[A-Z][A-Z0-9]-[A-Z]?\d{2,3}(?![\w-])")
_RANGE = re.compile(rf"{ID.pattern}(?: to {ID.pattern}|\.\.\S+)")
_ONLY_IDS = re.compile(rf"{ID.pattern}(?: {ID.pattern})*")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """That a test, or a case that a test is given, names a row; ``path`` is below ``tests``."""

    row: str
    path: str
    name: str


def ids_in(text: str) -> list[str]:
    """Return the ids that ``text`` names one by one."""
    return ID.findall(_RANGE.sub(" ", text))


def collect(folder: Path = TESTS) -> list[Named]:
    """Return what all tests below ``folder`` name, sorted."""
    found: set[Named] = set()
    for path in folder.rglob("*.py"):
        where, tests = path.relative_to(folder).as_posix(), path.name.startswith("test_")
        if path.parent == HERE and not tests:
            continue  # the rows themselves
        pairs = read_source(path.read_text(encoding="utf-8"), tests=tests)
        found.update(Named(row, where, name) for row, name in pairs)
    return sorted(found)


def read_source(source: str, *, tests: bool) -> Iterator[tuple[str, str]]:
    """Yield each row that a module names, with the test or the case that names it.

    ``tests`` says whether pytest collects the module's functions; lists may stand anywhere.
    """
    for node in ast.parse(source).body:
        if isinstance(node, Function):
            if tests and node.name.startswith("test_"):
                yield from ((row, node.name) for row in ids_in(_words(node, source)))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield from _cases(node)


def _words(test: Function, source: str) -> str:
    """The docstring and the comments of ``test``, its decorators' included."""
    first = min([test.lineno, *(decorator.lineno for decorator in test.decorator_list)])
    lines = source.splitlines(keepends=True)[first - 1 : test.end_lineno]
    tokens = tokenize.generate_tokens(io.StringIO("".join(lines)).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return "\n".join([ast.get_docstring(test) or "", *comments])


def _cases(assigned: ast.Assign | ast.AnnAssign) -> Iterator[tuple[str, str]]:
    target = assigned.target if isinstance(assigned, ast.AnnAssign) else assigned.targets[0]
    called = {id(call.args[0]): call for call in _calls(assigned)}
    for node in ast.walk(assigned):
        if isinstance(node, ast.Constant) and _is_ids(node.value):
            name = _name(called[id(node)]) if id(node) in called else ""
            yield from ((row, name or ast.unparse(target)) for row in ids_in(str(node.value)))


def _calls(assigned: ast.stmt) -> list[ast.Call]:
    return [node for node in ast.walk(assigned) if isinstance(node, ast.Call) and node.args]


def _is_ids(value: object) -> bool:
    return isinstance(value, str) and bool(_ONLY_IDS.fullmatch(value))


def _name(case: ast.Call) -> str:
    """What ``case`` is called: the texts after its ids, with ``*`` for what a loop puts in."""
    texts = [_text(argument) for argument in case.args[1:]]
    return " ".join(text for text in texts if text)


def _text(argument: ast.expr) -> str:
    if isinstance(argument, ast.Constant):
        return argument.value if isinstance(argument.value, str) else ""
    if isinstance(argument, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "*" for part in argument.values
        )
    return ""
