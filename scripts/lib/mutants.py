"""Small mistakes in a file of Python, one at a time: what a test should notice.

A mutant is a change of the text: an operator that is another, a constant that is one off or empty,
a condition, an argument, an element or a statement that is missing, arguments that are swapped.

Left alone are docstrings, annotations, imports, ``__all__`` and the flags of decorators: a type
checker or the reader is who depends on them.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mistakes import changed, smaller

# A declaration without its value is an import that fails.
_KEPT_STATEMENTS = (ast.Pass, ast.AnnAssign)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed text. ``name`` says where and what, and stays as lines move."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class _Change:
    """Bytes from ``start`` to ``end`` that become ``new``, inside of ``where``."""

    where: str
    start: int
    end: int
    new: str


def mutants(text: str) -> list[Mutant]:
    """Return all mutants of the file ``text``, in the order of what they change."""
    raw = text.encode()
    seen: Counter[str] = Counter()
    found = []
    for change in _Walk(_line_starts(raw)).body(ast.parse(text).body, "module"):
        name = _name(raw, change)
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name} (number {seen[name]})"
        changed = raw[: change.start] + change.new.encode() + raw[change.end :]
        found.append(Mutant(name, changed.decode()))
    return found


def _name(raw: bytes, change: _Change) -> str:
    """Return the whole lines that change, before and after."""
    first = raw.rfind(b"\n", 0, change.start) + 1
    last = raw.find(b"\n", change.end)
    before = raw[first:last].decode()
    head, tail = raw[first : change.start].decode(), raw[change.end : last].decode()
    return f"{change.where}: {_short(before)} → {_short(head + change.new + tail)}"


def _short(text: str) -> str:
    words = " ".join(text.split()).replace("`", "'")
    return words if len(words) <= 160 else f"{words[:159]}…"  # noqa: PLR2004  fits a line or two


def _line_starts(raw: bytes) -> list[int]:
    starts = [0]
    for line in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


@dataclass(frozen=True, slots=True)
class _Walk:
    """Goes through a file; ``lines`` is where each begins, in bytes."""

    lines: list[int]

    def body(self, statements: Sequence[ast.stmt], where: str) -> Iterator[_Change]:
        """Yield the changes in a block, without its docstring."""
        for at, statement in enumerate(statements):
            if not (at == 0 and _is_text(statement)):
                yield from self._statement(statement, where)

    def _statement(self, node: ast.stmt, where: str) -> Iterator[_Change]:
        if _is_text(node) or isinstance(node, ast.Import | ast.ImportFrom):
            return
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from self._definition(node, where)
            return
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return
        if where != "module" and not isinstance(node, _KEPT_STATEMENTS):
            yield self._change(node, where, "pass")
        if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
            yield self._change(node, where, "return None")
        if isinstance(node, ast.Break | ast.Continue):
            other = "continue" if isinstance(node, ast.Break) else "break"
            yield self._change(node, where, other)
        if isinstance(node, ast.Try):
            yield from self._handlers(node, where)
        # Other conditions are turned round by what they consist of.
        if isinstance(node, ast.If | ast.While) and isinstance(
            node.test, ast.Name | ast.Attribute | ast.Call | ast.YieldFrom
        ):
            yield self._change(node.test, where, f"not ({ast.unparse(node.test)})")
        yield from self._parts(node, where)

    def _definition(self, node: ast.FunctionDef | ast.ClassDef, where: str) -> Iterator[_Change]:
        inside = node.name if where == "module" else f"{where}.{node.name}"
        if isinstance(node, ast.FunctionDef):
            for default in (*node.args.defaults, *node.args.kw_defaults):
                if default is not None:
                    yield from self._expression(default, inside)
        yield from self.body(node.body, inside)

    def _handlers(self, node: ast.Try, where: str) -> Iterator[_Change]:
        """Leave an ``except`` out, or one of the errors that it is for."""
        for handler in node.handlers:
            kind = handler.type
            if kind is None:
                continue
            # An empty tuple catches nothing.
            yield self._change(kind, where, "()")
            for fewer in smaller(kind) if isinstance(kind, ast.Tuple) else ():
                yield self._change(kind, where, fewer)

    def _parts(self, node: ast.AST, where: str) -> Iterator[_Change]:
        for name, value in ast.iter_fields(node):
            # Annotations are no values, and positions within an f-string are wrong before 3.12.
            if name in ("annotation", "targets", "target") or isinstance(node, ast.JoinedStr):
                continue
            for part in value if isinstance(value, list) else [value]:
                match part:
                    case ast.stmt():
                        yield from self._statement(part, where)
                    case ast.expr():
                        yield from self._expression(part, where)
                    case ast.ExceptHandler():
                        yield from self.body(part.body, where)
                    case ast.AST():
                        yield from self._parts(part, where)

    def _expression(self, node: ast.expr, where: str) -> Iterator[_Change]:
        for new in changed(node):
            yield self._change(node, where, f"({new})")
        yield from self._parts(node, where)

    def _change(self, node: ast.expr | ast.stmt, where: str, new: str) -> _Change:
        start = self.lines[node.lineno - 1] + node.col_offset
        # What was parsed has an end, though the types don't say so.
        end = self.lines[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        return _Change(where, start, end, new)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
