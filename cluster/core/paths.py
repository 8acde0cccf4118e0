"""Which functions of the kernel are paths, and which of them may sleep.

A *path* is a module's function that is annotated to return ``Path``. It is

- a ``GENERATOR``, with points and ``yield from`` of other paths in it;
- a ``DELEGATE``: no generator itself, but what it returns is another path;
- ``EITHER``, annotated ``Path | something``: it returns a path or a plain value, and whoever calls
  it asks ``is_path``. Handlers of system calls may be so.

A path *may sleep* if it has a SCHEDULE or RESCHED point, or runs something that may. Which function
a call means is found like this:

- a name that the module defines or imports: that function;
- an attribute (``fop.release``): every path that is anywhere in the package put under this name, by
  a keyword argument, by an argument in the place of such a parameter of a class, or by an
  assignment. If something that is no known function is put there, it may sleep;
- anything else, a parameter for example: it may sleep.

Rules that the package must keep, so that a second form of its paths can be made (``Refused`` tells
the place of what breaks one):

- a path is called where it is run (``yield from f(k)``) or, in a delegate, returned; its generator
  is not put into a variable or handed on. A *function* may be handed on: ``yield from body(k)``;
- its first parameter is ``k``, and the defaults of the others have no effects;
- a point is ``yield "name", KIND, object``, a statement of its own. KIND is one of
  ``kernel.points``, or a choice of two of the kinds of a lock. The object of a point that means
  nothing at granularity ``syscall`` has no effects: names, attributes, items, comparisons;
- a LOAD is ``name = yield "name", LOAD, (object, "field")``, LOAD_ACQUIRE and UPDATE likewise; a
  STORE, or STORE_RELEASE, is a statement of its own with ``(object, "field", value)``;
- what is ``EITHER`` is neither run nor returned by what is not;
- it has no decorator, and stands at a module's top level.

Functions that are no paths may make any path they like and give it to a driver: they *are* drivers.
So are methods; the class that has them has to choose the form itself.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

GENERATOR: Final = "generator"
DELEGATE: Final = "delegate"
EITHER: Final = "either"

LOCKING: Final = ("ACQUIRE", "READ", "RELEASE")
VANISHING: Final = (
    "POINT",
    "BARRIER",
    "READ_BARRIER",
    "WRITE_BARRIER",
    "ACQUIRE_INNER",
    "RELEASE_INNER",
)
SLEEPING: Final = ("SCHEDULE", "RESCHED")
READING: Final = ("LOAD", "LOAD_ACQUIRE", "UPDATE")
WRITING: Final = ("STORE", "STORE_RELEASE")
ACCESSES: Final = (*READING, *WRITING)
_WITHOUT_EFFECT: Final = (
    ast.Name,
    ast.Attribute,
    ast.Constant,
    ast.Subscript,
    ast.Tuple,
    ast.Compare,
    ast.BoolOp,
    ast.IfExp,
    ast.UnaryOp,
    ast.BinOp,
    ast.cmpop,
    ast.boolop,
    ast.unaryop,
    ast.operator,
    ast.expr_context,
)

Key = tuple[str, str]  # module and name


class Refused(Exception):
    """The source breaks a rule of the module header; the message has the places."""


@dataclass(slots=True)
class PathFunction:
    """One path.

    Attributes:
        kind: GENERATOR, DELEGATE or EITHER.
        value: the annotation of what it returns at its end, as source.
        sleeps: it may sleep.
        runs: the calls in it that run (or, in a delegate, return) a path, with what they may mean;
            None: anything.
        locals: the names it binds itself.
    """

    module: str
    name: str
    node: ast.FunctionDef
    kind: str
    value: str
    sleeps: bool = False
    runs: dict[ast.Call, list[Key] | None] = field(default_factory=dict)
    locals: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Module:
    """One source file.

    Attributes:
        nodes: all nodes of its syntax tree, which is the first.
        imports: name -> module and name there, of every ``from … import``.
        functions: the names of all functions at its top level.
    """

    name: str
    where: str
    source: bytes
    nodes: list[ast.AST]
    imports: dict[str, Key] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)
    paths: dict[str, PathFunction] = field(default_factory=dict)

    @property
    def body(self) -> list[ast.stmt]:
        """The statements at the top level."""
        tree = self.nodes[0]
        assert isinstance(tree, ast.Module)
        return tree.body


class Package:
    """All modules of the package, its paths classified."""

    def __init__(self, sources: dict[str, tuple[str, bytes]]) -> None:
        """Read a package.

        Args:
            sources: file and text of every module, by the module's dotted name.

        Raises:
            Refused: a rule of the module header is broken.
            SyntaxError: a source is not Python.
        """
        self.problems: list[str] = []
        self.modules = {
            name: _read(name, where, source) for name, (where, source) in sources.items()
        }
        for module in self.modules.values():
            self._find_paths(module)
        self._attributes = self._find_attributes()
        for module in self.modules.values():
            for path in module.paths.values():
                self._look_into(module, path)
            self._check_rest(module)
        if self.problems:
            raise Refused("\n".join(sorted(self.problems)))
        self._spread_sleep()

    def path(self, key: Key) -> PathFunction | None:
        """Return the path with this module and name, if there is one."""
        module = self.modules.get(key[0])
        return None if module is None else module.paths.get(key[1])

    def resolve(self, module: Module, name: str) -> Key | None:
        """Return where the function that a module calls ``name`` is defined, or None."""
        seen = set()
        while (module.name, name) not in seen:
            seen.add((module.name, name))
            if name in module.functions:
                return module.name, name
            if name not in module.imports:
                return None
            place, name = module.imports[name]
            if place not in self.modules:
                return None
            module = self.modules[place]
        return None

    def quick_sleeps(self, key: Key) -> bool:
        """Tell whether the quick form of a path is a generator (of an unknown one it may be)."""
        path = self.path(key)
        return path is None or path.sleeps

    def _refuse(self, module: Module, node: ast.AST, text: str) -> None:
        place = f"{module.where}:{getattr(node, 'lineno', 1)}:{getattr(node, 'col_offset', 0) + 1}"
        self.problems.append(f"{place}: {text}")

    # -- finding ------------------------------------------------------------------------------

    def _find_paths(self, module: Module) -> None:
        top = {id(node) for node in module.body}
        for node in module.nodes:
            if not isinstance(node, ast.FunctionDef):
                continue
            kind, value = _annotation(node)
            if not kind:
                continue
            if node.args.args and node.args.args[0].arg == "self":
                continue
            if id(node) not in top:
                self._refuse(module, node, f"the path {node.name} is not at a module's top level")
                continue
            if node.decorator_list:
                self._refuse(module, node, f"the path {node.name} has a decorator")
            if not node.args.args or node.args.args[0].arg != "k":
                self._refuse(module, node, f"the first parameter of {node.name} is not k")
            for default in (*node.args.defaults, *node.args.kw_defaults):
                if default is not None and not _is_simple(default):
                    self._refuse(module, default, "a default of a path must have no effects")
            yields = any(isinstance(part, ast.Yield | ast.YieldFrom) for part in _own(node))
            if kind != EITHER and yields:
                kind = GENERATOR
            elif yields:
                self._refuse(module, node, f"{node.name} is a generator: its result is Path")
            path = PathFunction(module.name, node.name, node, kind, value)
            path.locals = _bound(node)
            module.paths[node.name] = path

    def _find_attributes(self) -> dict[str, list[Key | None]]:
        """Return which paths are put under which attribute name; None: something unknown."""
        found: dict[str, list[Key | None]] = {}
        for module in self.modules.values():
            for node in module.nodes:
                if isinstance(node, ast.Call):
                    for keyword in node.keywords:
                        if keyword.arg is not None:
                            self._put(found, module, keyword.arg, keyword.value)
                    for name, value in zip(self._parameters(module, node.func), node.args):
                        self._put(found, module, name, value)
                elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    for target in targets:
                        if isinstance(target, ast.Attribute) and not (
                            isinstance(node.value, ast.Name) and node.value.id == target.attr
                        ):  # self.read = read: what the parameter can be is looked at elsewhere
                            self._put(found, module, target.attr, node.value)
        return found

    def _put(
        self, found: dict[str, list[Key | None]], module: Module, name: str, value: ast.expr
    ) -> None:
        """Note that ``value`` is put under an attribute ``name``, if it may be a path."""
        if isinstance(value, ast.Constant | ast.BinOp | ast.Compare | ast.JoinedStr):
            return
        key = self.resolve(module, value.id) if isinstance(value, ast.Name) else None
        if key is None or self.path(key) is not None:
            known = found.setdefault(name, [])
            if key not in known:
                known.append(key)

    def _parameters(self, module: Module, func: ast.expr) -> list[str]:
        """Return the names of the positional parameters of a class of the package."""
        if not isinstance(func, ast.Name):
            return []
        name = func.id
        place = module.name
        if name in module.imports:
            place, name = module.imports[name]
        if place not in self.modules:
            return []
        for node in self.modules[place].body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                for item in node.body:
                    if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                        return [each.arg for each in item.args.args[1:]]
                return [
                    item.target.id
                    for item in node.body
                    if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
                ]
        return []

    # -- looking into paths -------------------------------------------------------------------

    def meanings(self, module: Module, path: PathFunction, call: ast.Call) -> list[Key] | None:
        """Return the paths that a call in ``path`` may run; None: anything."""
        func = call.func
        if isinstance(func, ast.Name):
            if func.id in path.locals and not _imported_within(path.node, func.id):
                return None
            key = self.resolve(module, func.id)
            return [key] if key is not None and self.path(key) is not None else None
        if isinstance(func, ast.Attribute):
            known = self._attributes.get(func.attr, [None])
            sure = [key for key in known if key is not None]
            return sure if len(sure) == len(known) else None
        return None

    def _holds_paths(self, func: ast.expr) -> bool:
        """Tell whether paths of the package are put under the attribute that is called."""
        return isinstance(func, ast.Attribute) and any(self._attributes.get(func.attr, ()))

    def _look_into(self, module: Module, path: PathFunction) -> None:
        allowed: set[int] = set()
        statements = {id(node.value) for node in _own(path.node) if isinstance(node, ast.Expr)}
        loads = {
            id(node.value)
            for node in _own(path.node)
            if isinstance(node, ast.Assign | ast.AnnAssign)
        }
        for node in _own(path.node):
            if isinstance(node, ast.YieldFrom):
                if isinstance(node.value, ast.Call):
                    allowed.add(id(node.value))
                    path.runs[node.value] = meant = self.meanings(module, path, node.value)
                    self._refuse_either(module, node, meant)
                elif not _is_nothing(node.value):
                    path.sleeps = True  # a generator that somebody else has made
            elif isinstance(node, ast.Yield):
                if _is_access(node):
                    stands_well = id(node) in (loads if _reads(node) else statements)
                    self._look_at_access(module, node, stands_well)
                else:
                    self._look_at_point(module, path, node, id(node) in statements)
            elif isinstance(node, ast.Return) and path.kind != GENERATOR:
                self._look_at_return(module, path, node, allowed)
        for node in _own(path.node):
            if isinstance(node, ast.Call) and id(node) not in allowed:
                meant = self.meanings(module, path, node)
                if meant and isinstance(node.func, ast.Name):
                    self._refuse(module, node, f"the path {node.func.id} is made and not run here")

    def _refuse_either(self, module: Module, node: ast.AST, meant: list[Key] | None) -> None:
        for key in meant or ():
            path = self.path(key)
            if path is not None and path.kind == EITHER:
                self._refuse(module, node, f"{path.name} may return a plain value: ask is_path")

    def _look_at_point(
        self, module: Module, path: PathFunction, node: ast.Yield, statement: bool
    ) -> None:
        point = node.value
        if not isinstance(point, ast.Tuple) or len(point.elts) != 3:
            self._refuse(module, node, 'a point is: yield "name", KIND, object')
            return
        kinds = kinds_of(point.elts[1])
        known = (*LOCKING, *VANISHING, *SLEEPING)
        if not kinds or any(kind not in known for kind in kinds):
            self._refuse(module, node, f"unknown kind of a point: {ast.unparse(point.elts[1])}")
        elif len(kinds) > 1 and any(kind not in LOCKING for kind in kinds):
            self._refuse(module, node, "a point that may be of several kinds is one of a lock")
        elif not statement:
            self._refuse(module, node, "a point is a statement of its own")
        elif kinds[0] in VANISHING and not _is_simple(point.elts[2]):
            self._refuse(module, node, "the object of this point must have no effects")
        if any(kind in SLEEPING for kind in kinds):
            path.sleeps = True

    def _look_at_access(self, module: Module, node: ast.Yield, stands_well: bool) -> None:
        assert isinstance(node.value, ast.Tuple)
        kind, obj = kinds_of(node.value.elts[1])[0], node.value.elts[2]
        reading = kind in READING
        what = '(object, "field")' if reading else '(object, "field", value)'
        if (
            not isinstance(obj, ast.Tuple)
            or len(obj.elts) != (2 if reading else 3)
            or not isinstance(obj.elts[1], ast.Constant)
            or not str(obj.elts[1].value).isidentifier()
        ):
            self._refuse(module, node, f"the object of this {kind} is {what}, written out")
        elif not stands_well:
            how = "assigned to something" if reading else "a statement of its own"
            self._refuse(module, node, f"{'an' if kind == 'UPDATE' else 'a'} {kind} is {how}")

    def _look_at_return(
        self, module: Module, path: PathFunction, node: ast.Return, allowed: set[int]
    ) -> None:
        for value in alternatives(node.value):
            if isinstance(value, ast.Call):
                meant = self.meanings(module, path, value)
                if path.kind == DELEGATE or meant or self._holds_paths(value.func):
                    allowed.add(id(value))
                    path.runs[value] = meant
                    if path.kind == DELEGATE:
                        self._refuse_either(module, node, meant)
                    continue
            if path.kind == DELEGATE:
                self._refuse(module, node, f"{path.name} is to return a path that it calls here")

    def _check_rest(self, module: Module) -> None:
        """Refuse generators that are points and not annotated as paths."""
        known = {id(part) for path in module.paths.values() for part in _own(path.node)}
        for node in module.nodes:
            if (
                isinstance(node, ast.Yield)
                and id(node) not in known
                and isinstance(node.value, ast.Tuple)
                and len(node.value.elts) == 3
                and any(kind.isupper() for kind in kinds_of(node.value.elts[1]))
            ):
                self._refuse(module, node, "a point in what is no path: its result is Path")

    def _spread_sleep(self) -> None:
        """Whoever runs what may sleep may sleep."""
        paths = [path for module in self.modules.values() for path in module.paths.values()]
        changed = True
        while changed:
            changed = False
            for path in paths:
                if not path.sleeps and any(
                    meant is None or any(self.quick_sleeps(key) for key in meant)
                    for meant in path.runs.values()
                ):
                    path.sleeps = changed = True


# -- reading the source --------------------------------------------------------------------------


def _read(name: str, where: str, source: bytes) -> Module:
    tree = ast.parse(source, where)
    module = Module(name, where, source, list(ast.walk(tree)))
    module.functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                module.imports[alias.asname or alias.name] = (node.module, alias.name)
    return module


def _annotation(node: ast.FunctionDef) -> tuple[str, str]:
    """Return the kind of a function, "" if it is no path, and the annotation of its value."""
    result = node.returns
    if isinstance(result, ast.Constant) and isinstance(result.value, str):
        result = ast.parse(result.value, mode="eval").body
    if result is None:
        return "", ""
    parts = []
    while isinstance(result, ast.BinOp) and isinstance(result.op, ast.BitOr):
        parts.append(result.right)
        result = result.left
    parts.append(result)
    values = [_value(part) for part in parts]
    if not any(values):
        return "", ""
    if len(parts) == 1:
        return DELEGATE, values[0]
    return EITHER, ""


def _value(annotation: ast.expr) -> str:
    """Return what a path with this annotation gives; "" if it is not a path's."""
    if isinstance(annotation, ast.Name) and annotation.id == "Path":
        return "Any"
    if (
        isinstance(annotation, ast.Subscript)
        and isinstance(annotation.value, ast.Name)
        and annotation.value.id == "Path"
    ):
        return ast.unparse(_Unquoted().visit(annotation.slice))
    return ""


class _Unquoted(ast.NodeTransformer):
    """Takes the quotes off names within an annotation, since the whole will be quoted."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.Subscript:
        if isinstance(node.value, ast.Name) and node.value.id == "Literal":
            return node
        self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not isinstance(node.value, str):
            return node
        return ast.parse(node.value, mode="eval").body


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield the nodes of a function's body, without those of functions within it."""
    waiting: list[ast.AST] = list(reversed(function.body))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _bound(function: ast.FunctionDef) -> set[str]:
    """Return the names of a function's parameters and of what it assigns or imports."""
    arguments = function.args
    names = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    names |= {each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None}
    for node in _own(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def _imported_within(function: ast.FunctionDef, name: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and any((alias.asname or alias.name) == name for alias in node.names)
        for node in _own(function)
    )


def kinds_of(node: ast.expr) -> list[str]:
    """Return the kinds that a point's second item may be; [] if that cannot be told."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.IfExp):
        kinds = [kinds_of(node.body), kinds_of(node.orelse)]
        return [*kinds[0], *kinds[1]] if all(kinds) else []
    return []


def _is_access(node: ast.Yield) -> bool:
    """Tell whether a ``yield`` is one of ACCESSES."""
    point = node.value
    if not isinstance(point, ast.Tuple) or len(point.elts) != 3:
        return False
    kinds = kinds_of(point.elts[1])
    return len(kinds) == 1 and kinds[0] in ACCESSES


def _reads(node: ast.Yield) -> bool:
    return isinstance(node.value, ast.Tuple) and kinds_of(node.value.elts[1])[0] in READING


def alternatives(node: ast.expr | None) -> Iterator[ast.expr | None]:
    """Yield what an expression may come to: both sides of ``a if c else b``."""
    if isinstance(node, ast.IfExp):
        yield from alternatives(node.body)
        yield from alternatives(node.orelse)
    else:
        yield node


def _is_simple(node: ast.expr) -> bool:
    return all(isinstance(part, _WITHOUT_EFFECT) for part in ast.walk(node))


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Tuple) and not node.elts
