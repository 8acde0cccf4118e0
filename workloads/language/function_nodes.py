"""Functions, lambdas and comprehensions as nodes of a tree: parameters, what is inside, outside."""

import ast
from typing import Final

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
FunctionNode = ast.FunctionDef | ast.Lambda | Comprehension
COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
ITERATED: Final = ".0"  # the parameter of a comprehension: what its first part walks


def parameters(node: FunctionNode) -> list[ast.arg]:
    """Return the parameters of a function in the order of its locals, * and ** last."""
    if isinstance(node, Comprehension):
        return [ast.copy_location(ast.arg(ITERATED), node)]
    stars = [arg for arg in (node.args.vararg, node.args.kwarg) if arg is not None]
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, *stars]


def annotations(node: ast.FunctionDef) -> list[ast.expr]:
    """Return the annotations of a function in the order in which CPython evaluates them."""
    args = node.args
    order = [*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
    notes = [arg.annotation for arg in order if arg is not None]
    return [note for note in [*notes, node.returns] if note is not None]


def inside(node: FunctionNode) -> list[ast.AST]:
    """Return the nodes that belong to the scope of ``node``."""
    if isinstance(node, ast.FunctionDef):
        return list(node.body)
    if isinstance(node, ast.Lambda):
        return [node.body]
    parts: list[ast.AST] = []
    for i, generator in enumerate(node.generators):
        parts += [generator.target, *([generator.iter] if i else []), *generator.ifs]
    return [*parts, *([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])]


def outside(node: FunctionNode) -> list[ast.expr]:
    """Return the expressions of ``node`` that are evaluated where it stands."""
    if isinstance(node, Comprehension):
        return [node.generators[0].iter]
    args = node.args
    parts = [*args.defaults, *[default for default in args.kw_defaults if default is not None]]
    if isinstance(node, ast.FunctionDef):
        parts = [*node.decorator_list, *parts, *annotations(node)]
    return parts
