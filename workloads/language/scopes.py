"""What the names of a program mean: imports, globals, locals of each function, cells, mappings.

Resolution is static: a name is a local if its function binds it, else one of an enclosing function,
else a module global if the module binds it, else an import, else a builtin. The same rules as
CPython's, except that an imported or builtin name cannot be rebound at module level (the checker
refuses it).

Functions, lambdas and comprehensions are scopes. A comprehension that nothing stops and that makes
no function is **native**: it stays host code inside its block, and its targets are names of the
host. Any other is a function of its own, as in CPython 3.11. A variable that an inner function uses
is kept in a **cell**: a list of one item, which is plain data to whoever copies or packs it.
"""

import ast
from collections import Counter
from collections.abc import Iterator

from workloads.language.effects import Effects
from workloads.language.function_nodes import (
    COMPREHENSIONS,
    Comprehension,
    FunctionNode,
    inside,
    outside,
    parameters,
)
from workloads.language.mapping_names import mapping_names
from workloads.language.tables import (
    BUILTINS,
    EXCEPTIONS,
    LIBRARY_MODULES,
    MODULES,
    START_VALUES,
    SUBMODULES,
    TYPES,
    Const,
    Entry,
    Exc,
    Pure,
    Value,
    star_names,
)

#: A static meaning: ("module", key), ("entry", key, name), ("hidden", slot name), ("note", …)
Meaning = tuple[str, ...]

#: Modules that say something to readers and type checkers only.
IGNORED_MODULES = frozenset({"typing", "__future__", "collections.abc"})

FIXED_GLOBALS = (
    "<process>",
    "__file__",
    "sys.argv",
    "sys.executable",
    "signal.default_int_handler",
    "<files>",
    "sys.stdin",
    "sys.stdout",
    "sys.stderr",
    "<start>",
)
FILES = 5  # the open files, None if there were none; see streams
STDIO = 6  # of sys.stdin, then sys.stdout and sys.stderr
START = 9  # kernel.uapi.start

#: What a name of the module stands for until the program has bound it.
BUILTIN_NAMES = frozenset({*BUILTINS, *TYPES, *EXCEPTIONS, "print"})
_TYPE_NAMES = frozenset({*TYPES, *EXCEPTIONS, "object", "type", "frozenset", "complex"})
_NAMES: dict[type, str] = {
    ast.Lambda: "<lambda>",
    ast.ListComp: "<listcomp>",
    ast.SetComp: "<setcomp>",
    ast.DictComp: "<dictcomp>",
    ast.GeneratorExp: "<genexpr>",
}
YIELDED = ".y"  # a variable of functions with yield from: the item
DELEGATED = ".f"  # another: what the items come from


class Scope:
    """The names of one function, or of the module (``node`` is None).

    Attributes:
        parent: the scope around it.
        body: its statements; of a lambda or a comprehension, the nodes inside.
        bound: its own variables, parameters first.
        cells: those of them that inner functions use.
        free: the variables of functions around it that it, or a function inside it, uses.
        native: a comprehension that is host code inside a block of ``parent``.
    """

    def __init__(
        self, node: FunctionNode | None, body: list[ast.AST], parent: "Scope | None"
    ) -> None:
        self.node = node
        self.body = body
        self.parent = parent
        self.bound: list[str] = []
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.fragile: set[str] = set()  # deleted somewhere: never known to be bound
        self.imports: dict[str, Meaning] = {}
        self.cells: set[str] = set()
        self.free: list[str] = []
        self.native = False
        self.generator = False
        self.name = "<module>"
        self.qualname = "<module>"
        if isinstance(node, ast.FunctionDef):
            self.name = node.name
        elif node is not None:
            self.name = _NAMES[type(node)]
        if node is not None and parent is not None:
            outer = "" if parent.node is None else parent.qualname + ".<locals>."
            self.qualname = outer + self.name

    def bind(self, text: str) -> None:
        """Note that ``text`` is assigned here."""
        if text not in self.bound:
            self.bound.append(text)

    def function(self) -> "Scope":
        """Return the scope whose frame this one's code runs in."""
        scope = self
        while scope.native:
            assert scope.parent is not None
            scope = scope.parent
        return scope

    @property
    def is_comprehension(self) -> bool:
        """Whether this is the scope of a comprehension or a generator expression."""
        return isinstance(self.node, COMPREHENSIONS)


class ProgramScopes:
    """Every name of a module and what it stands for."""

    def __init__(self, tree: ast.Module) -> None:
        self.imports: dict[str, Meaning] = {}
        self.starred: set[str] = set()  # imported by import *: the program may rebind them
        self.functions: dict[str, list[ast.FunctionDef]] = {}  # of the module, by name
        self.every_function: dict[str, list[FunctionNode]] = {}  # anywhere, for ``mapping_names``
        self.module = Scope(None, list(tree.body), None)
        self.scopes: dict[FunctionNode, Scope] = {}
        self._enter(self.module)
        for node in definitions(tree.body):
            self.functions.setdefault(node.name, []).append(node)
        self._settle_globals()
        self.docstring = ast.get_docstring(tree, clean=False)
        self.deferred_annotations = any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(alias.name == "annotations" for alias in node.names)
            for node in tree.body
        )
        bindings = self._bindings()
        self.plain_functions = {
            text
            for text, nodes in self.functions.items()
            if len(nodes) == 1
            and bindings[text] == 1
            and is_plain(nodes[0])
            and text not in BUILTIN_NAMES
        }
        self.prologue = self._prologue(tree.body)
        self.mappings = mapping_names(tree, self)
        self.effects = Effects(tree, self)
        for scope in self.scopes.values():
            scope.native = scope.is_comprehension and not self.effects.is_cut(scope)
        for scope in self.scopes.values():
            if not scope.native:
                self._capture(scope)

    # ---- building -------------------------------------------------------------------------

    def _enter(self, scope: Scope) -> None:
        """Fill in what ``scope`` binds, and the scopes inside it."""
        collect(scope)
        if isinstance(scope.node, ast.FunctionDef):
            group = self.every_function.setdefault(scope.node.name, [])
            group.append(scope.node)
        elif isinstance(scope.node, ast.Lambda):
            self.every_function.setdefault("<lambda>", []).append(scope.node)
        for node in walk_scope(scope.body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._import(node, scope)
            elif isinstance(node, ast.Yield | ast.YieldFrom):
                scope.generator = True
                if isinstance(node, ast.YieldFrom):
                    scope.bind(YIELDED)
                    scope.bind(DELEGATED)
            elif isinstance(node, ast.FunctionDef | ast.Lambda | Comprehension):
                inner = Scope(node, inside(node), scope)
                inner.generator = isinstance(node, ast.GeneratorExp)
                self.scopes[node] = inner
                self._enter(inner)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        names = self.imports if scope.node is None or scope.parent is None else scope.imports
        if isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.partition(".")[0]
                names[alias.asname or head] = ("module", alias.name if alias.asname else head)
                self.starred.discard(alias.asname or head)
            return
        module = node.module or ""
        for alias in node.names:
            if alias.name != "*":
                target = self.imports if (alias.asname or alias.name) in scope.globals else names
                target[alias.asname or alias.name] = self.member(module, alias.name)
                self.starred.discard(alias.asname or alias.name)
                continue
            for text in star_names(module):
                self.starred.add(text)
                self.imports[text] = self.member(module, text)

    def _settle_globals(self) -> None:
        for scope in list(self.scopes.values()):
            if scope.is_comprehension:
                continue
            for text in sorted(scope.globals):
                if text not in self.imports or text in self.starred:
                    self.module.bind(text)
            self.module.fragile |= scope.fragile & scope.globals
            scope.fragile -= scope.globals
        for text in sorted(self.starred & set(self.module.bound)):
            del self.imports[text]

    def _capture(self, scope: Scope) -> None:
        """Find the variables of enclosing functions that ``scope`` uses."""
        for text in self._used(scope):
            if text in scope.bound or text in scope.globals:
                continue
            outer = scope.parent
            between = [scope]
            while outer is not None and outer.node is not None:
                outer = outer.function()
                if outer.node is None:
                    break
                if text in outer.globals and not outer.is_comprehension:
                    break
                if text in outer.bound:
                    outer.cells.add(text)
                    for inner in between:
                        if text not in inner.free:
                            inner.free.append(text)
                    break
                between.append(outer)
                outer = outer.parent

    def _used(self, scope: Scope) -> Iterator[str]:
        """Yield the names that the code of one frame mentions, native comprehensions included."""
        for node in walk_scope(scope.body):
            if isinstance(node, ast.Name):
                yield node.id
            elif isinstance(node, Comprehension) and self.scopes[node].native:
                yield from self._used(self.scopes[node])
            elif isinstance(node, ast.Nonlocal):
                yield from node.names

    # ---- asking ---------------------------------------------------------------------------

    def is_type_note(self, node: ast.expr, scope: Scope) -> bool:
        """Tell whether nobody can see an annotation being evaluated: it only names types."""
        if isinstance(node, ast.Constant):
            return True
        if isinstance(node, ast.Name | ast.Attribute):
            meaning = self.meaning(node, scope, frozenset())
            if meaning is not None:
                return meaning[0] == "note" or isinstance(
                    self.entry(meaning), Const | Value | Exc | Pure
                )
            return (
                isinstance(node, ast.Name)
                and node.id in _TYPE_NAMES
                and not self.is_variable(node.id, scope)
            )
        if isinstance(node, ast.Subscript):
            return self.is_type_note(node.value, scope) and self.is_type_note(node.slice, scope)
        if isinstance(node, ast.Tuple | ast.List):
            return all(self.is_type_note(part, scope) for part in node.elts)
        return (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.BitOr)
            and self.is_type_note(node.left, scope)
            and self.is_type_note(node.right, scope)
        )

    @staticmethod
    def member(module: str, text: str) -> Meaning:
        """Return what ``module.text`` stands for."""
        if module in IGNORED_MODULES:
            return ("note", module, text)
        if (module, text) in SUBMODULES:
            return ("module", SUBMODULES[module, text])
        if (module, text) in START_VALUES:
            return ("hidden", START_VALUES[module, text])
        return ("entry", module, text)

    def _bindings(self) -> Counter[str]:
        """Return how often the program binds each global."""
        counts = Counter(binding_names(self.module.body))
        for scope in self.scopes.values():
            if scope.globals:
                counts.update(text for text in binding_names(scope.body) if text in scope.globals)
        return counts

    def _prologue(self, body: list[ast.stmt]) -> set[str]:
        """Return the globals that are bound before any guest code can run."""
        bound: set[str] = set()
        for node in body:
            if isinstance(node, ast.FunctionDef):
                if node.decorator_list:
                    break
                if node.args.defaults or [d for d in node.args.kw_defaults if d]:
                    defaults = [*node.args.defaults, *[d for d in node.args.kw_defaults if d]]
                    if not all(isinstance(default, ast.Constant) for default in defaults):
                        break
                bound.add(node.name)
            elif isinstance(node, ast.AnnAssign):
                break
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                bound.update(t.id for t in node.targets if isinstance(t, ast.Name))
            elif not (
                isinstance(node, ast.Import | ast.ImportFrom)
                or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            ):
                break
        return bound - self.module.fragile

    def is_variable(self, text: str, scope: Scope) -> bool:
        """Tell whether ``text`` is a variable of the program where ``scope`` is current."""
        place: Scope | None = scope
        while place is not None and place.node is not None:
            if text in place.globals and not place.is_comprehension:
                break
            if text in place.bound:
                return True
            if text in place.imports:
                return False
            place = place.parent
        return text in self.module.bound

    def meaning(self, node: ast.expr, scope: Scope, shadow: frozenset[str]) -> Meaning | None:
        """Return the static meaning of a name or dotted name, None if it is a value."""
        if isinstance(node, ast.Name):
            text = node.id
            if text in shadow:
                return None
            place: Scope | None = scope
            while place is not None and place.node is not None:
                if text in place.globals and not place.is_comprehension:
                    break
                if text in place.bound:
                    return None
                if text in place.imports:
                    return place.imports[text]
                place = place.parent
            return None if text in self.module.bound else self.imports.get(text)
        if isinstance(node, ast.Attribute):
            base = self.meaning(node.value, scope, shadow)
            if base is not None and base[0] == "module":
                return self.member(base[1], node.attr)
            if base is not None and base[0] == "note":
                return base
        return None

    @staticmethod
    def entry(meaning: Meaning | None) -> Entry | None:
        """Return the table entry of a meaning, if it has one."""
        if meaning is None or meaning[0] != "entry":
            return None
        names = MODULES.get(meaning[1]) or LIBRARY_MODULES.get(meaning[1], {})
        return names.get(meaning[2])

    def every_import(self) -> Iterator[Meaning]:
        """Yield what each import anywhere stands for."""
        yield from self.imports.values()
        for scope in self.scopes.values():
            yield from scope.imports.values()

    def uses(self, module: str) -> bool:
        """Tell whether the program imports ``module`` or something of it."""
        return any(what[1] == module for what in self.every_import())


def definitions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a module in source order."""
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield node


def is_plain(node: ast.FunctionDef) -> bool:
    """Tell whether calls of a function can be laid out when the program is compiled."""
    return not (node.decorator_list or node.args.vararg or node.args.kwarg)


def walk_scope(body: list[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of one scope, those of the scopes inside it left out."""
    todo: list[ast.AST] = list(reversed(body))
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, FunctionNode):
            todo.extend(reversed(outside(node)))
        elif not isinstance(node, ast.ClassDef | ast.AsyncFunctionDef):
            todo.extend(reversed(list(ast.iter_child_nodes(node))))


def binding_names(body: list[ast.AST]) -> Iterator[str]:
    """Yield each name that a scope binds, once for every place."""
    for node in walk_scope(body):
        text: str | None = None
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            text = node.id
        elif isinstance(node, ast.FunctionDef | ast.ExceptHandler):
            text = node.name
        elif isinstance(node, Comprehension):
            yield from walrus_names(node)
        if text is not None:
            yield text


def walrus_names(node: Comprehension) -> Iterator[str]:
    """Yield the names that := inside a comprehension binds around it."""
    for part in walk_scope(inside(node)):
        if isinstance(part, ast.NamedExpr):
            yield part.target.id
        elif isinstance(part, Comprehension):
            yield from walrus_names(part)


def collect(scope: Scope) -> None:
    """Fill in what ``scope`` binds."""
    if scope.node is not None:
        for arg in parameters(scope.node):
            scope.bind(arg.arg)
    if scope.is_comprehension:
        assert isinstance(scope.node, Comprehension)
        for generator in scope.node.generators:
            for part in ast.walk(generator.target):
                if isinstance(part, ast.Name):
                    scope.bind(part.id)
        return
    for node in walk_scope(scope.body):
        if isinstance(node, ast.Global):
            scope.globals.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            scope.nonlocals.update(node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
            scope.fragile.add(node.id)
            scope.bind(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            scope.fragile.add(node.name)
    for text in binding_names(scope.body):
        scope.bind(text)
    outer = scope.globals | scope.nonlocals
    scope.bound = [text for text in scope.bound if text not in outer]
