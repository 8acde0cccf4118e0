"""What the names of a program mean: imports, globals, locals of each function, mappings.

Resolution is static: a name is a local if its function binds it, else a module global if the
module binds it, else an import, else a builtin. The same rules as CPython's, except that an
imported or builtin name cannot be rebound at module level (the checker refuses it).
"""

import ast
from collections.abc import Callable, Iterator

from workloads.language.tables import (
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
)

FunctionNode = ast.FunctionDef
#: A static meaning: ("module", key), ("entry", key, name), ("hidden", slot name)
Meaning = tuple[str, ...]

#: Modules that say something to readers and type checkers only.
IGNORED_MODULES = frozenset({"typing", "__future__", "collections.abc"})

FIXED_GLOBALS = (
    "<process>",
    "__file__",
    "sys.argv",
    "sys.executable",
    "signal.default_int_handler",
)


_TYPE_NAMES = frozenset({*TYPES, *EXCEPTIONS, "object", "type", "frozenset", "complex"})


class Scope:
    """The names of one function, or of the module (``node`` is None)."""

    def __init__(self, node: FunctionNode | None, body: list[ast.stmt]) -> None:
        self.node = node
        self.body = body
        self.bound: list[str] = []
        self.globals: set[str] = set()
        self.fragile: set[str] = set()  # deleted somewhere: never known to be bound

    def bind(self, text: str) -> None:
        """Note that ``text`` is assigned here."""
        if text not in self.bound:
            self.bound.append(text)


class ProgramScopes:
    """Every name of a module and what it stands for."""

    def __init__(self, tree: ast.Module) -> None:
        self.imports: dict[str, Meaning] = {}
        self.functions: dict[str, list[FunctionNode]] = {}
        self.module = Scope(None, tree.body)
        self.scopes: dict[FunctionNode, Scope] = {}
        # imports inside other code are refused, but should not make every use look unknown
        for node in ast.walk(tree):
            self._import(node)
        collect(self.module)
        for node in definitions(tree.body):
            self.functions.setdefault(node.name, []).append(node)
            scope = Scope(node, node.body)
            for arg in parameters(node):
                scope.bind(arg.arg)
            collect(scope)
            scope.bound = [text for text in scope.bound if text not in scope.globals]
            self.scopes[node] = scope
            for text in sorted(scope.globals):
                self.module.bind(text)
            self.module.fragile |= scope.fragile & scope.globals
            scope.fragile -= scope.globals
        self.plain_functions = {
            text
            for text, nodes in self.functions.items()
            if len(nodes) == 1 and self._bindings(text) == 1
        }
        self.docstring = ast.get_docstring(tree, clean=False)
        self.deferred_annotations = any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(alias.name == "annotations" for alias in node.names)
            for node in tree.body
        )
        self.prologue = self._prologue(tree.body)
        self.mappings = mapping_names(tree, self)

    def _import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    self.imports[alias.asname] = ("module", alias.name)
                else:
                    self.imports[alias.name.partition(".")[0]] = (
                        "module",
                        alias.name.partition(".")[0],
                    )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                text = alias.asname or alias.name
                self.imports[text] = self.member(node.module or "", alias.name)

    def is_type_note(self, node: ast.expr, scope: Scope) -> bool:
        """Tell whether nobody can see an annotation being evaluated: it only names types."""
        if isinstance(node, ast.Constant):
            return True
        if isinstance(node, ast.Name | ast.Attribute):
            meaning = self.meaning(node, scope, frozenset())
            if meaning is not None:
                return meaning[0] == "note" or isinstance(self.entry(meaning), Const | Exc | Pure)
            return (
                isinstance(node, ast.Name)
                and node.id in _TYPE_NAMES
                and node.id not in scope.bound
                and node.id not in self.module.bound
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

    def _bindings(self, text: str) -> int:
        count = 0
        for scope in (self.module, *self.scopes.values()):
            if scope is self.module or text in scope.globals:
                count += sum(1 for found in binding_names(scope.body) if found == text)
        return count

    def _prologue(self, body: list[ast.stmt]) -> set[str]:
        """Return the globals that are bound before any guest code can run."""
        bound: set[str] = set()
        for node in body:
            if isinstance(node, ast.FunctionDef):
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

    def meaning(self, node: ast.expr, scope: Scope, shadow: frozenset[str]) -> Meaning | None:
        """Return the static meaning of a name or dotted name, None if it is a value."""
        if isinstance(node, ast.Name):
            if node.id in shadow or node.id in scope.bound or node.id in self.module.bound:
                return None
            return self.imports.get(node.id)
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

    def uses(self, module: str) -> bool:
        """Tell whether the program imports ``module`` or something of it."""
        return any(what[1] == module for what in self.imports.values())


def definitions(body: list[ast.stmt]) -> Iterator[FunctionNode]:
    """Yield the functions of a module in source order."""
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield node


def parameters(node: FunctionNode) -> list[ast.arg]:
    """Return the parameters of a function in the order of its locals."""
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def annotations(node: FunctionNode) -> list[ast.expr]:
    """Return the annotations of a function in the order in which CPython evaluates them."""
    notes = [arg.annotation for arg in parameters(node)]
    return [note for note in [*notes, node.returns] if note is not None]


def walk_scope(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield the nodes of one scope: no bodies of functions or comprehensions' own targets."""
    todo: list[ast.AST] = list(reversed(body))
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            # the targets belong to the comprehension
            for part in ast.walk(node):
                stored = isinstance(getattr(part, "ctx", None), ast.Store)
                if isinstance(part, ast.expr) and not stored and part is not node:
                    yield part
            continue
        todo.extend(reversed(list(ast.iter_child_nodes(node))))


def binding_names(body: list[ast.stmt]) -> Iterator[str]:
    """Yield each name that a scope binds, once for every place."""
    for node in walk_scope(body):
        text: str | None = None
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            text = node.id
        elif isinstance(node, ast.FunctionDef | ast.ExceptHandler):
            text = node.name
        if text is not None:
            yield text


def collect(scope: Scope) -> None:
    """Fill in what ``scope`` binds."""
    for node in walk_scope(scope.body):
        if isinstance(node, ast.Global):
            scope.globals.update(node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
            scope.fragile.add(node.id)
            scope.bind(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            scope.fragile.add(node.name)
    for text in binding_names(scope.body):
        scope.bind(text)


def mapping_names(tree: ast.Module, scopes: ProgramScopes) -> frozenset[str]:
    """Return every variable name that may hold a mapping, directly or inside a container.

    Flow-insensitive and by bare name: whatever is assigned from, called with, or returned by
    something that mentions such a name is one too. A program that makes no mapping has none.
    """
    found = {text for text, what in scopes.imports.items() if what in _MAKERS}
    modules = {text: what[1] for text, what in scopes.imports.items() if what[0] == "module"}
    for text in list(modules):
        if any(text in scope.bound for scope in [scopes.module, *scopes.scopes.values()]):
            found.add(text)  # a variable somewhere, too: it may be a mapping there
            del modules[text]
    if not found and not any(
        isinstance(node, ast.Attribute) and _makes_mapping(node, modules) for node in ast.walk(tree)
    ):
        return frozenset()

    def mentions(node: ast.AST | None) -> bool:
        todo = [node] if node is not None else []
        while todo:
            part = todo.pop()
            if isinstance(part, ast.Name) and part.id in found:
                return True
            if isinstance(part, ast.Attribute):
                if _makes_mapping(part, modules):
                    return True
                if getattr(part.value, "id", "") in modules:
                    continue  # anything else of a module
            todo.extend(ast.iter_child_nodes(part))
        return False

    size = -1
    while size != len(found):
        size = len(found)
        for node in ast.walk(tree):
            _spread(node, found, mentions, scopes)
        found -= set(modules)  # a module's function got one
    return frozenset(found)


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
    scopes: ProgramScopes,
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
    elif isinstance(node, ast.FunctionDef):
        if any(isinstance(part, ast.Return) and mentions(part.value) for part in ast.walk(node)):
            found.add(node.name)
        if any(mentions(default) for default in [*node.args.defaults, *node.args.kw_defaults]):
            found.update(arg.arg for arg in parameters(node))
    elif isinstance(node, ast.Call):
        parts = [*node.args, *[word.value for word in node.keywords]]
        if any(mentions(part) for part in parts):
            _spread_call(node, parts, found, scopes)


def _spread_call(
    node: ast.Call, parts: list[ast.expr], found: set[str], scopes: ProgramScopes
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
    functions = [f for text in sorted(named) for f in scopes.functions.get(text, [])]
    text = node.func.id if isinstance(node.func, ast.Name) else ""
    called_variable = text not in scopes.functions and any(
        text in scope.bound for scope in [scopes.module, *scopes.scopes.values()]
    )
    if called_variable or not isinstance(node.func, ast.Name | ast.Attribute):
        # the callee is not known: it may be any function
        functions = [f for group in scopes.functions.values() for f in group]
    for function in functions:
        found.update(arg.arg for arg in parameters(function))


def stored(target: ast.AST) -> set[str]:
    """Return the variables that a target (or a receiver) puts a value into."""
    return {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}
