"""Which variables of a program may hold a mapping: an index into one is an access to memory."""

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from workloads.language.function_nodes import parameters

if TYPE_CHECKING:
    from workloads.language.function_nodes import FunctionNode
    from workloads.language.scopes import ProgramScopes


def mapping_names(tree: ast.Module, scopes: "ProgramScopes") -> frozenset[str]:
    """Return every variable name that may hold a mapping, directly or inside a container.

    Flow-insensitive and by bare name: whatever is assigned from, called with, or returned by
    something that mentions such a name is one too. A program that makes no mapping has none.
    """
    imports = [pair for scope in scopes.scopes.values() for pair in scope.imports.items()]
    imports += scopes.imports.items()
    found = {text for text, what in imports if what in _MAKERS}
    modules = {text: what[1] for text, what in imports if what[0] == "module"}
    for text in list(modules):
        if any(text in scope.bound for scope in [scopes.module, *scopes.scopes.values()]):
            found.add(text)  # a variable somewhere, too: it may be a mapping there
            del modules[text]
    if not found and not any(
        isinstance(node, ast.Attribute) and _makes_mapping(node, modules) for node in ast.walk(tree)
    ):
        return frozenset()

    # What an expression mentions does not change while the names spread, so each is read once.
    known: dict[ast.AST, tuple[bool, frozenset[str]]] = {}

    def mentions(node: ast.AST | None) -> bool:
        if node is None:
            return False
        if node not in known:
            known[node] = _mentioned(node, modules)
        makes, names = known[node]
        return makes or not names.isdisjoint(found)

    passing = [node for node in ast.walk(tree) if isinstance(node, _PASSES_ON)]
    results = {
        node: [part.value for part in ast.walk(node) if isinstance(part, ast.Return | ast.Yield)]
        for node in passing
        if isinstance(node, ast.FunctionDef)
    }
    size = -1
    while size != len(found):
        size = len(found)
        for node in passing:
            _spread(node, found, mentions, scopes, results)
        found -= set(modules)  # a module's function got one
    return frozenset(found)


#: The nodes that pass a value on to a variable.
_PASSES_ON: Final = (
    *(ast.Assign, ast.withitem, ast.AugAssign, ast.AnnAssign, ast.NamedExpr, ast.For),
    *(ast.comprehension, ast.FunctionDef, ast.Lambda, ast.Call),
)


def _mentioned(node: ast.AST, modules: dict[str, str]) -> tuple[bool, frozenset[str]]:
    """Return whether ``node`` makes a mapping, and the variables it mentions."""
    makes, names, todo = False, set(), [node]
    while todo:
        part = todo.pop()
        if isinstance(part, ast.Name):
            names.add(part.id)
        elif isinstance(part, ast.Attribute):
            if _makes_mapping(part, modules):
                makes = True
            if getattr(part.value, "id", "") in modules:
                continue  # anything else of a module
        todo.extend(ast.iter_child_nodes(part))
    return makes, frozenset(names)


#: What makes a mapping: entries of ``tables``.
_MAKERS = (("entry", "mmap", "mmap"), ("entry", "workloads.guest", "shmat"))


def _makes_mapping(node: ast.Attribute, modules: dict[str, str]) -> bool:
    """Tell whether ``node`` names a maker of mappings: ``mmap.mmap``, ``guest.shmat``."""
    base = node.value
    if isinstance(base, ast.Attribute):
        return node.attr == "shmat"  # workloads.guest.shmat, by its full name
    text = modules.get(base.id, "") if isinstance(base, ast.Name) else ""
    return ("entry", text, node.attr) in _MAKERS


def _spread(
    node: ast.AST,
    found: set[str],
    mentions: Callable[[ast.AST | None], bool],
    scopes: "ProgramScopes",
    results: dict[ast.FunctionDef, list[ast.expr | None]],
) -> None:
    """Add to ``found`` what ``node`` passes a mapping on to."""
    if isinstance(node, ast.Assign):
        if mentions(node.value):
            for target in node.targets:
                found.update(stored(target))
    elif isinstance(node, ast.withitem):
        if node.optional_vars is not None and mentions(node.context_expr):
            found.update(stored(node.optional_vars))
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr):
        if mentions(node.value):
            found.update(stored(node.target))
    elif isinstance(node, ast.For | ast.comprehension):
        if mentions(node.iter):
            found.update(stored(node.target))
    elif isinstance(node, ast.FunctionDef | ast.Lambda):
        if isinstance(node, ast.FunctionDef) and any(map(mentions, results[node])):
            found.add(node.name)
        if any(mentions(default) for default in [*node.args.defaults, *node.args.kw_defaults]):
            found.update(_parameters(node))
    elif isinstance(node, ast.Call):
        parts = [*node.args, *[word.value for word in node.keywords]]
        if any(mentions(part) for part in parts):
            _spread_call(node, parts, found, scopes)


def _spread_call(
    node: ast.Call, parts: list[ast.expr], found: set[str], scopes: "ProgramScopes"
) -> None:
    """A call got a mapping: so may its receiver, and any function it names."""
    if isinstance(node.func, ast.Attribute):
        found.update(stored(node.func.value))
    named = {
        part.id
        for place in [node.func, *parts]
        for part in ast.walk(place)
        if isinstance(part, ast.Name)
    }
    functions = [f for text in sorted(named) for f in scopes.every_function.get(text, [])]
    text = node.func.id if isinstance(node.func, ast.Name) else ""
    called_variable = text not in scopes.functions and any(
        text in scope.bound for scope in [scopes.module, *scopes.scopes.values()]
    )
    if called_variable or not isinstance(node.func, ast.Name | ast.Attribute):
        # the callee is not known: it may be any function
        functions = [f for group in scopes.every_function.values() for f in group]
    for function in functions:
        found.update(_parameters(function))


def _parameters(node: "FunctionNode") -> set[str]:
    return {arg.arg for arg in parameters(node)}


def stored(target: ast.AST) -> set[str]:
    """Return the variables that a target (or a receiver) puts a value into."""
    return {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}
