"""CPython's own verdict on a source text: the first check of a guest program.

What its parser and compiler refuse (``break`` outside a loop, ``return`` outside a function, an
argument twice, a parameter declared global, …) is no guest program. The text is compiled in memory
and never run. Before the compiler sees it, size and depth are looked at: it recurses in C, and what
it makes of deep nesting depends on the host.
"""

import ast
from typing import Final

from workloads.language.errors import GuestProgramError, Problem

MAX_SOURCE: Final = 1_000_000  # characters
#: How deep the syntax may be nested. The lowering recurses a few Python calls for each level.
MAX_DEPTH: Final = 300


def parse(source: str, path: str) -> ast.Module:
    """Return the syntax tree of a program that CPython's parser takes.

    Raises:
        GuestProgramError: it does not, or the text is too large or too deep.
    """
    if len(source) > MAX_SOURCE:
        what = f"the program has more than {MAX_SOURCE} characters"
        raise GuestProgramError(path, [Problem(1, 1, what, "make it shorter")])
    try:
        tree = ast.parse(source, path)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise GuestProgramError(path, [_problem(error)]) from None
    _refuse_deep(tree, path)
    return tree


class _Flat(ast.NodeTransformer):
    """Puts final parts behind what they end: CPython copies them, nested ones 2**n times."""

    def visit_Try(self, node: ast.Try) -> ast.AST:
        self.generic_visit(node)
        if not node.finalbody:
            return node
        final, node.finalbody = node.finalbody, []
        inner = [node] if node.handlers else [*node.body, *node.orelse]
        flat = ast.If(ast.copy_location(ast.Constant(True), node), [*inner, *final], [])
        return ast.copy_location(flat, node)


def refusal(source: str, path: str) -> Problem | None:
    """Return what CPython's compiler has against a program that its parser took, or None."""
    try:
        tree = _Flat().visit(ast.parse(source, path))
        compile(tree, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return _problem(error)
    return None


def _problem(error: Exception) -> Problem:
    line = getattr(error, "lineno", None) or 1
    column = max(getattr(error, "offset", None) or 1, 1)
    text = getattr(error, "msg", None) or str(error) or "nested too deeply"
    return Problem(line, column, f"not Python 3.11: {text}", "")


def _refuse_deep(tree: ast.Module, path: str) -> None:
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            place = next((node for node in level if hasattr(node, "lineno")), None)
            line, column = getattr(place, "lineno", 1), getattr(place, "col_offset", 0)
            what = f"expressions or statements nested more than {MAX_DEPTH} deep"
            raise GuestProgramError(path, [Problem(line, column + 1, what, "split them")])
        level = [child for node in level for child in ast.iter_child_nodes(node)]
