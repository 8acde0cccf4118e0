"""Which globals of a program are tables that never change: a fork need not copy them.

Such a global is a dict of constants, made by one statement of the module, and nothing in the text
can change it or keep a reference to it: its name is only read from (``NAME[key]``, ``key in NAME``)
and given to ``dict``, ``sorted`` or ``len``, all of which look at it and let it go. So nobody can
tell whether a child has a copy of it or the very same. Where the text leaves a doubt, it is copied.
"""

import ast
from typing import Final

_LOOKING: Final = frozenset({"dict", "len", "sorted"})


def constant_tables(tree: ast.Module) -> tuple[str, ...]:
    """Return the names of these globals, in the order of the text."""
    made = {
        statement.targets[0].id: statement.targets[0]
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
        and _is_constant_dict(statement.value)
    }
    if not made:
        return ()
    nodes = list(ast.walk(tree))
    bound = _bound_without_a_name_node(nodes)
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and _is_stored(node)}
    looking = _LOOKING - bound - stored
    harmless: set[ast.expr] = {made[name] for name in made}
    for node in nodes:
        harmless.update(_only_looked_at(node, looking))
    kept = [
        node
        for node in nodes
        if isinstance(node, ast.Name) and node.id in made and node not in harmless
    ]
    doubtful = bound.union([node.id for node in kept])
    return tuple([name for name in made if name not in doubtful])


def _is_constant_dict(value: ast.expr) -> bool:
    return isinstance(value, ast.Dict) and all(
        isinstance(part, ast.Constant) for part in (*value.keys, *value.values)
    )


def _is_stored(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _only_looked_at(node: ast.AST, looking: frozenset[str]) -> list[ast.expr]:
    """Return the parts of a node that it reads from and forgets."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        return [node.value]
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return node.comparators if isinstance(node.ops[0], ast.In | ast.NotIn) else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return node.args if node.func.id in looking and len(node.args) == 1 else []
    return []


def _bound_without_a_name_node(nodes: list[ast.AST]) -> set[str]:
    """Return the names that get a meaning by something else than an ``ast.Name``."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
    return names
