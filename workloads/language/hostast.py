"""Short constructors of host syntax trees, each at the place of a guest node."""

import ast
from typing import Any, TypeVar

Node = TypeVar("Node", bound=ast.AST)
Place = ast.AST


def put(node: Node, at: Place) -> Node:
    """Give ``node`` the source range of ``at``."""
    node.lineno = at.lineno  # type: ignore[attr-defined]
    node.col_offset = at.col_offset  # type: ignore[attr-defined]
    node.end_lineno = at.end_lineno  # type: ignore[attr-defined]
    node.end_col_offset = at.end_col_offset  # type: ignore[attr-defined]
    return node


def name(text: str, at: Place, store: bool = False) -> ast.expr:
    """A host name."""
    return put(ast.Name(text, ast.Store() if store else ast.Load()), at)


def const(value: Any, at: Place) -> ast.expr:
    """A constant."""
    return put(ast.Constant(value), at)


def item(base: str, index: int, at: Place, ctx: ast.expr_context | None = None) -> ast.expr:
    """``base[index]``: a variable of the guest."""
    return put(ast.Subscript(name(base, at), const(index, at), ctx or ast.Load()), at)


def call(function: str, args: list[ast.expr], at: Place, **keywords: ast.expr) -> ast.expr:
    """``function(*args, **keywords)``."""
    words = [put(ast.keyword(key, value), at) for key, value in keywords.items()]
    return put(ast.Call(name(function, at), args, words), at)


def tuple_of(parts: list[ast.expr], at: Place) -> ast.expr:
    """A tuple display."""
    return put(ast.Tuple(parts, ast.Load()), at)


def list_of(parts: list[ast.expr], at: Place) -> ast.expr:
    """A list display."""
    return put(ast.List(parts, ast.Load()), at)


def assign(target: ast.expr, value: ast.expr, at: Place) -> ast.stmt:
    """``target = value``."""
    return put(ast.Assign([target], value), at)


def returns(value: ast.expr, at: Place) -> ast.stmt:
    """``return value``."""
    return put(ast.Return(value), at)


def set_pc(block: int, at: Place) -> ast.stmt:
    """``F.pc = block``."""
    target = put(ast.Attribute(name("F", at), "pc", ast.Store()), at)
    return assign(target, const(block, at), at)


def statement(value: ast.expr, at: Place) -> ast.stmt:
    """An expression as a statement."""
    return put(ast.Expr(value), at)
