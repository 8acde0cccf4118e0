"""What the names of a package mean: for ``cluster.core.folding``.

Nothing is run: constants and functions are read from the syntax trees.
"""

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_BINARY: Final[dict[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
}

# what it may not have: names of its own, or a way to be left
_NEVER: Final = (
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.NamedExpr,
    ast.Yield,
    ast.YieldFrom,
    ast.Await,
    ast.Starred,
)

Key = tuple[str, str]  # module and name


@dataclass(slots=True)
class Source:
    """One module: its tree, what it imports, and what it defines at its top level."""

    tree: ast.Module
    imports: dict[str, Key]
    constants: dict[str, ast.expr]
    functions: dict[str, ast.FunctionDef]


def module_of(path: str) -> str:
    parts = path.removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read(tree: ast.Module) -> Source:
    """Note what a module imports and defines."""
    found = Source(tree, {}, {}, {})
    again: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found.imports[alias.asname or alias.name] = (node.module, alias.name)
        elif isinstance(node, ast.FunctionDef):
            if node.name in found.functions or node.decorator_list:
                again.add(node.name)
            found.functions[node.name] = node
        elif isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and not part.decorator_list:
                    found.functions[f"{node.name}.{part.name}"] = part
        elif (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.value is not None
            and "Final" in ast.unparse(node.annotation)
        ):
            found.constants[node.target.id] = node.value
    for name in again:
        del found.functions[name]
    return found


class Meanings:
    """Knows what every name of the package means."""

    def __init__(self, sources: dict[str, Source], prefix: str) -> None:
        self._sources = sources
        self.prefix = prefix
        self._values: dict[Key, int | None] = {}

    def tree(self, module: str) -> ast.Module:
        """Return the syntax tree of a module."""
        return self._sources[module].tree

    def value(self, module: str, node: ast.expr) -> int | None:
        """Return the integer that an expression at a module's top level has, if it is constant."""
        if isinstance(node, ast.Constant):
            return node.value if type(node.value) is int else None
        if isinstance(node, ast.Name | ast.Attribute):
            key = self.meant(module, node)
            return None if key is None else self.constant(key)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = self.value(module, node.operand)
            return None if value is None else -value
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            left, right = self.value(module, node.left), self.value(module, node.right)
            if left is not None and right is not None:
                return _BINARY[type(node.op)](left, right)
        return None

    def constant(self, key: Key) -> int | None:
        """Return the value of an integer constant, or None if it is none."""
        if key not in self._values:
            self._values[key] = None  # of a circle
            module, name = key
            source = self._sources.get(module)
            if source is not None and name in source.constants:
                self._values[key] = self.value(module, source.constants[name])
        return self._values[key]

    def meant(self, module: str, node: ast.expr) -> Key | None:
        """Return where what a name, or an attribute of a module's name, means is defined."""
        source = self._sources.get(module)
        if source is None:
            return None
        if isinstance(node, ast.Name):
            if node.id in source.constants or node.id in source.functions:
                return module, node.id
            known = source.imports.get(node.id)
            return None if known is None else self._followed(known)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            place, name = source.imports.get(node.value.id, ("", ""))
            if f"{place}.{name}" in self._sources:
                return self._followed((f"{place}.{name}", node.attr))
        return None

    def _followed(self, key: Key) -> Key:
        """Return where a name that a module may only have imported is from."""
        seen = set()
        while key not in seen:
            seen.add(key)
            source = self._sources.get(key[0])
            if source is not None and key[1] not in (*source.constants, *source.functions):
                key = source.imports.get(key[1], key)
        return key

    def function(self, key: Key | None) -> ast.FunctionDef | None:
        """Return a function without defaults, keywords and stars by where it is."""
        source = None if key is None else self._sources.get(key[0])
        if key is None or source is None:
            return None
        node = source.functions.get(key[1])
        if node is None:
            return None
        of = node.args
        plain = not (of.defaults or of.kwonlyargs or of.vararg or of.kwarg or of.posonlyargs)
        return node if plain else None

    def expression(self, key: Key | None) -> tuple[list[str], ast.expr] | None:
        """Return parameters and result of a function that only returns an expression of them."""
        node = self.function(key)
        if node is None or key is None:
            return None
        body = body_of(node)
        if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
            return None
        parameters = [arg.arg for arg in node.args.args]
        found = body[0].value
        for part in ast.walk(found):
            if isinstance(part, _NEVER):
                return None
            if (
                isinstance(part, ast.Name)
                and part.id not in parameters
                and self.value(key[0], part) is None
                and not self._is_module(key[0], part.id)
            ):
                return None
        return parameters, found

    def statements(self, key: Key) -> ast.FunctionDef | None:
        """Return a function whose body can take the place of a call, or None.

        It is left at its end only; there it may return what a call gives, which nobody looks at.
        """
        node = self.function(key)
        if node is None:
            return None
        body = body_of(node)
        if not body:
            return None
        last = body[-1]
        inside = [part for statement in body for part in ast.walk(statement)]
        if isinstance(last, ast.Return) and isinstance(last.value, ast.Call):
            inside.remove(last)
        left = any(isinstance(part, (*_NEVER, ast.Return, ast.FunctionDef)) for part in inside)
        return None if left else node

    def _is_module(self, module: str, name: str) -> bool:
        """Tell whether a name is an imported module, whose constants may be looked up."""
        place, there = self._sources[module].imports.get(name, ("", ""))
        return f"{place}.{there}" in self._sources


def body_of(node: ast.FunctionDef) -> list[ast.stmt]:
    """Return a function's statements without the docstring."""
    first = node.body[0]
    has = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return node.body[1:] if has else node.body


def names_bound_in(node: ast.AST) -> set[str]:
    """Return every name that a function, or one inside it, binds."""
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.arg):
            found.add(part.arg)
        elif isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
            found.add(part.id)
        elif isinstance(part, ast.alias):
            found.add((part.asname or part.name).split(".")[0])
        elif (
            isinstance(
                part,
                ast.ExceptHandler | ast.FunctionDef | ast.ClassDef | ast.MatchAs | ast.MatchStar,
            )
            and part is not node
            and part.name
        ):
            found.add(part.name)
    return found
