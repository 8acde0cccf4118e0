"""Which expressions may end a block, and which may give an iterator: asked while compiling.

An expression **stops** if evaluating it may need the kernel or another guest function. The answers
err on the side of yes. They are kept per node, so that asking at every level stays linear.
"""

import ast
from typing import TYPE_CHECKING, Final

from workloads.language import tables
from workloads.language.function_nodes import COMPREHENSIONS, inside, outside
from workloads.language.methods import ALL_METHODS
from workloads.language.tables import Param, Pure, Routine, Sys

if TYPE_CHECKING:
    from workloads.language.scopes import ProgramScopes, Scope

#: Methods that iterate over their argument at once.
CONSUMING_METHODS: Final = frozenset({"join", "extend", "update"})
#: Methods that give back what somebody put in, perhaps an iterator.
_GIVING_BACK: Final = frozenset({"get", "pop", "popleft", "setdefault", "popitem"})
_NEVER_ITERATORS: Final = (
    *(ast.Constant, ast.JoinedStr, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.BinOp),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.Compare, ast.UnaryOp, ast.Lambda),
)


class Effects:
    """What is known of the expressions of one program."""

    def __init__(self, tree: ast.Module, scopes: "ProgramScopes") -> None:
        self.scopes = scopes
        self._stops: dict[ast.AST, bool] = {}
        self._cut: dict[ast.AST, bool] = {}
        self._consumer: dict[ast.AST, ast.Call] = {}  # genexp -> the call that consumes it
        consumed: set[ast.AST] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                self._note_consumer(node, consumed)
            elif isinstance(node, ast.For | ast.comprehension):
                consumed.add(node.iter)
            elif isinstance(node, ast.Starred):
                consumed.add(node.value)
        self.iterators = any(self._makes_iterator(node, consumed) for node in ast.walk(tree))

    def _note_consumer(self, node: ast.Call, consumed: set[ast.AST]) -> None:
        function = node.func
        if not node.args:
            return
        consumes = (isinstance(function, ast.Name) and function.id in tables.CONSUMERS) or (
            isinstance(function, ast.Attribute)
            and function.attr in CONSUMING_METHODS
            and len(node.args) == 1
        )
        if consumes or (isinstance(function, ast.Name) and function.id in tables.LAZY):
            consumed.update(node.args)
        if consumes and isinstance(node.args[0], ast.GeneratorExp):
            self._consumer[node.args[0]] = node

    def _makes_iterator(self, node: ast.AST, consumed: set[ast.AST]) -> bool:
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if isinstance(node, ast.GeneratorExp):
            return node not in self._consumer or any(
                isinstance(part, ast.Call | ast.Lambda) for part in ast.walk(node)
            )
        if isinstance(node, ast.Name):
            return node.id in tables.ITERATOR_MAKERS
        if isinstance(node, ast.Attribute | ast.alias):
            text = node.attr if isinstance(node, ast.Attribute) else node.name
            return text in tables.ITERATOR_MAKERS
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in tables.LAZY
            and node not in consumed
        )

    # ---- stops ----------------------------------------------------------------------------

    def stops(self, node: ast.AST | None, scope: "Scope") -> bool:
        """Return whether evaluating ``node`` may end the block."""
        if node is None:
            return False
        known = self._stops.get(node)
        if known is None:
            known = self._stops[node] = self._find(node, scope)
        return known

    def _find(self, node: ast.AST, scope: "Scope") -> bool:
        if isinstance(node, COMPREHENSIONS):
            first = self.stops(node.generators[0].iter, scope)
            inner = self.scopes.scopes[node]
            return first or (not isinstance(node, ast.GeneratorExp) and self.is_cut(inner))
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            decorated = isinstance(node, ast.FunctionDef) and bool(node.decorator_list)
            return decorated or any(self.stops(part, scope) for part in outside(node))
        return self._here(node, scope) or any(
            self.stops(part, scope) for part in ast.iter_child_nodes(node)
        )

    def _here(self, node: ast.AST, scope: "Scope") -> bool:
        if isinstance(node, ast.Subscript):
            return self.may_be_mapping(node.value)
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if isinstance(node, ast.Starred):
            return self.may_iterate(node.value, scope)
        if isinstance(node, ast.Compare):
            return any(
                isinstance(op, ast.In | ast.NotIn) and self.may_iterate(value, scope)
                for op, value in zip(node.ops, node.comparators, strict=True)
            )
        if isinstance(node, ast.Assign):
            return any(
                isinstance(target, ast.Tuple | ast.List) for target in node.targets
            ) and self.gives_iterator(node.value, scope)
        if not isinstance(node, ast.Call):
            return False
        meaning = self.scopes.meaning(node.func, scope, frozenset())
        if meaning is not None:
            entry = self.scopes.entry(meaning)
            return isinstance(entry, Sys | Routine) or (
                isinstance(entry, Pure) and not fits(entry.params, node)
            )
        if isinstance(node.func, ast.Name):
            return self._name_stops(node.func.id, node, scope)
        if isinstance(node.func, ast.Attribute):
            return self._method_stops(node.func, node, scope)
        return True

    def _name_stops(self, text: str, node: ast.Call, scope: "Scope") -> bool:
        if self.scopes.is_variable(text, scope) or is_starred(node) or text in ("print", "next"):
            return True
        if text in tables.STREAM_BUILTINS:
            return True
        if text in tables.EXCEPTIONS:
            return False
        if not builtin_fits(text, node):
            return True
        if text in tables.KEYED and any(word.arg == "key" for word in node.keywords):
            return True
        return text in tables.CONSUMERS and any(
            self.may_iterate(arg, scope) for arg in node.args[:1]
        )

    def _method_stops(self, function: ast.Attribute, node: ast.Call, scope: "Scope") -> bool:
        if self.is_handle_method(function) or is_starred(node):
            return True
        if function.attr == "sort" and any(word.arg == "key" for word in node.keywords):
            return True
        return function.attr in CONSUMING_METHODS and any(
            self.may_iterate(arg, scope) for arg in node.args
        )

    def is_handle_method(self, function: ast.Attribute) -> bool:
        """Return whether a method call may be one of a handle."""
        if function.attr not in tables.HANDLE_METHODS:
            return False
        module = tables.COMMON_METHODS.get(function.attr)
        if module is not None and not self.scopes.uses(module):
            return False
        return not (function.attr == "join" and isinstance(function.value, ast.Constant))

    def may_be_mapping(self, node: ast.expr) -> bool:
        """Return whether ``node`` may evaluate to a mapping (see ``mapping_names``)."""
        names = self.scopes.mappings
        return bool(names) and any(
            isinstance(part, ast.Name) and part.id in names for part in ast.walk(node)
        )

    # ---- comprehensions and iterators -----------------------------------------------------

    def is_cut(self, scope: "Scope") -> bool:
        """Return whether a comprehension is a function of its own, not host code in a block."""
        node = scope.node
        assert isinstance(node, COMPREHENSIONS)
        known = self._cut.get(node)
        if known is None:
            self._cut[node] = True  # while looking: a genexp that is looked at again stays one
            known = self._cut[node] = self._must_cut(node, scope)
        return known

    def _must_cut(self, node: ast.expr, scope: "Scope") -> bool:
        outer = scope.parent
        assert outer is not None
        if isinstance(node, ast.GeneratorExp):
            call = self._consumer.get(node)
            if call is None or call.keywords or is_starred(call):
                return True
            function = call.func
            if isinstance(function, ast.Name):
                if self.scopes.is_variable(function.id, outer):
                    return True
            elif self.stops(function, outer):
                return True
            if any(self.stops(arg, outer) for arg in call.args[1:]):
                return True
        assert isinstance(node, COMPREHENSIONS)
        for part in inside(node):
            if self.stops(part, scope):
                return True
            for inner in ast.walk(part):
                if isinstance(inner, ast.Lambda):
                    return True
                if isinstance(inner, COMPREHENSIONS) and self.is_cut(self.scopes.scopes[inner]):
                    return True
        return any(
            self.may_iterate(generator.iter, scope if i else outer)
            for i, generator in enumerate(node.generators)
        )

    def gives_iterator(self, node: ast.expr, scope: "Scope") -> bool:
        """As ``may_iterate``, of a value that is not walked at once: enumerate and such, too."""
        return self.may_iterate(node, scope) or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in tables.LAZY
            and not self.scopes.is_variable(node.func.id, scope)
        )

    def may_iterate(self, node: ast.expr, scope: "Scope") -> bool:
        """Return whether ``node`` may evaluate to an iterator, which is walked by pulling."""
        if not self.iterators or isinstance(node, _NEVER_ITERATORS):
            return False
        if isinstance(node, ast.GeneratorExp):
            return self.is_cut(self.scopes.scopes[node])
        if isinstance(node, ast.Starred):
            return self.may_iterate(node.value, scope)
        if not isinstance(node, ast.Call):
            meaning = self.scopes.meaning(node, scope, frozenset())
            return meaning is None or meaning == ("hidden", "sys.stdin")
        function = node.func
        meaning = self.scopes.meaning(function, scope, frozenset())
        if meaning is not None:
            return meaning[-1] in tables.ITERATOR_MAKERS
        if isinstance(function, ast.Name) and not self.scopes.is_variable(function.id, scope):
            if function.id in tables.LAZY:
                return is_starred(node) or any(self.may_iterate(arg, scope) for arg in node.args)
            return function.id in tables.ITERATOR_MAKERS or function.id == "next"
        if isinstance(function, ast.Attribute):
            return function.attr not in ALL_METHODS or function.attr in _GIVING_BACK
        return True


def is_starred(node: ast.Call) -> bool:
    """Tell whether how many arguments a call has is known only when it is reached."""
    return any(isinstance(arg, ast.Starred) for arg in node.args) or any(
        word.arg is None for word in node.keywords
    )


def fits(params: tuple[Param, ...], node: ast.Call) -> bool:
    """Tell whether a call has the arguments that a module's function takes."""
    if is_starred(node):
        return False
    positional = [p.name for p in params if not p.keyword_only and not p.rest]
    if len(node.args) > len(positional) and not any(p.rest for p in params):
        return False
    given = set(positional[: len(node.args)])
    names = {p.name for p in params if not p.rest}
    for word in node.keywords:
        if word.arg not in names or word.arg in given:
            return False
        given.add(word.arg or "")
    return all(p.name in given for p in params if p.required)


def builtin_fits(text: str, node: ast.Call) -> bool:
    """Tell whether a call has the arguments that a builtin function takes."""
    if text not in tables.BUILTINS or is_starred(node):
        return text not in tables.BUILTINS
    _, least, most = tables.BUILTINS[text]
    words = tables.BUILTIN_WORDS.get(text, frozenset())
    given = len(node.args) + (len(node.keywords) if text in tables.NAMED else 0)
    return least <= given <= most and all(word.arg in words for word in node.keywords)
