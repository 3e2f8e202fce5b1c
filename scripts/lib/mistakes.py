"""What could stand instead of an expression, if somebody had made a small mistake.

Knows expressions only, and gives each mistake as text.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

_OTHER_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    # The other side, and the border.
    ast.Lt: (ast.GtE, ast.LtE),
    ast.LtE: (ast.Gt, ast.Lt),
    ast.Gt: (ast.LtE, ast.GtE),
    ast.GtE: (ast.Lt, ast.Gt),
}
_OTHER_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
}
_OTHER_NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}


def changed(node: ast.expr) -> Iterator[str]:
    """Yield each expression that could stand instead of ``node``, parts of it aside."""
    match node:
        case ast.Constant():
            yield from _other_constants(node.value)
        case ast.JoinedStr() | ast.Tuple() | ast.List() | ast.Dict() | ast.Set():
            yield from smaller(node)
        case ast.Compare():
            yield from _other_comparisons(node)
        case ast.BoolOp():
            yield ast.unparse(ast.BoolOp(_other_bool(node.op), node.values))
            yield from smaller(node)
        case ast.UnaryOp(operand=operand):
            yield ast.unparse(operand)
        case ast.IfExp(body=body, orelse=orelse):
            yield ast.unparse(body)
            yield ast.unparse(orelse)
        case ast.Name(id=name) if name in _OTHER_NAMES:
            yield _OTHER_NAMES[name]
        case _:
            yield from _with_other_parts(node)


def _with_other_parts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OTHER_OPERATORS:
            yield ast.unparse(ast.BinOp(left, _OTHER_OPERATORS[type(op)](), right))
            yield ast.unparse(left)
            yield ast.unparse(right)
        case ast.Subscript(slice=ast.Slice()):
            yield from _other_slices(node)
        case ast.Call():
            yield from _other_calls(node)
        case ast.GeneratorExp() | ast.ListComp() | ast.SetComp() | ast.DictComp():
            yield from _without_conditions(node)


def _other_constants(value: object) -> Iterator[str]:
    if isinstance(value, bool):
        yield repr(not value)
    elif isinstance(value, int | float):
        yield repr(value + 1)
        yield repr(value - 1)
    elif value in ("", b""):
        yield "'X'" if isinstance(value, str) else "b'X'"
    elif isinstance(value, str | bytes):
        yield repr(value[:0])


def _other_comparisons(node: ast.Compare) -> Iterator[str]:
    for at, op in enumerate(node.ops):
        for other in _OTHER_COMPARISONS[type(op)]:
            ops = [*node.ops[:at], other(), *node.ops[at + 1 :]]
            yield ast.unparse(ast.Compare(node.left, ops, node.comparators))


def _other_bool(op: ast.boolop) -> ast.boolop:
    return ast.Or() if isinstance(op, ast.And) else ast.And()


def smaller(node: ast.expr) -> Iterator[str]:
    """Yield ``node``, a tuple, list, set, dict, f-string or condition, with each part missing."""
    parts = "elts" if isinstance(node, ast.Tuple | ast.List | ast.Set) else "values"
    for at in range(len(getattr(node, parts))):
        fewer = copy.copy(node)
        for name in ("keys", parts) if isinstance(node, ast.Dict) else (parts,):
            whole = getattr(node, name)
            setattr(fewer, name, whole[:at] + whole[at + 1 :])
        if isinstance(fewer, ast.BoolOp) and len(fewer.values) == 1:
            yield ast.unparse(fewer.values[0])
        elif isinstance(fewer, ast.Set) and not fewer.elts:
            yield "set()"
        else:
            yield ast.unparse(fewer)


def _other_slices(node: ast.Subscript) -> Iterator[str]:
    for name in ("lower", "upper", "step"):
        if getattr(node.slice, name) is not None:
            wider = copy.copy(node)
            wider.slice = copy.copy(node.slice)
            setattr(wider.slice, name, None)
            yield ast.unparse(wider)


def _other_calls(node: ast.Call) -> Iterator[str]:
    """Yield the call with neighbours swapped, without an optional argument, and without itself."""
    args, keywords = node.args, node.keywords
    for at in range(len(args) - 1):
        if _are_alike(args[at], args[at + 1]):
            swapped = [*args[:at], args[at + 1], args[at], *args[at + 2 :]]
            yield ast.unparse(ast.Call(node.func, swapped, keywords))
    for at, keyword in enumerate(keywords):
        yield ast.unparse(ast.Call(node.func, args, keywords[:at] + keywords[at + 1 :]))
        following = keywords[at + 1] if at + 1 < len(keywords) else keyword
        if following is not keyword and _are_alike(keyword.value, following.value):
            exchanged = [
                ast.keyword(keyword.arg, following.value),
                ast.keyword(following.arg, keyword.value),
            ]
            both = [*keywords[:at], *exchanged, *keywords[at + 2 :]]
            yield ast.unparse(ast.Call(node.func, args, both))
    # str(text) and text.strip() become text.
    if len(args) == 1 and not keywords and not isinstance(args[0], ast.Starred):
        yield ast.unparse(args[0])
    if isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        yield from (ast.unparse(arg) for arg in args)
    if isinstance(node.func, ast.Attribute) and not args and not keywords:
        yield ast.unparse(node.func.value)


def _are_alike(one: ast.expr, other: ast.expr) -> bool:
    """Whether both could be of one type: what is not would be noticed by anything."""
    kinds = {type(one), type(other)}
    return len(kinds) == 1 or kinds <= {ast.Name, ast.Attribute, ast.Subscript}


def _without_conditions(
    node: ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp,
) -> Iterator[str]:
    for at, loop in enumerate(node.generators):
        if loop.ifs:
            wider = copy.copy(node)
            free = ast.comprehension(loop.target, loop.iter, [], loop.is_async)
            wider.generators = [*node.generators[:at], free, *node.generators[at + 1 :]]
            yield ast.unparse(wider)
