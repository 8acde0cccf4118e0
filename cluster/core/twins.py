"""Writes the quick form of every path: what is left of it at granularity ``syscall``.

A path is written once, as a generator of points (``kernel.points``). At granularity ``step`` a
driver runs it as it stands. At ``syscall`` nothing comes between two points but a sleep, so a point
is either nothing at all or a plain call, and only a path that may sleep has to be a generator. Its
*quick form*, ``NAME__quick``, is made from its source text by a few edits:

============================================ =====================================================
in the source                                in the quick form
============================================ =====================================================
``yield "name", ACQUIRE, lock``              ``quick__acquire(k, lock)``; READ, RELEASE likewise
``yield "name", POINT, obj``; barriers       ``pass``
``x = yield "name", LOAD, (obj, "field")``   ``x = obj.field``; LOAD_ACQUIRE, UPDATE likewise
``yield "name", STORE, (obj, "field", v)``   ``obj.field = v``; STORE_RELEASE likewise
``assert_held(k, lock)``                     ``pass``
``yield "name", SCHEDULE, obj``; RESCHED     the same: such a form is a generator
``yield from f(k, …)``                       ``f__quick(k, …)`` if that cannot sleep, otherwise
                                             ``yield from f__quick(k, …)``
``yield from fop.read(k, …)``, where paths   ``quick__run(k, quick__form(fop.read)(k, …))`` if
are held in a variable                       none of them can sleep, otherwise
                                             ``(yield from p) if quick__is_path(p := …) else p``
``yield from path``                          the same: whoever made it has chosen its form
``return f(k, …)`` in a delegate             ``return f__quick(k, …)``, in a generator of its own if
                                             one of several alternatives sleeps and another does not
============================================ =====================================================

Comments, annotations and line structure stay, so that a checker accepts in the quick form what it
accepts in the source. The result's annotation is the value's (``Path[int]``: ``int``), or still
``Path`` if it is a generator.

Each module is followed by the quick forms of its paths, by imports of those of others that it
names, and by their entry into the table ``kernel.drive.forms.QUICK``, where drivers and
``quick__form`` find the quick form of a function that is held in a variable. Nothing in the module
itself changes, so lines, classes and state are the same in both.
"""

import ast
from typing import Final

from cluster.core.paths import (
    ACCESSES,
    DELEGATE,
    EITHER,
    GENERATOR,
    SLEEPING,
    VANISHING,
    Key,
    Module,
    Package,
    PathFunction,
    kinds_of,
)

SUFFIX: Final = "__quick"
CHECK: Final = "assert_held"  # a statement that is nothing at this granularity
_LOCK_CALLS: Final = {
    "ACQUIRE": "quick__acquire",
    "READ": "quick__read",
    "RELEASE": "quick__release",
}
_FOOT: Final = """

# -- quick forms, made from the above by cluster.core.twins ----------------------------------------
from typing import Any as quick__Any

from kernel.drive.forms import QUICK as quick__forms
from kernel.drive.forms import is_path as quick__is_path
from kernel.drive.forms import quick_form as quick__form
from kernel.drive.forms import run_plain as quick__run
from kernel.locking import acquire as quick__acquire
from kernel.locking import acquire_shared as quick__read
from kernel.locking import release as quick__release
"""

_Edit = tuple[int, int, str]  # bytes from, to, and what comes in their place


def with_twins(package: Package, module: Module) -> bytes:
    """Return a module's source followed by the quick forms of its paths."""
    if not module.paths:
        return module.source
    parts = [module.source.decode().rstrip("\n") + "\n", _FOOT]
    needed = _imports(package, module)
    for (place, name), mine in sorted(needed):
        known_as = "" if name == mine else f" as {mine}{SUFFIX}"
        parts.append(f"from {place} import {name}{SUFFIX}{known_as}\n")
    parts.extend(f"\n\n{Twin(package, module, path).text()}" for path in module.paths.values())
    entries = "".join(f"    {name}: {name}{SUFFIX},\n" for name in module.paths)
    parts.append(f"\n\nquick__forms.update({{\n{entries}}})\n")
    return "".join(parts).encode()


def _imports(package: Package, module: Module) -> set[tuple[Key, str]]:
    """Return the paths of other modules that the module's run, and the names they have here."""
    needed = set()
    for path in module.paths.values():
        for call, meant in path.runs.items():
            if isinstance(call.func, ast.Name) and meant:
                needed |= {(key, call.func.id) for key in meant if key[0] != module.name}
    return needed


class Twin:
    """The making of one quick form."""

    def __init__(self, package: Package, module: Module, path: PathFunction) -> None:
        self._package = package
        self._path = path
        self._source = module.source
        self._starts = [0]
        for line in module.source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._edits: list[_Edit] = []

    def text(self) -> str:
        """Return the source of the quick form."""
        path, node = self._path, self._path.node
        self._rename()
        for part in _statements(node):
            if isinstance(part, ast.Call):
                self._edit(part, part, "pass")
            elif isinstance(part, ast.Yield):
                self._point(part)
            elif isinstance(part, ast.YieldFrom) and isinstance(part.value, ast.Call):
                self._run(part, part.value)
            elif isinstance(part, ast.YieldFrom) and not path.sleeps:
                self._edit(part, part, "None")  # yield from (): only to be a generator
        if path.kind != GENERATOR:
            self._returns()
        return self._result()

    def _rename(self) -> None:
        path, node = self._path, self._path.node
        start = self._at(node.lineno, node.col_offset) + len(b"def ")
        self._edits.append((start, start + len(path.name), path.name + SUFFIX))
        if node.returns is not None:
            if path.kind == EITHER:
                result = "quick__Any"
            elif path.sleeps:
                result = ""
            else:
                result = "quick__Any" if path.value == "Any" else f"{path.value!r}"
            if result:
                self._edit(node.returns, node.returns, result)
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            self._edit(first, first, f'"""The quick form of {path.name}."""')

    def _point(self, node: ast.Yield) -> None:
        assert isinstance(node.value, ast.Tuple)
        _name, kind, obj = node.value.elts
        kinds = kinds_of(kind)
        if kinds[0] in VANISHING:
            self._edit(node, node, "pass")
        elif kinds[0] in ACCESSES:
            self._access(node, obj)
        elif kinds[0] not in SLEEPING:
            call = self._lock_call(kind)
            self._edits.append((self._start(node), self._start(obj), f"{call}(k, "))
            self._edits.append((self._end(obj), self._end(node), ")"))

    def _lock_call(self, kind: ast.expr) -> str:
        """Return the function that a point of this kind becomes, or the choice of one."""
        if isinstance(kind, ast.IfExp):
            first, second = self._lock_call(kind.body), self._lock_call(kind.orelse)
            return f"({first} if {self._text(kind.test)} else {second})"
        assert isinstance(kind, ast.Name)
        return _LOCK_CALLS[kind.id]

    def _access(self, node: ast.Yield, access: ast.expr) -> None:
        """A LOAD becomes the reading of an attribute, a STORE an assignment to one."""
        assert isinstance(access, ast.Tuple)
        obj, field, *value = access.elts
        name = str(field.value) if isinstance(field, ast.Constant) else ""
        simple = isinstance(obj, ast.Name | ast.Attribute)
        before, after = ("", "") if simple else ("(", ")")
        self._edits.append((self._start(node), self._start(obj), before))
        if value:
            middle = f"{after}.{name} = "
            self._edits.append((self._end(obj), self._start(value[0]), middle))
            self._edits.append((self._end(value[0]), self._end(node), ""))
        else:
            self._edits.append((self._end(obj), self._end(node), f"{after}.{name}"))

    def _run(self, node: ast.YieldFrom, call: ast.Call) -> None:
        meant = self._path.runs[call]
        func = call.func
        sleeps = meant is None or any(self._package.quick_sleeps(key) for key in meant)
        if isinstance(func, ast.Name) and meant:
            self._edits.append((self._end(func), self._end(func), SUFFIX))
            if not sleeps:
                self._edits.append((self._start(node), self._start(call), ""))
        elif sleeps:
            head = "((yield from quick__p) if quick__is_path(quick__p := quick__form("
            self._edits.append((self._start(node), self._start(call), head))
            self._edits.append((self._end(func), self._end(func), ")"))
            self._edits.append((self._end(call), self._end(call), ") else quick__p)"))
        else:
            head = "quick__run(k, quick__form("
            self._edits.append((self._start(node), self._start(call), head))
            self._edits.append((self._end(func), self._end(func), ")"))
            self._edits.append((self._end(call), self._end(call), ")"))

    def _returns(self) -> None:
        """Edit the calls that a delegate returns."""
        path = self._path
        each = [
            meant is None or any(self._package.quick_sleeps(key) for key in meant)
            for meant in path.runs.values()
        ]
        sure = all(isinstance(call.func, ast.Name) and meant for call, meant in path.runs.items())
        as_generator = path.kind == DELEGATE and any(each) and not (all(each) and sure)
        for call, meant in path.runs.items():
            sleeps = meant is None or any(self._package.quick_sleeps(key) for key in meant)
            start, end, middle = self._start(call), self._end(call), self._end(call.func)
            if isinstance(call.func, ast.Name) and meant:
                self._edits.append((middle, middle, SUFFIX))
                if as_generator and sleeps:
                    self._edits.append((start, start, "(yield from "))
                    self._edits.append((end, end, ")"))
            elif as_generator and sleeps:
                head = "((yield from quick__p) if quick__is_path(quick__p := quick__form("
                self._edits.append((start, start, head))
                self._edits.append((middle, middle, ")"))
                self._edits.append((end, end, ") else quick__p)"))
            else:
                whole = path.kind == DELEGATE
                head = "quick__run(k, quick__form(" if whole else "quick__form("
                self._edits.append((start, start, head))
                self._edits.append((middle, middle, ")"))
                if whole:
                    self._edits.append((end, end, ")"))

    # -- text ---------------------------------------------------------------------------------

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self._at(node.lineno, node.col_offset)

    def _end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._at(node.end_lineno, node.end_col_offset)

    def _text(self, node: ast.expr) -> str:
        return self._source[self._start(node) : self._end(node)].decode()

    def _edit(self, first: ast.expr | ast.stmt, last: ast.expr | ast.stmt, text: str) -> None:
        self._edits.append((self._start(first), self._end(last), text))

    def _result(self) -> str:
        node = self._path.node
        start = self._start(node)
        assert node.end_lineno is not None
        end = self._starts[node.end_lineno]  # a comment behind the last statement belongs to it
        parts = []
        for first, last, text in sorted(self._edits, key=lambda edit: edit[:2]):
            parts.append(self._source[start:first].decode())
            parts.append(text)
            start = last
        parts.append(self._source[start:end].decode())
        return "".join(parts).rstrip("\n") + "\n"


def _statements(function: ast.FunctionDef) -> list[ast.AST]:
    found: list[ast.AST] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Yield | ast.YieldFrom):
            found.append(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            func = node.value.func
            if isinstance(func, ast.Name) and func.id == CHECK:
                found.append(node.value)
    return found
